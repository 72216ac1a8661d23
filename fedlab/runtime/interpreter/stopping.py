"""Stops a call from outside: an interrupt, a cancelled coroutine, or the end of Python."""

import concurrent.futures
import contextlib
import threading
import weakref
from collections.abc import Iterator

from tensorflow.python.eager import cancellation


class Interrupted(concurrent.futures.CancelledError):
    """The call was stopped from outside."""


class StopSignal:
    """What all steps of one call look at, in any thread, to learn that they should end."""

    def __init__(self) -> None:
        self._is_set = threading.Event()
        self._graphs_under_way: set[cancellation.CancellationManager] = set()
        _SIGNALS.add(self)

    def set(self) -> None:
        """Stops TensorFlow's work that is under way, and all that would follow."""
        self._is_set.set()
        for manager in tuple(self._graphs_under_way):
            manager.start_cancel()

    def check(self) -> None:
        """Raises Interrupted once the signal is set."""
        if self._is_set.is_set():
            raise Interrupted("The computation was interrupted.")

    @contextlib.contextmanager
    def cancellable(self) -> Iterator[cancellation.CancellationManager]:
        """Gives a TensorFlow function something that `set` cancels.

        Each function that is called has its own: TensorFlow also cancels a manager when a function fails,
        and then whatever else uses it fails with the same error.
        """
        manager = cancellation.CancellationManager()
        self._graphs_under_way.add(manager)
        try:
            self.check()  # After adding: a stop just before is not missed.
            yield manager
        finally:
            self._graphs_under_way.discard(manager)


_SIGNALS: weakref.WeakSet[StopSignal] = weakref.WeakSet()


def stop_all() -> None:
    """Stops all calls that are under way."""
    for signal in list(_SIGNALS):
        signal.set()


# Python waits for threads when it exits, and would wait for ever for an endless computation. Its
# `atexit` comes after that wait; this, which the thread pools themselves use, comes before.
threading._register_atexit(stop_all)
