"""Interrupts that wait for the end of what must not be broken off.

Python raises KeyboardInterrupt between any two steps of the main thread, those included that TensorFlow's
C++ code asks Python for: there an interrupt comes out as some other error, or takes the process with it.
"""

import contextlib
import signal
import threading


@contextlib.contextmanager
def uninterrupted():
    """An interrupt within `with uninterrupted():` is raised at its end; also a decorator.

    For short work: nothing stops it. Outside the main thread, which alone is interrupted, it does nothing.
    """
    is_main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT) if is_main else None
    if not callable(handler):  # Ignored, or left to the system.
        yield
        return
    arrived = []
    signal.signal(signal.SIGINT, lambda *details: arrived.append(details))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if arrived:
            handler(*arrived[-1])


def uninterrupted_items(iterable):
    """Yields what an iterable gives; an interrupt comes between two items."""
    iterator, end = iter(iterable), object()
    while True:
        with uninterrupted():
            item = next(iterator, end)
        if item is end:
            return
        yield item
