"""Seconds from a client's speeches to training batches: ours beside the pipeline of TFF's tutorial.

Both start from the same ClientData and end with every batch read, as one array; both shuffle with the same
seed, and the arrays must be equal. The tutorial's pipeline is written here as TFF's text-generation tutorial
has it, in plain tf.data: characters are split and looked up one by one. The contenders take turns.

    python benchmarks/preprocessing.py
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np

import fedlab  # First of all: it chooses the Keras that TensorFlow loads.
from fedlab import vocabulary

TIMES_FASTER = 10
SEED = 1
LARGE_CLIENT_CHARS = 200_000
NUM_CLIENTS = 700
# Of the many clients, the tutorial's way is timed for so many: all would take minutes.
NUM_TIMED = 10


def make_tutorial() -> Callable:
    """The tutorial's preprocessing: a function from a dataset of snippets to one of batches."""
    import tensorflow as tf

    ids = tf.lookup.KeyValueTensorInitializer(
        tf.constant(list(vocabulary.CHARACTERS)), tf.range(len(vocabulary.CHARACTERS), dtype=tf.int64)
    )
    table = tf.lookup.StaticVocabularyTable(ids, num_oov_buckets=1)

    def to_ids(example):
        return table.lookup(tf.strings.bytes_split(tf.reshape(example["snippets"], shape=[1])).values)

    def split_input_target(chunk):
        return tf.map_fn(lambda x: x[:-1], chunk), tf.map_fn(lambda x: x[1:], chunk)

    def preprocess(snippets):
        windows = snippets.map(to_ids).unbatch().batch(101, drop_remainder=True)
        shuffled = windows.shuffle(10_000, seed=SEED)
        return shuffled.batch(8, drop_remainder=True).map(split_input_target)

    return preprocess


def read_all(batches, num_batches: int) -> np.ndarray:
    """All batches in one array [2, batches, 8, 100]: one step from TensorFlow to Python."""
    return np.stack([part.numpy() for part in next(iter(batches.batch(num_batches)))])


def contenders(clients) -> dict[str, Callable[[str], object]]:
    """By name: functions from a client's id to its dataset of batches."""
    from fedlab.datasets.preprocessed_clients import preprocess_clients
    from fedlab.datasets.sequences import make_batches

    tutorial = make_tutorial()
    return {
        "tutorial": lambda one: tutorial(clients.create_tf_dataset_for_client(one)),
        "make_batches": lambda one: make_batches(
            clients.create_tf_dataset_for_client(one), shuffle_seed=SEED
        ),
        "run_rounds": lambda one: preprocess_clients(clients, [one]).batches(one, shuffle_seed=SEED),
    }


def time_in_turns(functions: dict[str, Callable], repeats: int) -> dict[str, float]:
    """Seconds of each, the smallest of its turns; the results must be equal."""
    seconds = {name: [] for name in functions}
    for _ in range(repeats + 1):
        results = []
        for name, function in functions.items():
            started = time.perf_counter()
            results.append(function())
            seconds[name].append(time.perf_counter() - started)
        for result in results[1:]:
            np.testing.assert_array_equal(result, results[0])
    return {name: min(turns[1:]) for name, turns in seconds.items()}  # The first warms up.


def measure_client(clients, client_id: str, repeats: int) -> dict[str, float]:
    """Seconds from one client's speeches to all of its batches, by contender."""
    num_batches = len(clients.text(client_id)) // 101 // 8
    return time_in_turns(
        {
            name: lambda make=make: read_all(make(client_id), num_batches)
            for name, make in contenders(clients).items()
        },
        repeats,
    )


