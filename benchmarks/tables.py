"""The tables of what the benchmarks measured: `docs/benchmarks.md`, and README's short one.

Both are made from `measured.json` alone: rows in the common form (`rows.py`), each with the run that it is
from, and for each run its date, machine and versions. No figure is typed into a page.
"""

import dataclasses
import itertools
from collections.abc import Iterable, Mapping

from rows import Row, describe_reached, describe_value

BEGIN = "<!-- The figures below are made by `make bench`. -->"
END = "<!-- End of the figures. -->"
_FIGURES_IN_SHORT = 3
_ALLOWED = {field.name for field in dataclasses.fields(Row)}
_REQUIRED = {field.name for field in dataclasses.fields(Row) if field.default is dataclasses.MISSING}
_NOTHING_YET = "No figures yet: `make bench` takes them."


def check_form(name: str, result: object) -> None:
    """Raises ValueError unless a benchmark's result has the common form."""
    if not isinstance(result, dict) or not isinstance(result.get("title"), str) or "rows" not in result:
        raise ValueError(f"benchmarks/{name}.py wrote no {{'title': ..., 'rows': [...]}}.")
    for row in result["rows"]:
        if not _REQUIRED <= set(row) <= _ALLOWED:
            raise ValueError(f"benchmarks/{name}.py: {row} has not the fields of a row, {sorted(_ALLOWED)}.")
        if row["value"] is not None and not isinstance(row["value"], int | float):
            raise ValueError(f"benchmarks/{name}.py: {row['what']!r} is {row['value']!r}, not a number.")


def merge(earlier: Mapping, results: Mapping[str, Mapping], run_name: str, run: Mapping) -> dict:
    """What is known after a run: its figures, and earlier ones of what it left out.

    A benchmark that was not run stays as it was. In one that was run, a row without value is one that was
    not measured this time: it keeps its earlier figure and the run that this is from.

    Args:
      earlier: what this function returned before; {} at first.
      results: the common form of each benchmark that was run, by name.
      run_name: the run's date.
      run: the run's processor, cores, memory_gb and versions.

    Returns:
      {"benchmarks": {name: {"title", "rows"}}, "runs": {run_name: run}}; each row has its "run".
    """
    benchmarks, runs = dict(earlier.get("benchmarks", {})), dict(earlier.get("runs", {}))
    run_name = _name_apart(run_name, run, runs)
    runs[run_name] = dict(run)
    for name, result in results.items():
        before = {row["what"]: row for row in benchmarks.get(name, {}).get("rows", [])}
        rows = [_row_of(dataclasses.asdict(Row(**row)), before, run_name) for row in result["rows"]]
        benchmarks[name] = {"title": result["title"], "rows": rows}
    return {"benchmarks": benchmarks, "runs": _used(runs, benchmarks)}


def _row_of(row: dict, before: Mapping, run_name: str) -> dict:
    if row["value"] is not None:
        return row | {"run": run_name}
    return before.get(row["what"], row | {"run": None})


def _name_apart(run_name: str, run: Mapping, runs: Mapping) -> str:
    """The run's name, with a number where another run, on another machine say, has the name already."""
    names = itertools.chain([run_name], (f"{run_name} ({number})" for number in itertools.count(2)))
    return next(name for name in names if runs.get(name, run) == run)


def without(measured: Mapping, existing: Iterable[str]) -> dict:
    """What is known, less benchmarks that no longer exist."""
    existing = set(existing)
    benchmarks = {name: kept for name, kept in measured["benchmarks"].items() if name in existing}
    return {"benchmarks": benchmarks, "runs": _used(measured["runs"], benchmarks)}


def _used(runs: Mapping, benchmarks: Mapping) -> dict:
    """The runs that a figure is still from."""
    used = {row["run"] for benchmark in benchmarks.values() for row in benchmark["rows"]}
    return {name: runs[name] for name in sorted(runs) if name in used}


# --- The page -------------------------------------------------------------------------------------


