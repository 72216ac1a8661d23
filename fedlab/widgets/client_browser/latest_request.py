"""Slow work of which only the latest request counts, behind a page that answers at once."""

import functools
import threading

from fedlab.widgets.parts.background import BackgroundWork


class LatestRequest:
    """Makes what was asked for last, in a thread; what something else was asked for meanwhile, it forgets."""

    def __init__(self, make, show, show_error):
        """Keeps what to do.

        Args:
          make: function of a request, slow; called in a thread.
          show: function of what was made.
          show_error: function of the exception that `make` ended in.
        """
        self._make, self._show, self._show_error = make, show, show_error
        self._request, self._is_working = None, False
        # Held while something is shown: what is shown belongs to the latest request, always.
        self._lock = threading.RLock()
        self._background = BackgroundWork()

    def ask(self, request, meanwhile):
        """Shows `meanwhile` now, and what is made of the request when it is ready."""
        with self._lock:
            self.show_now(request, meanwhile)
            is_working, self._is_working = self._is_working, True
        if not is_working:
            self._background.wait()  # A thread that has shown its work ends at once.
            self._background.start(self._work, lambda error: None)

    def show_now(self, request, whole):
        """Shows `whole`, which is all that the request wants."""
        with self._lock:
            self._request = request
            self._show(whole)

    def wait(self, timeout_s=None):
        """Waits until all is shown; returns whether it is."""
        return self._background.wait(timeout_s)

    def _work(self):
        is_latest = False
        while not is_latest:
            request = self._request
            show = self._how_to_show(request)
            with self._lock:
                is_latest = request == self._request
                if is_latest:
                    self._is_working = False
                    show()

    def _how_to_show(self, request):
        try:
            return functools.partial(self._show, self._make(request))
        except Exception as error:
            return functools.partial(self._show_error, error)
