"""Work behind a widget's buttons: one piece at a time, in a thread, so that the page still answers."""

import threading


class BackgroundWork:
    """One piece of work at a time.

    Attributes:
      is_running: whether a piece is under way.
      stop_requested: whether it was asked to end; the work looks at this where it can end cleanly.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._end_shown = threading.Event()
        self._thread = None

    @property
    def is_running(self):
        return self._thread is not None and not self._ended.is_set()

    @property
    def stop_requested(self):
        return self._stopping.is_set()

    def start(self, work, on_end):
        """Starts `work()` in a thread, unless a piece is under way.

        Args:
          work: function without arguments.
          on_end: function of the exception that ended the work, or of None; called in the thread.

        Returns:
          Whether it was started.
        """
        with self._lock:
            if self.is_running:
                return False
            self.wait()  # For the last piece's `on_end`, which shows how it ended.
            self._stopping.clear()
            self._ended.clear()
            self._end_shown.clear()
            self._thread = threading.Thread(
                target=self._run, args=(work, on_end), name="fedlab-widget", daemon=True
            )
            self._thread.start()
        return True

    def _run(self, work, on_end):
        error = None
        try:
            work()
        except BaseException as caught:  # Whatever ends the thread is told to the learner.
            error = caught
        self._ended.set()
        try:
            on_end(error)
        finally:
            self._end_shown.set()

    def request_stop(self):
        """Asks the work to end where it can do so cleanly."""
        self._stopping.set()

    def wait(self, timeout_s=None):
        """Waits for the work to end. An interrupt asks it to end, and waits on; a second one breaks off.

        Args:
          timeout_s: how long to wait at most; None for as long as it takes.

        Returns:
          Whether the work has ended.
        """
        if self._thread in (None, threading.current_thread()):
            return True
        try:
            return self._end_shown.wait(timeout_s)
        except KeyboardInterrupt:
            self.request_stop()
            return self._end_shown.wait(timeout_s)
