"""One call of a computation: what all its steps share, and what is told of its beginning and end."""

import time
from collections.abc import Callable
from typing import Any

from fedlab import freed_memory
from fedlab.runtime import errors
from fedlab.runtime.interpreter.cohorts import Cohort
from fedlab.runtime.interpreter.stopping import StopSignal
from fedlab.runtime.watching import announcing, events


class Call:
    """What all steps of one call share.

    Attributes:
      stop_signal: ends the call from outside.
      cohort: its clients.
      announcer: tells the listeners.
    """

    def __init__(self, computation: str, num_clients: int, clients_at_a_time: int) -> None:
        """Makes a call that has not begun.

        Args:
          computation: name of the computation that is called.
          num_clients: size of the cohort.
          clients_at_a_time: how many clients may run side by side.
        """
        self._computation = computation
        self.stop_signal = StopSignal()
        self.cohort = Cohort(num_clients, clients_at_a_time, self.stop_signal)
        self.announcer = announcing.make_announcer(computation, num_clients)

    def perform(self, program: Callable, *arguments: Any) -> Any:
        """Runs the computation's program, and tells of it; errors name the computation."""
        self.announcer.tell(events.COMPUTATION_STARTED)
        started = time.perf_counter()
        try:
            with freed_memory.given_back():
                result = program(self, *arguments)
        except Exception as error:
            if isinstance(error, errors.ComputationError):
                error.computation, error.num_clients = self._computation, self.cohort.size
            seconds = time.perf_counter() - started
            self.announcer.tell(events.COMPUTATION_FAILED, seconds=seconds, error=str(error))
            raise
        seconds = time.perf_counter() - started
        self.announcer.tell(events.COMPUTATION_FINISHED, seconds=seconds, result=result)
        return result
