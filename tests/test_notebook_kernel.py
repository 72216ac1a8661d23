import subprocess
import sys
import time

import psutil

from notebook_kernel import KernelMeter, kernel_environment, resident_bytes

# A program whose child takes 150 MB, then both end when stdin closes.
PROGRAM = """
import subprocess, sys
take = "x = b'1' * 150_000_000; print('ready', flush=True); input()"
subprocess.run([sys.executable, "-c", take])
"""


def test_memory_of_children_counts_and_seconds_do_too():
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        meter = KernelMeter(process.pid)
        process.stdout.readline()
        time.sleep(0.3)
        measured = meter.stop()
        process.communicate(b"\n")
    assert 150 < measured["peak_mb"] < 400
    assert measured["seconds"] >= 0.3


# Takes 150 MB, and has for a second a child that has not yet become another program.
STARTING = """
import os, time
taken = b"1" * 150_000_000
print("ready", flush=True)
if os.fork() == 0:
    time.sleep(1)
    os._exit(0)
os.wait()
"""


def test_a_child_that_is_just_starting_is_not_its_parents_memory_twice():
    with subprocess.Popen([sys.executable, "-c", STARTING], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        root, seen = psutil.Process(process.pid), []
        while process.poll() is None:
            if root.children():
                seen.append(resident_bytes(root) / 1e6)
            time.sleep(0.01)
    assert seen and max(seen) < 250


def test_a_process_that_has_ended_does_not_stop_the_meter():
    with subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.PIPE) as process:
        meter = KernelMeter(process.pid)
        process.wait()
        time.sleep(0.2)
    assert meter.stop()["seconds"] > 0


def test_kernels_draw_inline_whatever_the_tests_do(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    with kernel_environment() as environment:
        assert environment["MPLBACKEND"] == "module://matplotlib_inline.backend_inline"
        assert environment["CUDA_VISIBLE_DEVICES"] == "-1"
