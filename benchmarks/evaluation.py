"""Seconds and memory of evaluating the Dickens model on the held-out text of all pocket clients.

Three contenders, each in a process of its own, take turns: fedlab's evaluation; what fedlab did before
(batches of 8 windows through the Keras model, with Python between them); and Keras's `model.evaluate`, which
does not tell clients apart. The first turn builds graphs, and is a figure of its own.

    python benchmarks/evaluation.py
"""

import argparse
import contextlib
import dataclasses
import pathlib
import statistics

import numpy as np

import fedlab  # Before TensorFlow: it chooses the Keras that TensorFlow loads.
import taking_turns
from contenders import Contender, median_ratio, take_turns
from rows import Row, at_most, print_table, write_rows

TITLE = "Evaluation on held-out text"
ROWS = 8  # Of a batch, for Keras: what the model is built for.
OURS, BATCHES_OF_8, EVALUATE = "fedlab", "batches of 8 through Keras", "Keras model.evaluate"
TIME_TARGET, DIFFERENCE_TARGET = 1 / 3, 1e-5


def load_windows() -> dict[str, np.ndarray]:
    """The windows of each client that has one: {client id: int64 [windows, 101]}."""
    from fedlab.datasets.preprocessed_clients import preprocess_clients

    _, test = fedlab.load_shakespeare()
    windows = preprocess_clients(test).windows
    return {client_id: found.astype(np.int64) for client_id, found in windows.items() if len(found)}


class Fedlab:
    """What `run_rounds` calls after a round."""

    def __init__(self):
        from fedlab import training

        model, (_, test) = fedlab.load_dickens(batch_size=ROWS), fedlab.load_shakespeare()
        self._evaluate_weights = training.make_weights_evaluation(model, test)
        self._weights = training.weights_of(model)

    def evaluate(self) -> dict:
        """Loss, accuracy, and accuracy by client."""
        found = self._evaluate_weights(self._weights)
        return {"loss": found.loss, "accuracy": found.accuracy, "by_client": found.accuracy_by_client}


