"""A progress bar over the clients of a round, in notebooks and in terminals."""

import contextlib
import threading

from fedlab.runtime.watching import events

# A step that is over sooner shows no bar: rounds have many quick steps and a slow one.
SHOW_AFTER_S = 0.5

_WORK_OF_CLIENTS = ("federated_map", "federated_eval_at_clients")


class _ClientBars:
    """Listens to events; shows one bar for each slow step at the clients."""

    def __init__(self, **options):
        self._options = options
        self._bars = {}  # By call and step: computations may overlap.
        self._lock = threading.Lock()

    def __call__(self, event):
        key = event.call, event.step
        if event.kind == events.STEP_STARTED and event.intrinsic in _WORK_OF_CLIENTS:
            with self._lock:
                self._bars[key] = self._new_bar(event)
        elif event.kind == events.CLIENT_FINISHED and key in self._bars:
            with self._lock:
                self._bars[key].update()
        elif event.kind == events.STEP_FINISHED:
            self._close(key)
        elif event.kind == events.COMPUTATION_FAILED:
            for unfinished in [key for key in self._bars if key[0] == event.call]:
                self._close(unfinished)

    def _new_bar(self, event):
        from tqdm.auto import tqdm

        options = {"delay": SHOW_AFTER_S, "leave": False, **self._options}
        label = event.function.split(", ")[-1] or event.computation
        return tqdm(total=event.num_clients, desc=label, unit="client", **options)

    def _close(self, key):
        with self._lock:
            bar = self._bars.pop(key, None)
        if bar is not None:
            bar.close()


def show_progress(**options):
    """Shows a bar over the clients of every round from now on.

    Args:
      **options: for `tqdm`, such as `leave=True` or `file=...`.

    Returns:
      A function that ends it.
    """
    return events.listen(_ClientBars(**options))


@contextlib.contextmanager
def showing_progress(**options):
    """Shows a bar over the clients of every round inside a `with` block; see `show_progress`."""
    stop = show_progress(**options)
    try:
        yield
    finally:
        stop()