def measure_inside_tff(clients, client_id: str, repeats: int) -> dict[str, float]:
    """The same, read by a TFF computation that gets the dataset as its argument."""
    import tensorflow_federated as tff

    from fedlab.datasets.sequences import element_spec

    batch = tuple(tff.TensorType(spec.dtype.as_numpy_dtype, spec.shape) for spec in element_spec())

    @tff.tensorflow.computation(tff.SequenceType(batch))
    def add_up(batches):
        import tensorflow as tf

        return batches.reduce(np.int64(0), lambda total, xy: total + tf.reduce_sum(xy[0] * xy[1]))

    def as_tff_wants(batches):
        import tensorflow as tf

        shape = [8, 100]  # map_fn of the tutorial's forgets it.
        return batches.map(lambda x, y: (tf.ensure_shape(x, shape), tf.ensure_shape(y, shape)))

    makers = contenders(clients)
    tutorial = makers["tutorial"]
    makers["tutorial"] = lambda one: as_tff_wants(tutorial(one))
    return time_in_turns(
        {name: lambda make=make: add_up(make(client_id)) for name, make in makers.items()}, repeats
    )


def measure_many(repeats: int) -> dict[str, float]:
    """Seconds a client, for a federation of 700; and of finding out who of them can train."""
    from fedlab.datasets.federated_text import from_speeches
    from fedlab.datasets.preprocessed_clients import preprocess_clients
    from fedlab.datasets.shakespeare import read_pocket_speeches

    speeches = [speech for role in read_pocket_speeches().values() for speech in role]
    many = {
        f"CLIENT_{number:03}": [speeches[(7 * number + k) % len(speeches)] for k in range(number % 60)]
        for number in range(NUM_CLIENTS)
    }
    clients = from_speeches(many)
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        found = preprocess_clients(clients)
        seconds.append(time.perf_counter() - started)
    ids = [report.client_id for report in found.trainable]
    timed = ids[:: len(ids) // NUM_TIMED][:NUM_TIMED]
    by_client = [measure_client(clients, client_id, 1) for client_id in timed]
    means = {name: statistics.mean(one[name] for one in by_client) for name in by_client[0]}
    return means | {"who can train": min(seconds)}


def row(what: str, value: float, unit: str, target: float | None = None, note: str = "") -> dict:
    reached = None if target is None else value >= target
    return {"what": what, "value": value, "unit": unit, "target": target, "reached": reached, "note": note}


def speed_rows(what: str, seconds: dict[str, float], targeted: bool = True) -> list[dict]:
    """How many times faster than the tutorial's pipeline each of ours is."""
    note = ", ".join(f"{name} {1000 * seconds[name]:.1f} ms" for name in seconds if name != "who can train")
    return [
        row(
            f"{what}, {name}",
            seconds["tutorial"] / seconds[name],
            "x the tutorial's speed",
            TIMES_FASTER if targeted else None,
            note,
        )
        for name in ("run_rounds", "make_batches")
    ]


def measure(repeats: int) -> dict:
    """All rows, in the common form."""
    from fedlab.datasets.federated_text import from_speeches

    train, _ = fedlab.load_shakespeare()
    hamlet = train.speeches("HAMLET_HAMLET")
    times = -(-LARGE_CLIENT_CHARS // sum(map(len, hamlet)))
    large = from_speeches({"LARGE": [speech + "\n" for _ in range(times) for speech in hamlet]})
    many = measure_many(repeats)
    rows = [
        *speed_rows("client of 200 KB", measure_client(large, "LARGE", repeats)),
        *speed_rows("HAMLET_HAMLET", measure_client(train, "HAMLET_HAMLET", repeats)),
        *speed_rows(f"one of {NUM_CLIENTS} clients", many),
        *speed_rows("HAMLET_HAMLET, read by TFF", measure_inside_tff(train, "HAMLET_HAMLET", repeats), False),
        row(f"who of {NUM_CLIENTS} clients can train", 1000 * many["who can train"], "ms"),
    ]
    return {"title": "Preprocessing", "rows": rows}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", type=pathlib.Path, help="a file to write the figures to")
    arguments = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of clients that are too small.
        result = measure(arguments.repeats)
    for one in result["rows"]:
        verdict = {True: "reached", False: "missed", None: ""}[one["reached"]]
        print(f"{one['what']:42}{one['value']:8.1f} {one['unit']:24}{verdict:9}{one['note']}")
    print(f"on {platform.processor() or platform.machine()}, {os.cpu_count()} CPUs")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
