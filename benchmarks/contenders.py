"""Contenders of a benchmark: each in a process of its own, asked in turn, its memory watched.

    with Contender(ROOT / "benchmarks" / "federated.py", "in_process") as contender:
        seconds = contender.call("train_round", 2).seconds
        contender.peak_mb

`taking_turns.py` is the contender's side.
"""

import collections
import contextlib
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from typing import Self

import psutil

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAMPLE_MEMORY_EVERY_S = 0.05
LOOK_FOR_CHILDREN_EVERY_S = 1.0  # This reads about every process of the machine.
CALL_TIMEOUT_S = 1800

# What a shell may hold that makes one library faster or slower than it is by itself. TF_USE_LEGACY_KERAS and
# its like are no exception: fedlab sets them where it needs them.
_CHOICES = (
    *(
        "BLIS_",
        "DNNL_",
        "FLWR_",
        "GOMP_",
        "GOTO_",
        "JAX_",
        "KMP_",
        "MKL_",
        "NPY_",
        "OMP_",
        "ONEDNN_",
        "OPENBLAS_",
    ),
    *("RAY_", "TF_", "TORCH_", "XLA_"),
)


def clean_environment() -> dict[str, str]:
    """This process's environment without choices of instruction sets, threads and kernels.

    Everything runs on the processor, and nothing reports home.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_CHOICES)}
    return kept | {
        "CUDA_VISIBLE_DEVICES": "-1",
        "FLWR_TELEMETRY_ENABLED": "0",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": str(ROOT / "benchmarks"),
        "RAY_USAGE_STATS_ENABLED": "0",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }


class ContenderError(RuntimeError):
    """A contender's process ended, or did not answer in time; the message has its last words."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a contender's method returned, and the seconds it took there."""

    value: object
    seconds: float


class Contender:
    """A script in a process of its own that answers calls, and the most memory that it took."""

    def __init__(
        self,
        script: pathlib.Path,
        *arguments: str,
        python: str | pathlib.Path = sys.executable,
        environment: Mapping[str, str] | None = None,
        timeout_s: float = CALL_TIMEOUT_S,
    ):
        """Starts the script, and waits until it has built what it contends with.

        Args:
          script: a script that calls `taking_turns.serve`.
          arguments: of the script.
          python: the program that runs it.
          environment: variables beside those of `clean_environment`.
          timeout_s: seconds that building and each call may take.

        Raises:
          ContenderError: it ended, or took longer.
        """
        self.peak_mb = 0.0
        self._timeout_s = timeout_s
        self._family: dict[int, psutil.Process] = {}
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  (for as long as the process)
        self._process = subprocess.Popen(
            [str(python), str(script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            text=True,
            cwd=ROOT,
            env=clean_environment() | dict(environment or {}),
            start_new_session=True,  # Ctrl-C comes to the benchmark alone, which then closes its contenders.
        )
        self._closing = threading.Event()
        self._working = threading.Event()  # Others' turns are not to be disturbed by looking at this one.
        self._watcher = threading.Thread(target=self._watch_memory, daemon=True)
        self._watcher.start()
        try:
            self.seconds_to_build = self._read().seconds
        except BaseException:
            self.close()
            raise

    def call(self, method: str, *arguments: object) -> Answer:
        """Has it call its method, with arguments that JSON knows."""
        with contextlib.suppress(BrokenPipeError):  # It has ended, and reading tells why.
            self._process.stdin.write(json.dumps({"call": method, "arguments": arguments}) + "\n")
            self._process.stdin.flush()
        return self._read()

    def _read(self) -> Answer:
        timer = threading.Timer(self._timeout_s, self._kill_family)
        timer.start()
        self._working.set()
        try:
            line = self._process.stdout.readline()
        finally:
            self._working.clear()
            timer.cancel()
        if line:
            return Answer(**json.loads(line))
        status = self._process.wait()
        self._words.seek(0)
        words = self._words.read().decode(errors="replace")[-2000:]
        raise ContenderError(f"{' '.join(self._process.args)} ended with status {status}:\n{words}")

    def _watch_memory(self) -> None:
        looked = 0.0
        while not self._closing.wait(SAMPLE_MEMORY_EVERY_S):
            if not self._working.wait(LOOK_FOR_CHILDREN_EVERY_S):
                continue
            if time.monotonic() - looked > LOOK_FOR_CHILDREN_EVERY_S:
                self._look_for_children()
                looked = time.monotonic()
            self.peak_mb = max(self.peak_mb, self._resident_mb())

    def _look_for_children(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(self._process.pid)
            for process in [root, *root.children(recursive=True)]:
                self._family.setdefault(process.pid, process)

    def _resident_mb(self) -> float:
        """Resident memory of the process and all that it started; pages that two share count twice."""
        total = 0
        for process in list(self._family.values()):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
        return total / 2**20

    def _kill_family(self) -> None:
        # Remembered, for what outlives its parent (as TFF's worker does) is nobody's child any more.
        # psutil knows a process by its start as well, and does not end another one of the same number.
        for process in list(self._family.values()):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def close(self) -> None:
        """Ends the process and whatever it started."""
        self._closing.set()
        self._watcher.join()
        self._look_for_children()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=30)
        self._kill_family()
        self._process.wait()
        self._process.stdout.close()
        self._words.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()


def take_turns(
    actions: Mapping[str, Callable[[], float]], turns: int, *, warm_up: int = 1
) -> dict[str, list[float]]:
    """Seconds that each action returned, by name.

    They come in the order A B C, A B C, so that what slows the machine slows all alike.

    Args:
      actions: each does its work once and returns the seconds.
      turns: how many are kept of each.
      warm_up: how many turns come before these and are not kept: the first builds and optimizes graphs.
    """
    seconds = collections.defaultdict(list)
    for turn in range(warm_up + turns):
        for name, action in actions.items():
            taken = action()
            if turn >= warm_up:
                seconds[name].append(taken)
    return dict(seconds)


def median_ratio(ours: list[float], theirs: list[float]) -> float:
    """How many times theirs ours takes: the ratio of the medians."""
    return statistics.median(ours) / statistics.median(theirs)
