"""Whether a long run stays as light as it began: memory, open files and seconds of 200 rounds.

The job: rounds of 5 sampled clients with a GRU of 64 units, on fedlab's pocket dataset, or on a file in the
format of TFF's Shakespeare dataset (`shakespeare.sqlite.lzma`), which is served from this machine and loaded
as `load_shakespeare("tff")` would from the network. Clients have more or less text, so that rounds differ in
length: seconds are compared for each batch, on the clock and of all cores together. On a machine that others
use too, only the latter say something.

    python benchmarks/long_run.py                                            # the pocket dataset
    python benchmarks/long_run.py --dataset .../shakespeare.sqlite.lzma      # TFF's format, full size
"""

import argparse
import contextlib
import functools
import gc
import http.server
import itertools
import json
import os
import pathlib
import platform
import statistics
import tempfile
import threading
import time
import warnings

import psutil

import fedlab  # First of all: it chooses the Keras that TensorFlow loads.

CLIENTS_PER_ROUND = 5
RNN_UNITS = 64
# What the rounds after this one may add, as a fraction.
STEADY_FROM_ROUND = 10
MOST_GROWTH = 0.05
# The beginning and the end are each compared by the median of so many rounds.
ROUNDS_COMPARED = 40


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments) -> None:
        pass


@contextlib.contextmanager
def served(path: pathlib.Path):
    """Serves a file's folder on this machine, and names it as the place to download from."""
    handler = functools.partial(_QuietHandler, directory=str(path.parent))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["FEDLAB_MIRROR"] = f"http://127.0.0.1:{server.server_port}"
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def load(dataset: pathlib.Path | None):
    """The training clients of a file in TFF's format, or of the pocket dataset."""
    if dataset is None:
        return fedlab.load_shakespeare()[0]
    with served(dataset), tempfile.TemporaryDirectory() as folder:
        train, _ = fedlab.load_shakespeare("tff", cache_dir=folder)
        train.text(train.client_ids[0])  # Reads the file, which is gone with the folder.
        return train


def start(keras_model):
    import tensorflow_federated as tff

    process = tff.learning.algorithms.build_weighted_fed_avg(
        fedlab.make_model_fn(keras_model),
        client_optimizer_fn=tff.learning.optimizers.build_sgdm(0.3),
        server_optimizer_fn=tff.learning.optimizers.build_sgdm(1.0),
    )
    return fedlab.start_server(process, keras_model)


def measure(dataset: pathlib.Path | None, num_rounds: int) -> list[dict]:
    """One row a round: seconds on the clock and of all cores, batches, resident MB, open files, threads."""
    from fedlab.models.char_rnn import build_char_rnn

    clients, this = load(dataset), psutil.Process()
    server = start(build_char_rnn(8, rnn_units=RNN_UNITS, seed=1))
    rounds = fedlab.run_rounds(server, clients, num_rounds, clients_per_round=CLIENTS_PER_ROUND, seed=1)
    rows = []
    for number in itertools.count(1):
        started, cpu_started = time.perf_counter(), time.process_time()
        record = next(rounds, None)
        if record is None:
            return rows
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        gc.collect()  # What waits for the garbage collector is no growth.
        rows.append(
            {
                "round": number,
                "seconds": seconds,
                "cpu_seconds": cpu_seconds,
                "batches": record.num_batches,
                "resident_mb": this.memory_info().rss / 2**20,
                "open_files": this.num_fds(),
                "threads": this.num_threads(),
            }
        )
        if number in (1, STEADY_FROM_ROUND) or number % 20 == 0:
            print(_line(rows[-1]), flush=True)


def _line(row: dict) -> str:
    per_batch = [1000 * row[seconds] / row["batches"] for seconds in ("seconds", "cpu_seconds")]
    return (
        f"{row['round']:6}{row['seconds']:9.2f}{row['batches']:9}{per_batch[0]:10.1f}{per_batch[1]:10.1f}"
        f"{row['resident_mb']:9.0f}{row['open_files']:7}{row['threads']:9}"
    )


def growth(rows: list[dict], of) -> float:
    """How much more the last rounds have than those from the tenth on, as a fraction: medians."""
    steady = rows[STEADY_FROM_ROUND - 1 :]
    compared = min(ROUNDS_COMPARED, len(steady) // 2)
    first, last = (statistics.median(map(of, part)) for part in (steady[:compared], steady[-compared:]))
    return last / first - 1


def report(rows: list[dict], dataset: pathlib.Path | None) -> dict:
    """The rows of the common form: growth of each figure after the tenth round."""
    figures = {
        "resident memory": lambda row: row["resident_mb"],
        "open files": lambda row: row["open_files"],
        "seconds a batch": lambda row: row["seconds"] / row["batches"],
        "seconds of all cores a batch": lambda row: row["cpu_seconds"] / row["batches"],
    }
    note = f"{len(rows)} rounds, {'pocket dataset' if dataset is None else 'dataset in the format of TFF'}"
    found = []
    for what, of in figures.items():
        grown = growth(rows, of)
        found.append(
            {
                "what": f"{what}: growth from round {STEADY_FROM_ROUND} to the last",
                "value": 100 * grown,
                "unit": "%",
                "target": 100 * MOST_GROWTH,
                "reached": grown <= MOST_GROWTH,
                "note": f"{note}; {of(rows[STEADY_FROM_ROUND - 1]):.3g} to {of(rows[-1]):.3g}",
            }
        )
    return {"title": "Long runs", "rows": found}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", type=pathlib.Path, help="a shakespeare.sqlite.lzma in TFF's format")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", type=pathlib.Path, help="a file to write the figures to")
    arguments = parser.parse_args()
    if arguments.rounds < 2 * STEADY_FROM_ROUND:
        parser.error(f"--rounds {arguments.rounds}: at least {2 * STEADY_FROM_ROUND} are needed to compare.")
    timed = f"{'s':>9}{'batches':>9}{'ms/batch':>10}{'of cores':>10}"
    print(f"{'round':>6}{timed}{'MB':>9}{'files':>7}{'threads':>9}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of clients that are too small.
        rows = measure(arguments.dataset, arguments.rounds)
    result = report(rows, arguments.dataset)
    for row in result["rows"]:
        verdict = "reached" if row["reached"] else "missed"
        print(f"{row['what']}: {row['value']:+.1f} % (target {row['target']:.0f} %: {verdict})")
    print(f"on {platform.processor() or platform.machine()}, {os.cpu_count()} CPUs")
    if arguments.json:
        arguments.json.write_text(json.dumps(result | {"rounds": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
