"""Whether TFF's own worker can run here."""

import os
import pathlib
import platform
import subprocess
import sys

import pytest


def has_worker():
    """Whether TFF's worker can run here: Linux, x86-64, AVX and the program itself."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return False
    if " avx " not in pathlib.Path("/proc/cpuinfo").read_text():
        return False
    from fedlab.runtime import worker_process

    return os.access(worker_process.find_binary(), os.X_OK)


needs_worker = pytest.mark.skipif(
    not has_worker(), reason="TFF's worker is a program for Linux x86-64 with AVX"
)


def can_isolate():
    """Whether this system allows a process a network of its own."""
    code = "from fedlab.runtime import isolated_worker; isolated_worker.enter_own_network()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
