"""The form in which each benchmark says what it measured: rows, printed as a table and written as JSON.

{"title": ..., "rows": [{"what", "value", "unit", "target", "reached", "note"}, ...]}
"""

import dataclasses
import json
import pathlib
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
      what: what was measured, in words.
      value: the figure; None if it was not measured this time, and an earlier figure stays.
      unit: "s", "MB", "x" for a ratio, ...
      target: the most that it should be; None where there is no target.
      reached: whether it is; None without target or value.
      note: what else a reader should know.
    """

    what: str
    value: float | None
    unit: str
    target: float | None = None
    reached: bool | None = None
    note: str = ""


def at_most(what: str, value: float | None, unit: str, target: float, note: str = "") -> Row:
    """A figure that should be no more than its target."""
    return Row(what, value, unit, target, None if value is None else value <= target, note)


def describe_value(value: float | None, unit: str) -> str:
    """A figure with its unit, to about three digits: "0.234 x", "4.77 s", "1,049 MB", "1.0e-05"."""
    if value is None:
        return "not measured"
    if 0 < abs(value) < 0.0001:
        return f"{value:.1e} {unit}".strip()
    digits = next(
        digits
        for digits, limit in ((4, 0.01), (3, 1), (2, 10), (1, 100), (0, float("inf")))
        if abs(value) < limit
    )
    return f"{value:,.{digits}f} {unit}".strip()


def describe_reached(reached: bool | None) -> str:
    """ "yes", "no", or nothing where there is no target."""
    return {True: "yes", False: "no", None: ""}[reached]


def print_table(title: str, rows: Sequence[Row]) -> None:
    """Prints the rows for a reader."""
    width = max((len(row.what) for row in rows), default=0)
    print(f"\n{title}\n{'':{width}}  {'value':>14}  {'target':>12}  reached")
    for row in rows:
        target = "" if row.target is None else f"<= {describe_value(row.target, row.unit)}"
        line = f"{row.what:{width}}  {describe_value(row.value, row.unit):>14}  {target:>12}  "
        print(f"{line}{describe_reached(row.reached):7}  {row.note}".rstrip())


def write_rows(path: str | pathlib.Path, title: str, rows: Sequence[Row]) -> None:
    """Writes the common form."""
    content = {"title": title, "rows": [dataclasses.asdict(row) for row in rows]}
    pathlib.Path(path).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
