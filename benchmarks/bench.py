"""Runs the benchmarks, prints one table, and writes docs/benchmarks.md and README's short form of it.

    make bench                              # everything; peers stay as they were
    make bench ARGS=--peers                 # also PyTorch, Flower and FedJAX
    make bench ARGS="rounds evaluation"     # some; the others stay as they were
    make bench ARGS=--from-latest           # measures nothing: writes the pages from the last results

Each benchmark's result is kept in benchmarks/latest as soon as it is there. The pages are written when all
that were asked for have ended well; until then they are as they were.
"""

import argparse
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

import psutil

import peer_environment
import tables
from contenders import ROOT, clean_environment
from fedlab.machine import read_cpu_flags
from rows import Row, print_table

FOLDER = ROOT / "benchmarks"
LATEST, MEASURED = FOLDER / "latest", FOLDER / "measured.json"
PAGE, README = ROOT / "docs" / "benchmarks.md", ROOT / "README.md"
# What the course's main job is about comes first, then all others by name.
FIRST = ("rounds", "cohort_memory")
PACKAGES = ("tensorflow", "tensorflow-federated", "tf-keras", "numpy")


def find_benchmarks() -> list[str]:
    """The names of the scripts that measure: those that take --json."""
    paths = [path for path in sorted(FOLDER.glob("*.py")) if path.name != pathlib.Path(__file__).name]
    names = [path.stem for path in paths if takes(path, "--json")]
    return [*(name for name in FIRST if name in names), *(name for name in names if name not in FIRST)]


def takes(path: pathlib.Path, option: str) -> bool:
    """Whether a script takes an option."""
    return f'"{option}"' in path.read_text(encoding="utf-8")


# --- Running --------------------------------------------------------------------------------------


def run_all(names: list[str], *, with_peers: bool) -> list[str]:
    """Runs benchmarks one after another; returns the names of those that failed."""
    try:
        return [name for name in names if not run(name, with_peers=with_peers)]
    except KeyboardInterrupt:
        sys.exit("\nInterrupted: docs/benchmarks.md and README.md are as they were.")


def run(name: str, *, with_peers: bool) -> bool:
    """Runs a benchmark, which prints as it goes, and keeps its result; whether it ended well."""
    script, part = FOLDER / f"{name}.py", LATEST / f"{name}.new.json"
    LATEST.mkdir(exist_ok=True)
    part.unlink(missing_ok=True)
    print(f"\n== benchmarks/{name}.py", flush=True)
    peers = ["--peers"] if with_peers and takes(script, "--peers") else []
    command = [sys.executable, str(script), "--json", str(part), *peers]
    status = subprocess.run(command, cwd=ROOT, env=clean_environment()).returncode
    if status or not part.exists():
        print(f"benchmarks/{name}.py failed: it ended with status {status}, see above.", file=sys.stderr)
        return False
    try:
        result = json.loads(part.read_text(encoding="utf-8"))
        tables.check_form(name, result)
    except ValueError as error:
        print(f"benchmarks/{name}.py failed: {error}", file=sys.stderr)
        return False
    write(
        LATEST / f"{name}.json", json.dumps({"run": describe_this_run(), "result": result}, indent=2) + "\n"
    )
    part.unlink()
    return True


def describe_this_run() -> dict:
    """When and where something was measured."""
    now = datetime.datetime.now(datetime.UTC)
    memory_gb = round(psutil.virtual_memory().total / 2**30)
    return {
        "name": f"{now:%Y-%m-%d}",
        "processor": read_processor(),
        "instructions": read_instructions(read_cpu_flags(pathlib.Path("/proc/cpuinfo"))),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": memory_gb,
        "versions": read_versions(),
    }


def read_processor() -> str:
    """The processor's name, as the system has it."""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    found = {
        key: re.search(rf"^{key}\s*: (.*)$", text, re.MULTILINE)
        for key in ("model name", "cpu family", "model")
    }
    if not found["model name"]:
        return platform.processor() or platform.machine()
    name = " ".join(found["model name"].group(1).split())
    if not (found["cpu family"] and found["model"]):
        return name
    return f"{name} (family {found['cpu family'].group(1)}, model {found['model'].group(1)})"


def read_instructions(flags: frozenset | None) -> str:
    """The widest vector instructions among a processor's flags."""
    for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2"), ("avx", "AVX")):
        if flag in (flags or ()):
            return name
    return "no AVX"


def read_versions() -> dict[str, str]:
    """The versions that figures depend on."""
    versions = {"Python": platform.python_version()}
    versions |= {package: importlib.metadata.version(package) for package in PACKAGES}
    return versions | peer_environment.versions_of_peers()


# --- Writing --------------------------------------------------------------------------------------


def read_measured() -> dict:
    """What the pages are made from."""
    return json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}


def add_latest(names: list[str]) -> dict:
    """What is known with the latest results of these benchmarks."""
    measured = read_measured()
    for name in names:
        kept = json.loads((LATEST / f"{name}.json").read_text(encoding="utf-8"))
        measured = tables.merge(measured, {name: kept["result"]}, kept["run"].pop("name"), kept["run"])
    ordered = find_benchmarks()
    measured = tables.without(measured, ordered)
    benchmarks = measured["benchmarks"]
    return measured | {"benchmarks": {name: benchmarks[name] for name in ordered if name in benchmarks}}


def write_pages(measured: dict) -> None:
    """Writes measured.json, docs/benchmarks.md and README's table."""
    readme = tables.with_short(README.read_text(encoding="utf-8"), measured)
    write(MEASURED, json.dumps(measured, indent=1, ensure_ascii=False) + "\n")
    write(PAGE, tables.make_page(measured))
    write(README, readme)


def write(path: pathlib.Path, text: str) -> None:
    """Writes a file whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def print_measured(measured: dict, names: list[str]) -> None:
    """Prints one table with everything."""
    fields = Row.__dataclass_fields__
    for name in names:
        benchmark = measured["benchmarks"][name]
        rows = [Row(**{key: row[key] for key in fields}) for row in benchmark["rows"]]
        print_table(benchmark["title"], rows)


def main() -> None:
    """Measures, prints and writes."""
    existing = find_benchmarks()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(existing)}")
    parser.add_argument("--peers", action="store_true", help="also PyTorch, Flower and FedJAX")
    parser.add_argument("--from-latest", action="store_true", help="write the pages without measuring")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in existing]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}: choose from {', '.join(existing)}.")
    names = arguments.names or existing
    if arguments.from_latest:
        names = [name for name in names if (LATEST / f"{name}.json").exists()]
    else:
        if arguments.peers:
            peer_environment.python_of_peers()
        failed = run_all(names, with_peers=arguments.peers)
        if failed:
            sys.exit(
                f"Failed: {', '.join(failed)}. docs/benchmarks.md and README.md are as they were.\n"
                f'Run it again with make bench ARGS="{" ".join(failed)}"; what ended well is kept in '
                "benchmarks/latest, and make bench ARGS=--from-latest writes the pages from there."
            )
    measured = add_latest(names)
    print_measured(measured, names)
    write_pages(measured)
    print("\nWritten: docs/benchmarks.md, README.md, benchmarks/measured.json")


if __name__ == "__main__":
    main()
