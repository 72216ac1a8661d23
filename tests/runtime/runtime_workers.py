"""Whether TFF's own worker can run here."""

import os
import pathlib
import platform

import pytest


def has_worker():
    """Whether TFF's worker can run here: Linux, x86-64, AVX and the program itself."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return False
    if " avx " not in pathlib.Path("/proc/cpuinfo").read_text():
        return False
    from fedlab.runtime import worker_process

    return os.access(worker_process.find_binary(), os.X_OK)


needs_worker = pytest.mark.skipif(not has_worker(), reason="TFF's worker is a program for Linux x86-64 with AVX")
