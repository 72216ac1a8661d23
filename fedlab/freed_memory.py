"""Gives the memory that was freed back to the operating system.

The C library of Linux keeps what a program frees, for the next time. Training frees and takes much: after a
few rounds of the Dickens model the process held 1,010 MB, of which 830 were in use, and the next cell of a
notebook took its memory on top. Giving it back takes 20 to 40 ms; a program that takes the memory again
pays as much. So it is done after work that took a while, and nowhere else: the setting that does it at
every `free` (MALLOC_TRIM_THRESHOLD_) makes training more than twice as slow.
"""

import contextlib
import ctypes
import functools
import sys
import time
from collections.abc import Callable, Iterator

_LONG_S = 0.5


@contextlib.contextmanager
def given_back() -> Iterator[None]:
    """Gives back what was freed by the code inside, if that took half a second or more."""
    started = time.perf_counter()
    try:
        yield
    finally:
        if time.perf_counter() - started >= _LONG_S:
            give_back()


def give_back() -> None:
    """Gives all freed memory back, where the C library can: glibc, on Linux."""
    _find_malloc_trim()(0)


@functools.cache
def _find_malloc_trim() -> Callable[[int], object]:
    """The function of the C library, or one that does nothing."""
    if not sys.platform.startswith("linux"):
        return lambda _: None
    # Missing from other C libraries than glibc.
    return getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)
