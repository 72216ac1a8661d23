"""Contenders of a benchmark side by side: each in a process of its own, asked in turn, and a table of rows.

A contender's process runs the benchmark's own script with `--contender NAME`, and answers each line of its
standard input with a line of JSON.
"""

import dataclasses
import json
import os
import pathlib
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the table."""

    what: str
    value: float
    unit: str
    target: float | None = None
    reached: bool | None = None
    note: str = ""


class Contender:
    """A process that does the same thing whenever it is asked to."""

    def __init__(self, script: str, *arguments: str, python: str | pathlib.Path = sys.executable):
        """Starts the process, and waits until it is ready."""
        environment = os.environ | {"PYTHONPATH": str(pathlib.Path(__file__).parent)}
        self._process = subprocess.Popen(
            [str(python), script, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._read()

    def ask(self, **arguments: Any) -> dict:
        """Has it do its work; the answer also says `peak_mb`, the most memory that it has had."""
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args} ended with status {self._process.wait()}.")
        return json.loads(line)

    def close(self) -> None:
        """Ends the process."""
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()


def answer(build: Callable[[], Callable[..., dict]]) -> None:
    """The contender's side: makes what works, and answers until nobody asks any more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # What libraries print is no answer.
    started = time.perf_counter()
    work = build()
    print(json.dumps({"seconds": time.perf_counter() - started}), file=answers, flush=True)
    for line in sys.stdin:
        started = time.perf_counter()
        result = work(**json.loads(line))
        seconds = time.perf_counter() - started
        print(json.dumps({"seconds": seconds, "peak_mb": peak_mb()} | result), file=answers, flush=True)


def peak_mb() -> float:
    """The most memory that this process has had, in MB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def processor() -> str:
    """The processor's name and its cores, for the title of a table."""
    name = platform.processor() or platform.machine()
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), name)
    return f"{name}, {os.cpu_count()} cores"


def report(title: str, rows: list[Row], path: pathlib.Path | None) -> None:
    """Prints the table, and writes it to a file where one is named."""
    print(title)
    for row in rows:
        verdict = (
            "" if row.target is None else f"target {row.target:g}: {'reached' if row.reached else 'missed'}"
        )
        print(f"  {row.what:<58}{row.value:>12.4g} {row.unit:<8}{verdict} {row.note}".rstrip())
    if path is not None:
        table = {"title": title, "rows": [dataclasses.asdict(row) for row in rows]}
        path.write_text(json.dumps(table, indent=2) + "\n")
