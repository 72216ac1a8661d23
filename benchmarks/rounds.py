"""Seconds and memory of a federated round: in this process, on TFF's worker, and plain Keras `fit`.

The job: the character RNN of the notebooks (Embedding 256, GRU 1024), 2 clients with 5 batches of
8 x 100 characters each, one round of weighted federated averaging. Each contender lives in a process
of its own; they take turns round by round, so that whatever else slows the machine slows all alike.

    python benchmarks/rounds.py               # the table
    python benchmarks/rounds.py --growth      # also rounds of 1 to 64 clients, in this process
"""

import argparse
import contextlib
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import psutil

import fedlab  # First of all: it chooses the Keras that TensorFlow loads.

ROOT = pathlib.Path(__file__).parent.parent
BATCHES, ROWS, CHARACTERS = 5, 8, 100
LEARNING_RATE = 0.5
SAMPLE_MEMORY_EVERY_S = 0.05

# What the runtime is meant to reach, as fractions of the other's.
TARGETS = {"time of TFF's worker": 0.5, "memory of TFF's worker": 0.55, "time of Keras fit": 0.75}


# --- The contenders, each in a process of its own ---------------------------------------------------


def client_data(client):
    """Five batches of random characters: ids int64 [8, 100], and the ids one further."""
    import numpy as np
    import tensorflow as tf

    ids = np.random.default_rng(client).integers(0, 86, [BATCHES * ROWS, CHARACTERS + 1])
    return tf.data.Dataset.from_tensor_slices((ids[:, :-1], ids[:, 1:])).batch(ROWS, drop_remainder=True)


def loss():
    import tensorflow as tf

    return tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def federated_rounds(use_runtime):
    """Makes a function that trains one round over the first n clients."""
    import tensorflow_federated as tff

    from fedlab.models.char_rnn import build_char_rnn

    use_runtime(tff)
    input_spec = client_data(0).element_spec

    def model_fn():
        return tff.learning.models.from_keras_model(build_char_rnn(ROWS), loss=loss(), input_spec=input_spec)

    process = tff.learning.algorithms.build_weighted_fed_avg(
        model_fn, client_optimizer_fn=tff.learning.optimizers.build_sgdm(LEARNING_RATE)
    )
    state = process.initialize()

    def next_round(clients):
        nonlocal state
        state = process.next(state, clients).state

    return next_round


def in_process():
    return federated_rounds(lambda tff: fedlab.runtime.use_in_process())


def tff_worker():
    # TFF's own way of starting it, for this is about TFF as it comes.
    return federated_rounds(lambda tff: tff.backends.native.set_sync_local_cpp_execution_context())


def keras_fit():
    import tensorflow as tf

    from fedlab.models.char_rnn import build_char_rnn

    model = build_char_rnn(ROWS)
    model.compile(tf.keras.optimizers.SGD(LEARNING_RATE), loss())

    def next_round(clients):
        for batches in clients:
            model.reset_states()
            model.fit(batches, verbose=0)

    return next_round


CONTENDERS = {"in process": in_process, "TFF's worker": tff_worker, "Keras fit": keras_fit}


def contend(name):
    """Trains a round for every line on standard input, a number of clients; answers with the seconds."""
    next_round, data = CONTENDERS[name](), {}
    print("ready", flush=True)
    for line in sys.stdin:
        clients = [data.setdefault(index, client_data(index)) for index in range(int(line))]
        started = time.perf_counter()
        next_round(clients)
        print(time.perf_counter() - started, flush=True)


# --- The measuring ----------------------------------------------------------------------------------


class Contender:
    """One contender's process and what was measured of it."""

    def __init__(self, name):
        """Starts the contender; it is ready when it has built its model."""
        self.seconds, self.peak_mb = [], 0
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (for as long as the process)
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--contender", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=ROOT,
        )
        self._ended = threading.Event()
        threading.Thread(target=self._watch_memory, daemon=True).start()
        self._read()

    def round(self, num_clients):
        """Has it train one round; returns the seconds."""
        self._process.stdin.write(f"{num_clients}\n")
        self._process.stdin.flush()
        return float(self._read())

    def _read(self):
        while line := self._process.stdout.readline():
            if line.strip() == "ready" or line[0].isdigit():
                return line
        self._errors.seek(0)
        reason = self._errors.read().decode(errors="replace")[-2000:]
        raise RuntimeError(f"The contender ended with status {self._process.wait()}:\n{reason}")

    def _watch_memory(self):
        while not self._ended.wait(SAMPLE_MEMORY_EVERY_S):
            with contextlib.suppress(psutil.NoSuchProcess):
                root = psutil.Process(self._process.pid)
                family = [root, *root.children(recursive=True)]
                self.peak_mb = max(self.peak_mb, sum(process.memory_info().rss for process in family) / 2**20)

    def close(self):
        """Ends the process and whatever it started."""
        self._ended.set()
        family = psutil.Process(self._process.pid).children(recursive=True)
        self._process.stdin.close()
        self._process.wait(timeout=60)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def measure(num_clients, num_rounds):
    """Seconds per round (median, the first round left out) and peak MB, by contender."""
    contenders = {name: Contender(name) for name in CONTENDERS}
    try:
        for round_ in range(num_rounds + 1):
            for contender in contenders.values():
                seconds = contender.round(num_clients)
                if round_ > 0:  # The first builds and optimizes graphs.
                    contender.seconds.append(seconds)
    finally:
        for contender in contenders.values():
            contender.close()
    return {
        name: {
            "seconds": statistics.median(contender.seconds),
            "fastest": min(contender.seconds),
            "peak_mb": contender.peak_mb,
        }
        for name, contender in contenders.items()
    }


def measure_growth(sizes=(1, 2, 4, 8, 16, 32, 64)):
    """Seconds of a round and peak MB so far, by number of clients, in this process."""
    contender = Contender("in process")
    try:
        contender.round(1)
        return {size: {"seconds": contender.round(size), "peak_mb": contender.peak_mb} for size in sizes}
    finally:
        contender.close()


def ratios(table):
    """The measured counterparts of TARGETS."""
    ours, worker, fit = (table[name] for name in CONTENDERS)
    return {
        "time of TFF's worker": ours["seconds"] / worker["seconds"],
        "memory of TFF's worker": ours["peak_mb"] / worker["peak_mb"],
        "time of Keras fit": ours["seconds"] / fit["seconds"],
    }


def report(result):
    """Prints the tables."""
    print(f"{'':14}{'s/round':>9}{'fastest':>9}{'peak MB':>9}")
    for name, row in result["contenders"].items():
        print(f"{name:14}{row['seconds']:9.2f}{row['fastest']:9.2f}{row['peak_mb']:9.0f}")
    for name, ratio in result["ratios"].items():
        verdict = "reached" if ratio <= TARGETS[name] else "missed"
        print(f"{ratio:.2f} x the {name} (target {TARGETS[name]}: {verdict})")
    if "growth" in result:
        print(f"\n{'clients':>7}{'s/round':>9}{'s/client':>10}{'peak MB':>9}")
        for size, row in result["growth"].items():
            print(f"{size:7}{row['seconds']:9.2f}{row['seconds'] / size:10.2f}{row['peak_mb']:9.0f}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--growth", action="store_true", help="rounds of 1 to 64 clients as well")
    parser.add_argument("--json", type=pathlib.Path, help="a file to write the figures to")
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contender:
        contend(arguments.contender)
        return
    table = measure(arguments.clients, arguments.rounds)
    result = {"contenders": table, "ratios": ratios(table)}
    if arguments.growth:
        result["growth"] = measure_growth()
    report(result)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
