"""How long `import fedlab` takes, and where the time of `make demo` goes until its first round is done.

Each run is a process of its own. The demo runs as a learner's would, with its phases timed from outside:
wall seconds, and seconds of all cores together. Run it twice where files were not read lately: the first run
reads TensorFlow from disk.

    python benchmarks/start_up.py
"""

import argparse
import functools
import importlib
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

MOST_IMPORT_S = 0.1
MOST_FIRST_ROUND_S = 30
MOST_DEMO_S = 120
_IMPORT_REPEATS = 7

# What is timed within a demo, in the order in which it happens: the module that the demo finds it in.
PHASES = (
    ("fedlab.models.dickens", "load_dickens", "load the Dickens model"),
    ("fedlab.datasets", "load_shakespeare", "load Shakespeare"),
    ("fedlab.models.char_rnn", "with_batch_size", "copy the model to write with"),
    ("fedlab.demo", "_generate", "write before and after"),
    ("fedlab.training", "evaluate", "evaluate before"),
    ("fedlab.demo", "_start", "build TFF's process"),
    ("fedlab.runtime.compiling", "_compile", "of it and of the rounds: compile"),
    ("fedlab.training.rounds", "_run_round", "rounds"),
    ("fedlab.training.evaluation", "evaluate", "evaluate after rounds"),
    ("fedlab.demo", "_write_results", "draw and save"),
)


class Phases:
    """Adds up what functions take, wherever they are called from."""

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.rows = []  # [phase, wall seconds, seconds of all cores, seconds since the start at its end]

    def watch(self, module_name: str, function_name: str, phase: str) -> None:
        """From now on the calls of a function are timed."""
        module = importlib.import_module(module_name)
        function = getattr(module, function_name)

        @functools.wraps(function)
        def timed(*arguments, **settings):
            wall, cpu = time.perf_counter(), time.process_time()
            result = function(*arguments, **settings)
            self.note(phase, wall, cpu)
            return result

        setattr(module, function_name, timed)

    def note(self, phase: str, wall: float, cpu: float) -> None:
        now = time.perf_counter()
        self.rows.append([phase, now - wall, time.process_time() - cpu, now - self.started])


def run_demo_here(settings: dict) -> None:
    """Runs the demo in this process; the last line that it prints is its phases, as JSON."""
    phases, cpu = Phases(), time.process_time()
    from fedlab.demo import DemoSettings, run_demo

    for name in ("tensorflow", "tensorflow_federated"):
        wall_before, cpu_before = time.perf_counter(), time.process_time()
        importlib.import_module(name)
        phases.note(f"import {name}", wall_before, cpu_before)
    for phase in PHASES:
        phases.watch(*phase)
    with tempfile.TemporaryDirectory() as folder:
        run_demo(DemoSettings(out=pathlib.Path(folder), **settings))
    phases.note("the whole demo", phases.started, cpu)
    print(json.dumps(phases.rows))


def _run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True)


def measure_import() -> float:
    """Seconds that `import fedlab` adds to a Python that starts: the median."""
    code = "import time; t = time.perf_counter(); import fedlab; print(time.perf_counter() - t)"
    return statistics.median(float(_run("-c", code).stdout) for _ in range(_IMPORT_REPEATS))


def measure_demo(settings: dict) -> list[list]:
    """The phases of one demo, from a process that has just started."""
    return json.loads(_run(__file__, "--demo", json.dumps(settings)).stdout.splitlines()[-1])


def row(what: str, value: float, target: float | None = None, note: str = "") -> dict:
    reached = None if target is None else value <= target
    return {"what": what, "value": value, "unit": "s", "target": target, "reached": reached, "note": note}


def report(import_s: float, phases: list[list]) -> dict:
    """The rows of the common form."""
    processor = f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs"
    first_round_s = next(end for phase, _, _, end in phases if phase == "rounds")
    rows = [
        row("import fedlab", import_s, MOST_IMPORT_S),
        row("demo: until its first round is done", first_round_s, MOST_FIRST_ROUND_S, processor),
        row("demo: all of it", phases[-1][1], MOST_DEMO_S, processor),
    ]
    for phase in dict.fromkeys(phase for phase, *_ in phases[:-1]):
        times = [(wall, cpu) for name, wall, cpu, _ in phases if name == phase]
        parts = ", ".join(f"{wall:.1f}" for wall, _ in times) if len(times) > 1 else ""
        note = f"{sum(cpu for _, cpu in times):.1f} s of all cores" + (f"; {parts}" if parts else "")
        rows.append(row(f"demo: {phase}", sum(wall for wall, _ in times), note=note))
    return {"title": "Start-up", "rows": rows}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=pathlib.Path, help="a file to write the figures to")
    parser.add_argument("--rounds", type=int, help="of the demo; default as in `make demo`")
    parser.add_argument("--clients-per-round", type=int, help="of the demo; default as in `make demo`")
    parser.add_argument("--demo", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.demo is not None:
        run_demo_here(arguments.demo)
        return
    chosen = {name: getattr(arguments, name) for name in ("rounds", "clients_per_round")}
    settings = {name: number for name, number in chosen.items() if number is not None}
    result = report(measure_import(), measure_demo(settings))
    for one in result["rows"]:
        verdict = {True: "reached", False: "missed", None: ""}[one["reached"]]
        print(f"{one['what']:46}{one['value']:8.2f} s  {verdict:8}{one['note']}")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
