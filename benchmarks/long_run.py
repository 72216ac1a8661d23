"""Whether a long run stays as light as it began: memory, open files and seconds of 200 rounds.

The job: rounds of 5 sampled clients with a GRU of 64 units, on fedlab's pocket dataset, or on a file in the
format of TFF's Shakespeare dataset (`shakespeare.sqlite.lzma`), which is served from this machine and loaded
as `load_shakespeare("tff")` would from the network. Clients have more or less text, so that rounds differ in
length: seconds are compared for each batch. Those of all cores together have the target: they stay the same
on a machine that does other work as well, where seconds on the clock do not.

    python benchmarks/long_run.py                                            # the pocket dataset
    python benchmarks/long_run.py --dataset .../shakespeare.sqlite.lzma      # TFF's format, full size
"""

import argparse
import contextlib
import functools
import gc
import http.server
import itertools
import os
import pathlib
import statistics
import tempfile
import threading
import time
import warnings
from collections.abc import Callable

import psutil

import fedlab  # Before TensorFlow: it chooses the Keras that TensorFlow loads.
from rows import Row, at_most, print_table, write_rows

TITLE = "Long runs"

CLIENTS_PER_ROUND = 5
RNN_UNITS = 64
# What the rounds after this one may add, as a fraction.
STEADY_FROM_ROUND = 10
GROWTH_TARGET_PERCENT = 5.0
WITH_TARGETS = {
    "resident memory": lambda one: one["resident_mb"],
    "open files": lambda one: one["open_files"],
    "seconds of all cores a batch": lambda one: one["cpu_seconds"] / one["batches"],
}
# On the clock, whatever else the machine does counts as well.
WITHOUT_TARGETS = {"seconds a batch": lambda one: one["seconds"] / one["batches"]}
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


def rows_of(rounds: list[dict], dataset: pathlib.Path | None) -> list[Row]:
    """The table: growth of each figure after the tenth round."""
    note = f"{len(rounds)} rounds, {'pocket dataset' if dataset is None else 'dataset in the format of TFF'}"
    return [
        *(_growth_row(what, of, rounds, note, GROWTH_TARGET_PERCENT) for what, of in WITH_TARGETS.items()),
        *(_growth_row(what, of, rounds, note, None) for what, of in WITHOUT_TARGETS.items()),
    ]


def _growth_row(
    what: str, of: Callable[[dict], float], rounds: list[dict], note: str, target: float | None
) -> Row:
    what = f"{what}, growth from round {STEADY_FROM_ROUND} on"
    grown = 100 * growth(rounds, of)
    note = f"{note}; {of(rounds[STEADY_FROM_ROUND - 1]):.3g} to {of(rounds[-1]):.3g}"
    return Row(what, grown, "%", note=note) if target is None else at_most(what, grown, "%", target, note)


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
        rounds = measure(arguments.dataset, arguments.rounds)
    rows = rows_of(rounds, arguments.dataset)
    print_table(TITLE, rows)
    if arguments.json:
        write_rows(arguments.json, TITLE, rows)


if __name__ == "__main__":
    main()