class BatchesOf8:
    """The Keras model called for 8 windows at a time, by a loop in Python."""

    def __init__(self):
        import tensorflow as tf

        self._model, self._by_client = fedlab.load_dickens(batch_size=ROWS), load_windows()
        self._forward = tf.function(
            lambda ids: self._model(ids, training=False),
            input_signature=[tf.TensorSpec([ROWS, None], tf.int64)],
        )

    def evaluate(self) -> dict:
        """Loss, accuracy, and accuracy by client."""
        windows = np.concatenate(list(self._by_client.values()))
        # The last batch is filled up with rows that do not count.
        padded = np.pad(windows, [(0, -len(windows) % ROWS), (0, 0)])
        scores = [self._score(batch) for batch in padded.reshape(-1, ROWS, windows.shape[1])]
        losses, hits = (np.concatenate(parts)[: len(windows)] for parts in zip(*scores, strict=True))
        borders = np.cumsum([len(found) for found in self._by_client.values()])[:-1]
        by_client = zip(self._by_client, np.split(hits, borders), strict=True)
        return {
            "loss": float(losses.mean()),
            "accuracy": float(hits.mean()),
            "by_client": {client_id: float(part.mean()) for client_id, part in by_client},
        }

    def _score(self, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        import tensorflow as tf

        self._model.reset_states()
        logits, targets = self._forward(batch[:, :-1]), batch[:, 1:]
        losses = tf.keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
        return losses.numpy(), logits.numpy().argmax(axis=-1) == targets


class KerasEvaluate:
    """`model.evaluate`; windows that do not fill a batch are left out, for Keras cannot fill it up."""

    def __init__(self):
        import tensorflow as tf

        self._model = fedlab.load_dickens(batch_size=ROWS)
        windows = np.concatenate(list(load_windows().values()))
        self._windows = windows[: len(windows) // ROWS * ROWS]
        loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self._model.compile(loss=loss, metrics=["accuracy"])
        self._clear = tf.keras.callbacks.LambdaCallback()
        self._clear.on_test_batch_begin = lambda batch, logs=None: self._model.reset_states()

    def evaluate(self) -> dict:
        """Loss and accuracy."""
        inputs, targets = self._windows[:, :-1], self._windows[:, 1:]
        loss, accuracy = self._model.evaluate(
            inputs, targets, batch_size=ROWS, verbose=0, callbacks=[self._clear]
        )
        return {"loss": loss, "accuracy": accuracy}


CONTENDERS = {OURS: Fedlab, BATCHES_OF_8: BatchesOf8, EVALUATE: KerasEvaluate}


@dataclasses.dataclass(frozen=True)
class Measured:
    """What was measured of a contender.

    Attributes:
      seconds: of each evaluation after the first.
      first_s: seconds of the first, which builds graphs.
      peak_mb: of its process.
      found: loss and accuracy; of some also the accuracy by client.
    """

    seconds: list[float]
    first_s: float
    peak_mb: float
    found: dict


def measure(turns: int) -> dict[str, Measured]:
    """Evaluates in turns; `turns` are kept of each contender, after a first one."""
    with contextlib.ExitStack() as stack:
        contenders = {
            name: stack.enter_context(Contender(pathlib.Path(__file__), "--contender", name))
            for name in CONTENDERS
        }
        found = {}
        actions = {name: _evaluate(name, contender, found) for name, contender in contenders.items()}
        seconds = take_turns(actions, 1 + turns, warm_up=0)
        return {
            name: Measured(seconds[name][1:], seconds[name][0], contender.peak_mb, found[name])
            for name, contender in contenders.items()
        }


def _evaluate(name: str, contender: Contender, found: dict):
    def once() -> float:
        answer = contender.call("evaluate")
        found[name] = answer.value
        return answer.seconds

    return once


def rows_of(measured: dict[str, Measured]) -> list[Row]:
    """The table."""
    ours, before = measured[OURS], measured[BATCHES_OF_8]
    rows = [
        Row(
            f"an evaluation, {name}",
            statistics.median(one.seconds),
            "s",
            note=f"fastest {min(one.seconds):.2f} s, first {one.first_s:.2f} s, peak {one.peak_mb:.0f} MB",
        )
        for name, one in measured.items()
    ]
    ratios = {name: median_ratio(ours.seconds, measured[name].seconds) for name in (BATCHES_OF_8, EVALUATE)}
    return [
        *rows,
        at_most(f"time against {BATCHES_OF_8}", ratios[BATCHES_OF_8], "x", TIME_TARGET),
        Row(f"time against {EVALUATE}", ratios[EVALUATE], "x"),
        at_most(
            f"largest difference from {BATCHES_OF_8}",
            largest_difference(ours.found, before.found),
            "",
            DIFFERENCE_TARGET,
            "of loss, accuracy, and accuracy by client",
        ),
        Row(f"peak memory against {BATCHES_OF_8}", ours.peak_mb / before.peak_mb, "x"),
    ]


def largest_difference(ours: dict, theirs: dict) -> float:
    """Between two evaluations of the same clients: in loss, accuracy, or a client's accuracy."""
    if ours["by_client"].keys() != theirs["by_client"].keys():
        raise ValueError("The contenders evaluated different clients.")
    of_clients = [abs(ours["by_client"][name] - value) for name, value in theirs["by_client"].items()]
    return max(*of_clients, *(abs(ours[part] - theirs[part]) for part in ("loss", "accuracy")))


def main() -> None:
    """Measures and prints the table; or is one of the contenders."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=3, help="kept of each contender, after a first one")
    parser.add_argument("--json", type=pathlib.Path, help="a file to write the figures to")
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contender:
        taking_turns.serve(CONTENDERS[arguments.contender])
        return
    rows = rows_of(measure(arguments.turns))
    print_table(TITLE, rows)
    if arguments.json:
        write_rows(arguments.json, TITLE, rows)


if __name__ == "__main__":
    main()
