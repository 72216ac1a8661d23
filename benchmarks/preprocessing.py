"""Seconds from a client's speeches to training batches: ours beside the pipeline of TFF's tutorial.

Both start from the same ClientData and end with every batch read, as one array; both shuffle with the same
seed, and the arrays must be equal. The tutorial's pipeline is written here as TFF's text-generation tutorial
has it, in plain tf.data: characters are split and looked up one by one. The contenders take turns. A user of
fedlab comes by `run_rounds`, which reads text in NumPy; `make_batches` does the same to a tf.data.Dataset.

    python benchmarks/preprocessing.py
"""

import argparse
import pathlib
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np

import fedlab  # Before TensorFlow: it chooses the Keras that TensorFlow loads.
from contenders import median_ratio, take_turns
from fedlab import vocabulary
from rows import Row, at_most, print_table, write_rows

TITLE = "Preprocessing"
TUTORIAL, OURS = "the tutorial's pipeline", ("run_rounds", "make_batches")
TIME_TARGET = 0.1
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
        TUTORIAL: lambda one: tutorial(clients.create_tf_dataset_for_client(one)),
        "run_rounds": lambda one: preprocess_clients(clients, [one]).batches(one, shuffle_seed=SEED),
        "make_batches": lambda one: make_batches(
            clients.create_tf_dataset_for_client(one), shuffle_seed=SEED
        ),
    }


def time_in_turns(functions: dict[str, Callable], turns: int) -> dict[str, list[float]]:
    """Seconds of each in each turn; the results must be equal."""
    results = {}

    def timed(name: str, function: Callable) -> Callable[[], float]:
        def once() -> float:
            started = time.perf_counter()
            results[name] = function()
            return time.perf_counter() - started

        return once

    seconds = take_turns({name: timed(name, function) for name, function in functions.items()}, turns)
    for name in OURS:
        np.testing.assert_array_equal(results[name], results[TUTORIAL], err_msg=name)
    return seconds


def measure_client(clients, client_id: str, turns: int) -> dict[str, list[float]]:
    """Seconds from one client's speeches to all of its batches, by contender."""
    num_batches = len(clients.text(client_id)) // 101 // 8
    return time_in_turns(
        {
            name: lambda make=make: read_all(make(client_id), num_batches)
            for name, make in contenders(clients).items()
        },
        turns,
    )


def measure_inside_tff(clients, client_id: str, turns: int) -> dict[str, list[float]]:
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
    tutorial = makers[TUTORIAL]
    makers[TUTORIAL] = lambda one: as_tff_wants(tutorial(one))
    return time_in_turns(
        {name: lambda make=make: add_up(make(client_id)) for name, make in makers.items()}, turns
    )


def measure_many(turns: int) -> tuple[dict[str, list[float]], list[float]]:
    """For a federation of 700: seconds a client of some of them; and of finding out who of all can train."""
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
    for _ in range(turns):
        started = time.perf_counter()
        found = preprocess_clients(clients)
        seconds.append(time.perf_counter() - started)
    ids = [report.client_id for report in found.trainable]
    timed = ids[:: len(ids) // NUM_TIMED][:NUM_TIMED]
    by_client = [measure_client(clients, client_id, 1) for client_id in timed]
    return {name: [one[name][0] for one in by_client] for name in by_client[0]}, seconds


def ratio_rows(what: str, seconds: dict[str, list[float]], target: float | None = TIME_TARGET) -> list[Row]:
    """What fraction of the tutorial's time each of ours takes."""
    return [_ratio_row(f"{what}, {name}", seconds[name], seconds[TUTORIAL], target) for name in OURS]


def _ratio_row(what: str, ours: list[float], tutorials: list[float], target: float | None) -> Row:
    ratio = median_ratio(ours, tutorials)
    note = f"{_milliseconds(ours):.1f} ms against {_milliseconds(tutorials):.1f} ms"
    return Row(what, ratio, "x", note=note) if target is None else at_most(what, ratio, "x", target, note)


def _milliseconds(seconds: list[float]) -> float:
    return 1000 * statistics.median(seconds)


def measure(turns: int) -> list[Row]:
    """The table."""
    from fedlab.datasets.federated_text import from_speeches

    train, _ = fedlab.load_shakespeare()
    hamlet = train.speeches("HAMLET_HAMLET")
    times = -(-LARGE_CLIENT_CHARS // sum(map(len, hamlet)))
    large = from_speeches({"LARGE": [speech + "\n" for _ in range(times) for speech in hamlet]})
    many, who_can_train = measure_many(turns)
    return [
        *ratio_rows("client of 200 KB", measure_client(large, "LARGE", turns)),
        *ratio_rows("HAMLET_HAMLET", measure_client(train, "HAMLET_HAMLET", turns)),
        *ratio_rows(f"one of {NUM_CLIENTS} clients", many),
        *ratio_rows("HAMLET_HAMLET, read by TFF", measure_inside_tff(train, "HAMLET_HAMLET", turns), None),
        Row(f"who of {NUM_CLIENTS} clients can train", _milliseconds(who_can_train), "ms"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=3, help="kept of each contender, after a first one")
    parser.add_argument("--json", type=pathlib.Path, help="a file to write the figures to")
    arguments = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of clients that are too small.
        rows = measure(arguments.turns)
    print_table(TITLE, rows)
    if arguments.json:
        write_rows(arguments.json, TITLE, rows)


if __name__ == "__main__":
    main()
