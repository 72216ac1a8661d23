"""Runs a command as on a small machine: so much memory for it and all that it starts, so many cores."""

import contextlib
import dataclasses
import os
import subprocess
import tempfile
import time

import psutil

from notebook_kernel import resident_bytes

SAMPLE_EVERY_S = 0.02
_GONE_WITHIN_S = 5


@dataclasses.dataclass(frozen=True)
class SmallRun:
    """How a command went; where it wanted more memory than there was, it was killed."""

    returncode: int
    wanted_more_memory: bool
    peak_mb: int  # millions of bytes resident, of the whole process tree
    seconds: float
    output: str


def run_small(command, *, memory_mb, cores, **options):
    """Runs a command, and kills it with all its descendants when together they hold too much memory.

    Pages that processes share are counted for each of them, so this is stricter than a container's limit.

    Args:
      command: what to run, a list.
      memory_mb: millions of bytes that the process tree may have resident.
      cores: how many of this machine's cores it may use.
      **options: for subprocess.Popen.

    Returns:
      SmallRun.
    """
    with tempfile.TemporaryFile() as output:
        started = time.monotonic()
        with _on_cores(cores):
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, **options)
        peak_mb = _watch(process, memory_mb)
        seconds = time.monotonic() - started
        output.seek(0)
        text = output.read().decode(errors="replace")
    return SmallRun(process.returncode, peak_mb > memory_mb, round(peak_mb), round(seconds, 1), text)


@contextlib.contextmanager
def _on_cores(number):
    """Leaves this thread, and what it starts, so many cores; macOS has no such thing, and leaves all."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    all_cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(all_cores)[:number])
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_cores)


def _watch(process, memory_mb):
    """Waits for a process, or kills it with its descendants; returns the largest memory, in MB."""
    root, peak_mb = psutil.Process(process.pid), 0
    try:
        while process.poll() is None and peak_mb <= memory_mb:
            peak_mb = max(peak_mb, resident_bytes(root) / 1e6)
            time.sleep(SAMPLE_EVERY_S)
    finally:
        if process.poll() is None:
            _kill_tree(root)
        process.wait()
    return peak_mb


def _kill_tree(root):
    """Kills a process with its descendants, and waits until these are gone: a kill takes effect later."""
    descendants = root.children(recursive=True)
    for process in [root, *descendants]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(descendants, timeout=_GONE_WITHIN_S)  # Whoever started the root waits for it.
