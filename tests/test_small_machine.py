import os
import sys

import psutil
import pytest

from small_machine import run_small

# Takes 150 MB itself, and starts a child that takes as much.
TWO_PROCESSES = """
import subprocess, sys
taken = b"1" * 150_000_000
child = "import os, time; print(os.getpid(), flush=True); taken = b'1' * 150_000_000; time.sleep({})"
subprocess.run([sys.executable, "-c", child])
"""


def test_a_process_tree_that_wants_more_memory_is_killed_to_the_last():
    run = run_small([sys.executable, "-c", TWO_PROCESSES.format(600)], memory_mb=250, cores=1)
    assert run.wanted_more_memory
    assert run.returncode == -9
    assert run.seconds < 60
    (child,) = map(int, run.output.split())
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_what_fits_runs_to_its_end_and_is_measured():
    run = run_small([sys.executable, "-c", TWO_PROCESSES.format(0.5)], memory_mb=600, cores=1)
    assert (run.returncode, run.wanted_more_memory) == (0, False)
    assert 300 < run.peak_mb < 600
    assert run.seconds >= 0.5


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="macOS does not say which cores there are")
def test_there_are_as_many_cores_as_asked_for():
    command = [sys.executable, "-c", "import os; print(len(os.sched_getaffinity(0)))"]
    before = os.sched_getaffinity(0)
    assert run_small(command, memory_mb=500, cores=1).output.split() == ["1"]
    assert os.sched_getaffinity(0) == before
