"""One call of a computation: its cohort, its clients side by side, and its end."""

import collections
import concurrent.futures
import concurrent.futures.thread
import contextlib
import itertools
import threading
import time
import weakref

from tensorflow.python.eager import cancellation

from fedlab import freed_memory
from fedlab.runtime import errors, events, telling

_lanes = threading.local()


def current_lane():
    """Number of the lane that this thread works in: clients side by side are in different ones.

    TensorFlow gives some operations, those that read datasets among them, a single thread for each copy of
    a graph, so clients that shared a copy would wait for each other. Each lane has its own.
    """
    return getattr(_lanes, "number", 0)


_under_way = weakref.WeakSet()


def stop_all():
    """Ends all runs that are under way."""
    for run in list(_under_way):
        run.stop()


# Python waits for threads when it exits, and would wait for ever for an endless computation. Its
# `atexit` comes after that wait; this, which the thread pools themselves use, comes before.
threading._register_atexit(stop_all)


class Interrupted(concurrent.futures.CancelledError):
    """The run was stopped from outside."""


class Run:
    """What all steps of one call share."""

    def __init__(self, computation, num_clients, clients_at_a_time):
        """Makes a run.

        Args:
          computation: name of the computation that is called.
          num_clients: size of the cohort.
          clients_at_a_time: how many clients may run side by side.
        """
        self.computation = computation
        self.num_clients = num_clients
        self.clients_at_a_time = clients_at_a_time
        self._stopped = threading.Event()
        self._graphs_under_way = set()  # Their CancellationManagers.
        self.teller = telling.make_teller(computation, num_clients)

    # --- The whole call ---------------------------------------------------------------------------

    def call(self, function, *arguments):
        """Calls the function that the computation is, and tells of it."""
        _under_way.add(self)
        self.teller.tell(events.COMPUTATION_STARTED)
        started = time.perf_counter()
        try:
            with freed_memory.given_back():
                result = function(self, *arguments)
        except Exception as error:
            if isinstance(error, errors.ComputationError):
                error.computation, error.num_clients = self.computation, self.num_clients
            self.teller.tell(
                events.COMPUTATION_FAILED, seconds=time.perf_counter() - started, error=str(error)
            )
            raise
        self.teller.tell(events.COMPUTATION_FINISHED, seconds=time.perf_counter() - started, result=result)
        return result

    def stop(self):
        """Ends the run: TensorFlow's steps that are under way, and all that would follow."""
        self._stopped.set()
        for manager in tuple(self._graphs_under_way):
            manager.start_cancel()

    @contextlib.contextmanager
    def cancellable(self):
        """Gives a TensorFlow call something that `stop` cancels.

        Each call has its own: TensorFlow also cancels a manager when a call fails, and then whatever
        else uses it fails with the same error.
        """
        manager = cancellation.CancellationManager()
        self._graphs_under_way.add(manager)
        try:
            self.check()  # After adding: a stop just before is not missed.
            yield manager
        finally:
            self._graphs_under_way.discard(manager)

    def check(self):
        """Raises Interrupted once the run has been stopped."""
        if self._stopped.is_set():
            raise Interrupted("The computation was interrupted.")

    # --- The cohort ---------------------------------------------------------------------------------

    def for_each_client(self, function):
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
        workers = min(self.clients_at_a_time, self.num_clients)
        if workers <= 1:
            return (self._at_client(function, index) for index in range(self.num_clients))
        return self._side_by_side(function, workers)

    def _side_by_side(self, function, workers):
        lanes, coming, waiting = iter(range(workers)), iter(range(self.num_clients)), collections.deque()
        with concurrent.futures.ThreadPoolExecutor(
            workers, "fedlab-client", initializer=lambda: setattr(_lanes, "number", next(lanes))
        ) as pool:
            try:
                for index in itertools.islice(coming, workers + 1):
                    waiting.append(pool.submit(self._at_client, function, index))
                while waiting:
                    self._wait_for_first(waiting)
                    yield waiting.popleft().result()
                    for index in itertools.islice(coming, 1):
                        waiting.append(pool.submit(self._at_client, function, index))
            except BaseException:
                for future in waiting:
                    future.cancel()
                self.stop()
                raise

    def _wait_for_first(self, futures):
        """Waits for the first of some futures; raises what any other raises meanwhile."""
        while not futures[0].done():
            failed = [future for future in futures if future.done() and future.exception() is not None]
            if failed:
                raise failed[0].exception()
            unfinished = [future for future in futures if not future.done()]
            concurrent.futures.wait(unfinished, return_when=concurrent.futures.FIRST_COMPLETED)

    def _at_client(self, function, index):
        self.check()
        with self.blaming_client(index):
            return function(index)

    @contextlib.contextmanager
    def blaming_client(self, index):
        """Puts the client's index on a ComputationError raised inside."""
        try:
            yield
        except errors.ComputationError as error:
            error.client = index
            raise
