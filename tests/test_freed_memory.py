"""Memory that was freed goes back to the operating system after long work."""

import ctypes
import sys

import psutil
import pytest

from fedlab import freed_memory

_MB = 2**20


def resident_mb():
    return psutil.Process().memory_info().rss / _MB


@pytest.fixture
def freed():
    """300 MB that the C library keeps after they are freed: small pieces, the last of them still in use."""
    if not sys.platform.startswith("linux"):
        pytest.skip("other systems' C libraries decide by themselves")
    pieces = [ctypes.create_string_buffer(b"x" * 65_536) for _ in range(300 * 16)]
    last = pieces.pop()
    del pieces
    yield
    del last


def test_freed_memory_is_given_back(freed):
    before = resident_mb()
    freed_memory.give_back()
    assert resident_mb() < before - 200


def test_only_long_work_gives_memory_back(freed, monkeypatch):
    given = []
    monkeypatch.setattr(freed_memory, "give_back", lambda: given.append(True))
    with freed_memory.given_back():
        pass
    assert not given
    monkeypatch.setattr(freed_memory, "_LONG_S", 0)
    with pytest.raises(KeyError), freed_memory.given_back():
        raise KeyError("also after an error")
    assert given
