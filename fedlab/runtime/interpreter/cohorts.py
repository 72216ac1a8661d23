"""The clients of one call: some of them at work side by side, their results in the cohort's order."""

import collections
import concurrent.futures
import concurrent.futures.thread
import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fedlab.runtime import errors
from fedlab.runtime.interpreter.stopping import StopSignal

_lanes = threading.local()


def current_lane() -> int:
    """Number of the lane that this thread works in: clients side by side are in different ones.

    TensorFlow gives some operations, those that read datasets among them, a single thread for each copy of
    a graph, so clients that shared a copy would wait for each other. Each lane has its own.
    """
    return getattr(_lanes, "number", 0)


class Cohort:
    """The clients that take part in a call."""

    def __init__(self, size: int, clients_at_a_time: int, stop_signal: StopSignal) -> None:
        """Makes a cohort.

        Args:
          size: how many clients there are.
          clients_at_a_time: how many of them may run side by side.
          stop_signal: ends the work of all clients.
        """
        self.size = size
        self._clients_at_a_time = clients_at_a_time
        self._stop_signal = stop_signal

    def for_each_client(self, function: Callable[[int], Any]) -> Iterator[Any]:
        """Calls a function for every client, some side by side, and yields the results.

        A result is yielded when those before it are, so that whoever adds them up holds few of them: at most
        one more than run side by side.

        Args:
          function: of the client's index, from 0.

        Yields:
          The results, in the cohort's order.

        Raises:
          ComputationError: of the first client, in the cohort's order, known to have failed; the others
            are stopped.
        """
        workers = min(self._clients_at_a_time, self.size)
        if workers <= 1:
            return (self._at_client(function, index) for index in range(self.size))
        return self._side_by_side(function, workers)

    def _side_by_side(self, function: Callable[[int], Any], workers: int) -> Iterator[Any]:
        lanes, indices = iter(range(workers)), iter(range(self.size))
        waiting: collections.deque[concurrent.futures.Future] = collections.deque()
        with concurrent.futures.ThreadPoolExecutor(
            workers, "fedlab-client", initializer=lambda: setattr(_lanes, "number", next(lanes))
        ) as pool:
            try:
                for index in itertools.islice(indices, workers + 1):
                    waiting.append(pool.submit(self._at_client, function, index))
                while waiting:
                    _wait_for_first(waiting)
                    yield waiting.popleft().result()
                    for index in itertools.islice(indices, 1):
                        waiting.append(pool.submit(self._at_client, function, index))
            except BaseException:
                for future in waiting:
                    future.cancel()
                self._stop_signal.set()
                raise

    def _at_client(self, function: Callable[[int], Any], index: int) -> Any:
        self._stop_signal.check()
        with self.blaming_client(index):
            return function(index)

    @contextlib.contextmanager
    def blaming_client(self, index: int) -> Iterator[None]:
        """Puts the client's index on a ComputationError raised inside."""
        try:
            yield
        except errors.ComputationError as error:
            error.client = index
            raise


def _wait_for_first(futures: Sequence[concurrent.futures.Future]) -> None:
    """Waits for the first of some futures; raises what any other raises meanwhile."""
    while not futures[0].done():
        failed = [future.exception() for future in futures if future.done()]
        for error in failed:
            if error is not None:
                raise error
        unfinished = [future for future in futures if not future.done()]
        concurrent.futures.wait(unfinished, return_when=concurrent.futures.FIRST_COMPLETED)
