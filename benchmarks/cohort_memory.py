"""Peak memory and seconds of a round by the number of its clients, from 1 to 64, in this process.

The job of `rounds.py`. Each size has a process of its own, since a process's peak only grows.

    python benchmarks/cohort_memory.py                      # 1 to 64 clients
    python benchmarks/cohort_memory.py --clients 4 16       # some sizes
"""

import argparse
import pathlib
import sys
import tempfile

import job
from contenders import ROOT, Answer, Contender
from rows import Row, at_most, print_table, write_rows

TITLE = "Memory of a cohort"
SIZES = (1, 2, 4, 8, 16, 32, 64)
SMALL, LARGE, TARGET = 4, 64, 1.15


def measure(size: int, path: pathlib.Path) -> tuple[Answer, float]:
    """A round of `size` clients, after one of a single client, and the peak MB of both."""
    with Contender(ROOT / "benchmarks" / "federated.py", "in_process", str(path)) as contender:
        contender.call("train_round", 1)  # Builds and optimizes graphs.
        return contender.call("train_round", size), contender.peak_mb


def rows_of(measured: dict[int, tuple[float, float]]) -> list[Row]:
    """The table, from (seconds of the round, peak MB) by number of clients."""
    rows = []
    for size, (seconds, peak_mb) in measured.items():
        note = f"a round takes {seconds:.1f} s, {seconds / size:.2f} s a client"
        rows.append(Row(f"peak memory, {size} client{'s' if size > 1 else ''}", peak_mb, "MB", note=note))
    growth = None
    if SMALL in measured and LARGE in measured:
        growth = measured[LARGE][1] / measured[SMALL][1]
    return [*rows, at_most(f"{LARGE} clients against {SMALL}", growth, "x", TARGET)]


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, nargs="+", default=SIZES, metavar="N", help="sizes of cohorts")
    parser.add_argument("--json", type=pathlib.Path, help="a file to write the figures to")
    arguments = parser.parse_args()
    measured = {}
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "job.npz"
        job.write_job(job.make_job(max(arguments.clients)), path)
        for size in arguments.clients:
            answer, peak_mb = measure(size, path)
            measured[size] = (answer.seconds, peak_mb)
            print(f"{size} clients: {answer.seconds:.1f} s, {peak_mb:.0f} MB", file=sys.stderr, flush=True)
    rows = rows_of(measured)
    print_table(TITLE, rows)
    if arguments.json:
        write_rows(arguments.json, TITLE, rows)


if __name__ == "__main__":
    main()
