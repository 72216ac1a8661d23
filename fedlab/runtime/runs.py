"""One call of a computation: its cohort, its clients side by side, its end, and what it tells."""

import concurrent.futures
import concurrent.futures.thread
import contextlib
import dataclasses
import itertools
import threading
import time
import weakref

from tensorflow.python.eager import cancellation

from fedlab.runtime import errors, events, summaries

_call_numbers = itertools.count(1)
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
        self._teller = _teller(self)

    # --- The whole call ---------------------------------------------------------------------------

    def call(self, function, *arguments):
        """Calls the function that the computation is, and tells of it."""
        _under_way.add(self)
        self._teller.tell(events.COMPUTATION_STARTED)
        started = time.perf_counter()
        try:
            result = function(self, *arguments)
        except Exception as error:
            if isinstance(error, errors.ComputationError):
                error.computation, error.num_clients = self.computation, self.num_clients
            self._teller.tell(
                events.COMPUTATION_FAILED, seconds=time.perf_counter() - started, error=str(error)
            )
            raise
        self._teller.tell(events.COMPUTATION_FINISHED, seconds=time.perf_counter() - started, result=result)
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

    # --- Steps ------------------------------------------------------------------------------------

    def step(self, intrinsic, function_name, placement, work, argument=None):
        """Does one step, `work()`, and tells of it."""
        return self._teller.step(intrinsic, function_name, placement, work, argument)

    def client_finished(self, index, started, result, argument=None):
        """Tells that a client's part of the current step is done: what went in, and what came out."""
        self._teller.tell_client(index, started, result, argument)

    def for_each_client(self, function, arguments):
        """Calls a function for every client, some side by side.

        Args:
          function: of one argument.
          arguments: one for each client, in the cohort's order.

        Returns:
          The results, in the cohort's order.

        Raises:
          ComputationError: of the first client, in the cohort's order, known to have failed; the others
            are stopped.
        """
        workers = min(self.clients_at_a_time, len(arguments))
        if workers <= 1:
            return [self._at_client(function, index, argument) for index, argument in enumerate(arguments)]
        numbers = iter(range(workers))
        with concurrent.futures.ThreadPoolExecutor(
            workers, "fedlab-client", initializer=lambda: setattr(_lanes, "number", next(numbers))
        ) as pool:
            futures = [pool.submit(self._at_client, function, *numbered) for numbered in enumerate(arguments)]
            return self._results(futures)

    def _results(self, futures):
        done, _ = concurrent.futures.wait(futures, return_when=concurrent.futures.FIRST_EXCEPTION)
        failed = [future for future in futures if future in done and future.exception() is not None]
        if not failed:
            return [future.result() for future in futures]
        for future in futures:
            future.cancel()
        self.stop()
        raise failed[0].exception()

    def _at_client(self, function, index, argument):
        self.check()
        started = time.perf_counter()
        with self.blaming_client(index):
            result = function(argument)
        self.client_finished(index, started, result, argument)
        return result

    @contextlib.contextmanager
    def blaming_client(self, index):
        """Puts the client's index on a ComputationError raised inside."""
        try:
            yield
        except errors.ComputationError as error:
            error.client = index
            raise


# --- Telling ----------------------------------------------------------------------------------------


def _teller(run):
    listeners = events.current_listeners()
    return _Teller(run, listeners) if listeners else _SILENT


class _Silent:
    """Tells nobody, at no cost."""

    def tell(self, kind, **unused_details):
        pass

    def step(self, intrinsic, function_name, placement, work, argument):
        return work()

    def tell_client(self, index, started, result, argument):
        pass


_SILENT = _Silent()


class _Teller:
    """Makes events of a run for the listeners there were when it began."""

    def __init__(self, run, listeners):
        self._run = run
        self._listeners = listeners
        self._call = next(_call_numbers)
        self._step_numbers = itertools.count()
        self._step = {}  # Details of the step under way; steps do not overlap within a run.

    def tell(self, kind, result=None, argument=None, **details):
        event = events.Event(kind, self._call, self._run.computation, self._run.num_clients, **details)
        rich = None
        for listener, values in self._listeners:
            if not (values(event) if callable(values) else values):
                listener(event)
                continue
            if rich is None:  # Once for all listeners, and not where nobody wants it.
                rich = dataclasses.replace(event, value=_summary_of(result), argument=_summary_of(argument))
            listener(rich)

    def step(self, intrinsic, function_name, placement, work, argument):
        if self._step:
            return work()  # Inside a step: part of it.
        step = next(self._step_numbers)
        self._step = dict(step=step, intrinsic=intrinsic, function=function_name, placement=placement)
        self.tell(events.STEP_STARTED, **self._step)
        started = time.perf_counter()
        try:
            result = work()
            self.tell(
                events.STEP_FINISHED,
                seconds=time.perf_counter() - started,
                result=result,
                argument=argument,
                **self._step,
            )
            return result
        finally:
            self._step = {}

    def tell_client(self, index, started, result, argument):
        self.tell(
            events.CLIENT_FINISHED,
            client=index,
            seconds=time.perf_counter() - started,
            result=result,
            argument=argument,
            **self._step,
        )


def _summary_of(value):
    return None if value is None else summaries.summarize(value)
