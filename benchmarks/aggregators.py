"""Seconds and memory of the robust and sparse aggregators, beyond those of a plain mean.

The job: updates of the Dickens model (4 million numbers) of 10 clients, aggregated in this process. The
updates are prepared before; only `process.next` is timed. Each aggregator lives in a process of its own;
they take turns, so that whatever else slows the machine slows all alike. The first aggregation also builds
and optimizes graphs; its seconds are told by themselves. It takes about a minute.

    python benchmarks/aggregators.py              # the table
    python benchmarks/aggregators.py --rounds 10
"""

import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import fedlab  # noqa: F401  (first of all: it makes the import of TFF work)

ROOT = pathlib.Path(__file__).parent.parent
# Embedding, the GRU's kernels and biases, the output layer's kernel and biases.
SHAPES = ((86, 256), (256, 3072), (1024, 3072), (2, 3072), (1024, 86), (86,))
NUM_CLIENTS = 10
MOST_SECONDS_MORE, MOST_MB_MORE = 0.5, 300
MEAN = "mean"


# --- One aggregator, in a process of its own --------------------------------------------------------


def factories():
    """Makes each factory, by name."""
    import tensorflow_federated as tff

    from fedlab import aggregators

    mean = tff.aggregators.UnweightedMeanFactory()
    return {
        MEAN: mean,
        "median": aggregators.CoordinateMedianFactory(),
        "trimmed mean": aggregators.TrimmedMeanFactory(0.1),
        "top-k": aggregators.TopKFactory(mean),
    }


NAMES = (MEAN, "median", "trimmed mean", "top-k")


def client_updates():
    """For each client, an update of the model: float32 arrays."""
    import numpy as np

    generator = np.random.default_rng(1)
    return [
        [0.01 * generator.standard_normal(shape, dtype=np.float32) for shape in SHAPES]
        for _ in range(NUM_CLIENTS)
    ]


def aggregate(name):
    """Aggregates once for every line on standard input; answers with seconds and the peak MB until then."""
    import numpy as np
    import tensorflow_federated as tff

    value_type = tff.to_type([(np.float32, shape) for shape in SHAPES])
    process = factories()[name].create(value_type)
    state, updates = process.initialize(), client_updates()
    _answer(ready=True)
    for _ in sys.stdin:
        started, cpu_started = time.perf_counter(), time.process_time()
        output = process.next(state, updates)
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        state = output.state
        del output
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
        _answer(seconds=seconds, cpu_seconds=cpu_seconds, peak_mb=peak_mb)


def _answer(**figures):
    print(json.dumps(figures), flush=True)


# --- The measuring ----------------------------------------------------------------------------------


class Aggregator:
    """One aggregator's process and what was measured of it."""

    def __init__(self, name):
        """Starts the process."""
        self.measured = []  # of every aggregation
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (for as long as the process)
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--aggregator", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=ROOT,
        )

    def wait_until_ready(self):
        """Returns when the updates are there and it can aggregate."""
        self._read()

    def aggregate(self):
        """Has it aggregate once."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self.measured.append(self._read())

    def _read(self):
        while line := self._process.stdout.readline():
            if line.startswith("{"):
                return json.loads(line)
        self._errors.seek(0)
        reason = self._errors.read().decode(errors="replace")[-2000:]
        raise RuntimeError(f"The aggregator ended with status {self._process.wait()}:\n{reason}")

    def close(self):
        """Ends the process."""
        self._process.stdin.close()
        self._process.wait(timeout=60)


def measure(num_rounds):
    """By aggregator: seconds of the first aggregation, medians of the later ones, and the peak MB of all."""
    aggregators = {name: Aggregator(name) for name in NAMES}
    try:
        for aggregator in aggregators.values():
            aggregator.wait_until_ready()
        for _ in range(num_rounds + 1):
            for aggregator in aggregators.values():
                aggregator.aggregate()
    finally:
        for aggregator in aggregators.values():
            aggregator.close()
    return {name: _summary(aggregator.measured) for name, aggregator in aggregators.items()}


def _summary(measured):
    first, *later = measured
    return {
        "first": first["seconds"],
        "seconds": statistics.median(one["seconds"] for one in later),
        "fastest": min(one["seconds"] for one in later),
        "cpu_seconds": statistics.median(one["cpu_seconds"] for one in later),
        "peak_mb": measured[-1]["peak_mb"],
    }


def rows(table):
    """The figures, and what they are meant to reach, in the form that all benchmarks share."""
    mean = table[MEAN]
    found = [_row(f"{name}: one aggregation", row["seconds"], "s") for name, row in table.items()]
    found += [_row(f"{name}: the first aggregation", row["first"], "s") for name, row in table.items()]
    for name in NAMES[1:]:
        seconds_more = table[name]["seconds"] - mean["seconds"]
        mb_more = table[name]["peak_mb"] - mean["peak_mb"]
        found.append(_row(f"{name}: more than a mean", seconds_more, "s", MOST_SECONDS_MORE))
        found.append(_row(f"{name}: peak memory more than a mean", mb_more, "MB", MOST_MB_MORE))
    return found


def _row(what, value, unit, target=None):
    reached = None if target is None else value <= target
    note = f"{NUM_CLIENTS} clients, 4 million numbers each"
    return {"what": what, "value": value, "unit": unit, "target": target, "reached": reached, "note": note}


def report(table, figures):
    """Prints the tables."""
    print(f"{'':14}{'first s':>9}{'then s':>8}{'fastest':>9}{'CPU s':>7}{'peak MB':>9}")
    for name, row in table.items():
        seconds = f"{row['first']:9.2f}{row['seconds']:8.2f}{row['fastest']:9.2f}{row['cpu_seconds']:7.2f}"
        print(f"{name:14}{seconds}{row['peak_mb']:9.0f}")
    for row in figures:
        if row["target"] is not None:
            verdict = "reached" if row["reached"] else "missed"
            target = f"at most {row['target']} {row['unit']}: {verdict}"
            print(f"{row['what']}: {row['value']:.2f} {row['unit']} ({target})")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path, help="a file to write the figures to")
    parser.add_argument("--aggregator", choices=NAMES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.aggregator:
        aggregate(arguments.aggregator)
        return
    if arguments.rounds < 1:
        parser.error(f"--rounds {arguments.rounds}: give at least 1.")
    table = measure(arguments.rounds)
    figures = rows(table)
    report(table, figures)
    if arguments.json:
        result = {"title": "Aggregators beyond a plain mean", "rows": figures}
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
