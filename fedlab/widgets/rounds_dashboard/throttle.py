"""Showing what changes quickly, no more often than a page can follow."""

import threading
import time


class Throttled:
    """A function that is called at most so often: what comes too early is made up for later, once."""

    def __init__(self, function, every_s):
        """Args: a function without arguments; the seconds between two calls."""
        self._function, self._every_s = function, every_s
        self._called_at, self._is_due = -every_s, False
        self._lock = threading.Lock()

    def __call__(self):
        """Calls the function now, or in a thread as soon as it may be called again."""
        with self._lock:
            if self._is_due:
                return
            too_early_s = self._called_at + self._every_s - time.monotonic()
            self._is_due = too_early_s > 0
        if too_early_s > 0:
            self._call_later(too_early_s)
        else:
            self._call()

    def _call_later(self, delay_s):
        timer = threading.Timer(delay_s, self._call)
        timer.daemon = True  # A page that nobody sees any more keeps no kernel alive.
        timer.start()

    def _call(self):
        with self._lock:
            # Before the call: what changes during it is shown by the next.
            self._called_at, self._is_due = time.monotonic(), False
        self._function()