def make_page(measured: Mapping) -> str:
    """The text of docs/benchmarks.md."""
    parts = [
        "# Benchmarks",
        "<!-- Made by `make bench` from benchmarks/measured.json: change nothing here. -->",
        "What is said about speed and memory, as measured. Ratios are between contenders that took turns in\n"
        "one run; seconds and megabytes depend on the machine.",
    ]
    if not measured.get("benchmarks"):
        return "\n\n".join([*parts, _NOTHING_YET]) + "\n"
    parts += ["## Where it was measured", _list_runs(measured["runs"])]
    for name, benchmark in measured["benchmarks"].items():
        parts += _section(name, benchmark, measured["runs"])
    parts += ["## To measure again", _commands(measured["benchmarks"])]
    return "\n\n".join(parts) + "\n"


def _list_runs(runs: Mapping) -> str:
    return "\n".join(f"- **{name}**: {describe_run(run)}" for name, run in runs.items())


def describe_run(run: Mapping) -> str:
    """The machine and the versions of a run, in one line."""
    versions = ", ".join(f"{package} {version}" for package, version in run["versions"].items())
    return f"{describe_machine(run)}; {versions}"


def describe_machine(run: Mapping) -> str:
    """ "AMD EPYC, AVX2, 2 cores, 23 GB of memory"."""
    cores = f"{run['cores']} core" + ("s" if run["cores"] != 1 else "")
    return f"{run['processor']}, {run['instructions']}, {cores}, {run['memory_gb']} GB of memory"


def _section(name: str, benchmark: Mapping, runs: Mapping) -> list[str]:
    dated = len(runs) > 1
    heads = ["what", "measured", "target", "reached", "note", *(["run"] if dated else [])]
    rows = [_cells(row, dated=dated) for row in benchmark["rows"]]
    return [
        f"## {benchmark['title']}",
        f"`make bench ARGS={name}`: {_count_reached(benchmark)}",
        _table(heads, rows),
    ]


def _cells(row: Mapping, *, dated: bool) -> list[str]:
    cells = [row["what"], describe_value(row["value"], row["unit"]), _target(row), _reached(row), row["note"]]
    return [*cells, row["run"] or ""] if dated else cells


def _target(row: Mapping) -> str:
    return "" if row["target"] is None else f"≤ {describe_value(row['target'], row['unit'])}"


def _reached(row: Mapping) -> str:
    return describe_reached(row["reached"])


def _count_reached(benchmark: Mapping) -> str:
    verdicts = [row["reached"] for row in benchmark["rows"] if row["reached"] is not None]
    if not verdicts:
        return "no targets"
    return f"{sum(verdicts)} of {len(verdicts)} target{'s' if len(verdicts) > 1 else ''} reached"


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(_escape(cell) for cell in line) + " |" for line in lines)


def _escape(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")


def _commands(benchmarks: Mapping) -> str:
    return "\n".join(
        [
            "```",
            "make bench                                  # everything but the peers",
            'make bench ARGS="--peers"                   # also PyTorch, Flower and FedJAX, from .venv-peers',
            f'make bench ARGS="{next(iter(benchmarks))} --peers"            # one of them; the others stay',
            "```",
        ]
    )


# --- README ---------------------------------------------------------------------------------------


def make_short(measured: Mapping) -> str:
    """README's short table: of each benchmark its first figures with a target."""
    if not measured.get("benchmarks"):
        return _NOTHING_YET
    rows = [
        [kept["title"], _first_figures(kept), _count_reached(kept)]
        for kept in measured["benchmarks"].values()
    ]
    machines = sorted({describe_machine(run) for run in measured["runs"].values()})
    where = f"Measured on: {'; '.join(machines)}. Everything: [docs/benchmarks.md](docs/benchmarks.md)."
    return "\n\n".join([_table(["", "measured", ""], rows), where])


def _first_figures(benchmark: Mapping) -> str:
    judged = [row for row in benchmark["rows"] if row["reached"] is not None] or benchmark["rows"]
    words = [f"{row['what']} {describe_value(row['value'], row['unit'])}" for row in judged]
    return "; ".join(words[:_FIGURES_IN_SHORT])


def with_short(text: str, measured: Mapping) -> str:
    """A README's text with the short table as it should be.

    Raises:
      ValueError: the marks are missing.
    """
    if BEGIN not in text or END not in text:
        raise ValueError(f"README.md lacks the lines {BEGIN!r} and {END!r}, between which the figures go.")
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    return f"{before}{BEGIN}\n\n{make_short(measured)}\n\n{END}{after}"
