"""Seconds and memory of evaluating the Dickens model on the held-out text of all pocket clients.

Three ways, each in a process of its own, in turns: fedlab's; what fedlab did before (batches of 8 windows
through the Keras model, with Python between); and `model.evaluate`, which keeps no count by client.

    python benchmarks/evaluation.py --turns 5 --json evaluation.json
"""

import argparse
import pathlib
import statistics
from collections.abc import Callable

import fedlab  # First of all: it chooses the Keras that TensorFlow loads.
import side_by_side
from side_by_side import Row

ROWS = 8  # Of a batch, for the peers: what the model is built for.
TARGETS = {"speed": 3.0, "difference": 1e-5, "memory": 50.0}


def load() -> tuple:
    """The model, and the windows of all clients: int64 [windows, 101]."""
    from fedlab.training.evaluation import _find_windows

    _, test = fedlab.load_shakespeare()
    return fedlab.load_dickens(batch_size=ROWS), test, _find_windows(test, None)


def fedlabs() -> Callable[..., dict]:
    from fedlab import training

    model, test, _ = load()
    evaluate_weights, weights = training.make_weights_evaluation(model, test), training.weights_of(model)

    def work() -> dict:
        found = evaluate_weights(weights)
        return {"loss": found.loss, "accuracy": found.accuracy, "by_client": found.accuracy_by_client}

    return work


def batches_of_8() -> Callable[..., dict]:
    import numpy as np
    import tensorflow as tf

    from fedlab.training.keras_adapter import assign_weights, weights_of

    model, _, by_client = load()
    weights = weights_of(model)
    windows = np.concatenate(list(by_client.values()))
    borders = np.cumsum([len(found) for found in by_client.values()])[:-1]
    forward = tf.function(
        lambda ids: model(ids, training=False), input_signature=[tf.TensorSpec([ROWS, None], tf.int64)]
    )

    def score(batch: np.ndarray) -> tuple:
        model.reset_states()
        logits = forward(batch[:, :-1])
        losses = tf.keras.losses.sparse_categorical_crossentropy(batch[:, 1:], logits, from_logits=True)
        return losses.numpy(), np.argmax(logits, axis=-1) == batch[:, 1:]

    def work() -> dict:
        assign_weights(weights, model)
        padded = np.pad(windows, [(0, -len(windows) % ROWS), (0, 0)]).reshape(-1, ROWS, windows.shape[1])
        losses, hits = (
            np.concatenate(part)[: len(windows)] for part in zip(*map(score, padded), strict=True)
        )
        split = zip(by_client, np.split(hits, borders), strict=True)
        accuracies = {client_id: float(part.mean()) for client_id, part in split}
        return {"loss": float(losses.mean()), "accuracy": float(hits.mean()), "by_client": accuracies}

    return work


def keras_evaluate() -> Callable[..., dict]:
    import numpy as np
    import tensorflow as tf

    model, _, by_client = load()
    windows = np.concatenate(list(by_client.values()))
    windows = windows[: len(windows) // ROWS * ROWS]  # Keras cannot fill up the last batch.
    model.compile(loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    clear = tf.keras.callbacks.LambdaCallback()
    clear.on_test_batch_begin = lambda batch, logs=None: model.reset_states()

    def work() -> dict:
        loss, accuracy = model.evaluate(
            windows[:, :-1], windows[:, 1:], batch_size=ROWS, verbose=0, callbacks=[clear]
        )
        return {"loss": loss, "accuracy": accuracy}

    return work


CONTENDERS = {"fedlab": fedlabs, "batches of 8": batches_of_8, "model.evaluate": keras_evaluate}


def measure(turns: int) -> dict[str, list[dict]]:
    """What each contender answered in each turn; the first turn, which builds graphs, is kept as well."""
    contenders = {name: side_by_side.Contender(__file__, "--contender", name) for name in CONTENDERS}
    try:
        answers = {name: [] for name in contenders}
        for _ in range(turns + 1):
            for name, contender in contenders.items():
                answers[name].append(contender.ask())
        return answers
    finally:
        for contender in contenders.values():
            contender.close()


def rows_of(answers: dict[str, list[dict]]) -> list[Row]:
    seconds = {name: [answer["seconds"] for answer in given[1:]] for name, given in answers.items()}
    median = {name: statistics.median(taken) for name, taken in seconds.items()}
    ours, before = answers["fedlab"][-1], answers["batches of 8"][-1]
    rows = [Row(f"evaluation: {name}", median[name], "s") for name in CONTENDERS]
    rows += [Row(f"first evaluation: {name}", answers[name][0]["seconds"], "s") for name in CONTENDERS]
    for name in ("batches of 8", "model.evaluate"):
        ratio, target = median[name] / median["fedlab"], TARGETS["speed"]
        fastest = min(seconds[name]) / min(seconds["fedlab"])
        note = f"of the fastest turns: {fastest:.2f}"
        rows.append(Row(f"times as fast as {name}", ratio, "x", target, ratio >= target, note))
    differences = [abs(ours[part] - before[part]) for part in ("loss", "accuracy")]
    differences += [abs(ours["by_client"][name] - value) for name, value in before["by_client"].items()]
    largest, target = max(differences), TARGETS["difference"]
    what = "largest difference (loss, accuracy, accuracy by client)"
    rows.append(Row(what, largest, "", target, largest <= target, "from batches of 8"))
    more, target = ours["peak_mb"] - before["peak_mb"], TARGETS["memory"]
    rows.append(Row("peak memory beyond that of batches of 8", more, "MB", target, more <= target))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path, help="a file to write the figures to")
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contender:
        side_by_side.answer(CONTENDERS[arguments.contender])
        return
    title = f"Evaluation on held-out text, Dickens model ({side_by_side.processor()})"
    side_by_side.report(title, rows_of(measure(arguments.turns)), arguments.json)


if __name__ == "__main__":
    main()
