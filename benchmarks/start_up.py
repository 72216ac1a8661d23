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
import pathlib
import subprocess
import sys
import tempfile
import time

from contenders import ROOT, clean_environment
from rows import Row, at_most, print_table, write_rows

TITLE = "Start-up"
IMPORT_TARGET_S, FIRST_ROUND_TARGET_S, DEMO_TARGET_S = 0.1, 30.0, 120.0
# The fastest counts: whatever else the machine does can only add to the time of an import.
IMPORTS = 15

# What is timed within a demo, in the order in which it happens: the module that the demo finds it in.
PHASES = (
    ("fedlab.models.dickens", "load_dickens", "load the Dickens model"),
    ("fedlab.datasets", "load_shakespeare", "load Shakespeare"),
    ("fedlab.models.char_rnn", "with_batch_size", "copy the model to write with"),
    ("fedlab.demo", "_generate", "write before and after"),
    ("fedlab.demo", "_start", "build TFF's process"),
    ("fedlab.runtime.compiling", "_compile", "of it and of the rounds: compile"),
    ("fedlab.training.rounds", "_run_round", "rounds"),
    ("fedlab.training.evaluation", "_evaluate_windows", "evaluate, before and after each round"),
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


def _run(*arguments: str) -> str:
    """What a Python of its own prints."""
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=clean_environment()
    ).stdout


def measure_imports() -> list[float]:
    """Seconds that `import fedlab` takes in Pythons that just started."""
    code = "import time; t = time.perf_counter(); import fedlab; print(time.perf_counter() - t)"
    return [float(_run("-c", code)) for _ in range(IMPORTS)]


def measure_demo(settings: dict) -> list[list]:
    """The phases of one demo, from a process that has just started."""
    return json.loads(_run(__file__, "--demo", json.dumps(settings)).splitlines()[-1])


def rows_of(imports: list[float], phases: list[list]) -> list[Row]:
    """The table."""
    first_round_s = next(end for phase, _, _, end in phases if phase == "rounds")
    note = f"fastest of {len(imports)} new processes; slowest {max(imports):.3f} s"
    return [
        at_most("import fedlab", min(imports), "s", IMPORT_TARGET_S, note),
        at_most("demo: until its first round is done", first_round_s, "s", FIRST_ROUND_TARGET_S),
        at_most("demo: all of it", phases[-1][1], "s", DEMO_TARGET_S),
        *(_phase_row(phase, phases) for phase in dict.fromkeys(phase for phase, *_ in phases[:-1])),
    ]


def _phase_row(phase: str, phases: list[list]) -> Row:
    times = [(wall, cpu) for name, wall, cpu, _ in phases if name == phase]
    note = f"{sum(cpu for _, cpu in times):.1f} s of all cores"
    if len(times) > 1:
        note += "; " + ", ".join(f"{wall:.1f}" for wall, _ in times)
    return Row(f"demo: {phase}", sum(wall for wall, _ in times), "s", note=note)


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
    rows = rows_of(measure_imports(), measure_demo(settings))
    print_table(TITLE, rows)
    if arguments.json:
        write_rows(arguments.json, TITLE, rows)


if __name__ == "__main__":
    main()
