"""Seconds for 200 sampled characters after a start of 40, through the Dickens model; and the limit.

Each contender lives in a process of its own, and they take turns: fedlab's `generate_text`; the loop of
TFF's text-generation tutorial (the Keras model called for each character); a loop in PyTorch, where
`.venv-peers` or `--peers-python` has it; and the limit: 200 products of one row with all weights, in the
fastest of several forms.

The limit is measured twice. A form in one thread takes as long on a machine that does other work as well.
With threads of NumPy's BLAS it is faster where nothing else runs, and very slow where something does.

    python benchmarks/generation.py --turns 7 --json generation.json
"""

import argparse
import operator
import pathlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

import side_by_side
from side_by_side import Row

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
START = "What say you, my lord? Speak, I say now."
LENGTH, SEED = 200, 1
WITH_THREADS = "NumPy, BLAS threads"
TARGETS = {"limit": 1.5, "first call": 1.0}


def fedlabs(unused: str) -> Callable[..., dict]:
    import fedlab
    from fedlab.generation import generate_text

    model = fedlab.load_dickens(batch_size=1)
    return lambda temperature: {
        "text": generate_text(model, START, LENGTH, temperature=temperature, seed=SEED)
    }


def tutorials_loop(unused: str) -> Callable[..., dict]:
    import numpy as np

    import fedlab
    from fedlab.generation import sample_id
    from fedlab.vocabulary import decode, encode

    model = fedlab.load_dickens(batch_size=1)

    def work(temperature: float) -> dict:
        rng, ids, text = np.random.default_rng(SEED), encode(START), START
        model.reset_states()
        for _ in range(LENGTH):
            ids = np.array([sample_id(model(ids[None]).numpy()[0, -1], temperature, rng)])
            text += decode(ids)
        return {"text": text}

    return work


def pytorch_loop(path: str) -> Callable[..., dict]:
    import json

    import torch

    described = json.loads(pathlib.Path(path).read_text())
    numbers = torch.frombuffer(
        bytearray(pathlib.Path(path).with_suffix(".weights").read_bytes()), dtype=torch.float32
    )
    parts = numbers.split([row * column for row, column in described["shapes"]])
    embedding, kernel, recurrent, biases, dense, dense_bias = (
        part.reshape(shape) for part, shape in zip(parts, described["shapes"], strict=True)
    )
    units, characters = recurrent.shape[0], described["characters"]

    def swapped(gates: torch.Tensor) -> torch.Tensor:
        """Keras stacks the gates as update, reset, candidate; PyTorch as reset, update, candidate."""
        update, reset, candidate = gates.split(units, dim=-1)
        return torch.cat([reset, update, candidate], dim=-1)

    gru, linear = torch.nn.GRU(embedding.shape[1], units), torch.nn.Linear(units, len(characters))
    with torch.no_grad():
        gru.weight_ih_l0.copy_(swapped(kernel).T)
        gru.weight_hh_l0.copy_(swapped(recurrent).T)
        gru.bias_ih_l0.copy_(swapped(biases[0]))
        gru.bias_hh_l0.copy_(swapped(biases[1]))
        linear.weight.copy_(dense.T)
        linear.bias.copy_(dense_bias[0])
    start = torch.tensor([characters.index(character) for character in START])

    @torch.inference_mode()
    def work(temperature: float) -> dict:
        torch.manual_seed(SEED)
        ids, state, text = start, None, START
        for _ in range(LENGTH):
            outputs, state = gru(embedding[ids], state)
            probabilities = torch.softmax(linear(outputs[-1]) / temperature, dim=-1)
            ids = torch.multinomial(probabilities, 1)
            text += characters[ids.item()]
        return {"text": text}

    return work


def limit(unused: str) -> Callable[..., dict]:
    """Seconds of LENGTH products of one row with all weights, by form."""
    import fedlab  # isort: skip  (First of all: it chooses the Keras that TensorFlow loads.)
    import numpy as np
    import tensorflow as tf

    from fedlab.models.layer_steps import thin_product

    weights = [array for array in fedlab.load_dickens(batch_size=1).get_weights() if array.ndim == 2][1:]
    kernels = [array for array in weights if len(array) > 2]  # The lookup and the biases are no products.
    rows = [np.ones([1, len(kernel)], np.float32) for kernel in kernels]

    def turned(row: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        return tf.transpose(tf.matmul(kernel, row, transpose_b=True))

    def in_tensorflow(product: Callable, prepare: Callable = lambda kernel: kernel) -> Callable[[], object]:
        tensors = [
            (tf.constant(row), tf.constant(prepare(kernel)))
            for row, kernel in zip(rows, kernels, strict=True)
        ]
        # All of a step in one call, as a graph would do it.
        function = tf.function(lambda: [product(row, kernel) for row, kernel in tensors])
        return function

    forms = {
        "NumPy, in pieces": lambda: [
            thin_product(row[0], kernel) for row, kernel in zip(rows, kernels, strict=True)
        ],
        "TensorFlow": in_tensorflow(tf.matmul),
        "TensorFlow, turned": in_tensorflow(turned, lambda kernel: np.ascontiguousarray(kernel.T)),
        WITH_THREADS: lambda: [row[0] @ kernel for row, kernel in zip(rows, kernels, strict=True)],
    }

    return lambda temperature: {name: _seconds_of(form) for name, form in forms.items()}


def _seconds_of(form: Callable[[], object]) -> float:
    started = time.perf_counter()
    for _ in range(LENGTH):
        form()
    return time.perf_counter() - started


CONTENDERS = {
    "fedlab": fedlabs,
    "tutorial's loop": tutorials_loop,
    "PyTorch loop": pytorch_loop,
    "limit": limit,
}


def write_weights(folder: pathlib.Path) -> pathlib.Path:
    """Writes the model for PyTorch, whose environment has no fedlab and perhaps no NumPy."""
    import json

    import numpy as np

    from fedlab.models.dickens import POCKET_WEIGHTS
    from fedlab.models.weights import read_weights
    from fedlab.vocabulary import CHARACTERS

    weights = [np.atleast_2d(array) for array in read_weights(POCKET_WEIGHTS)]
    path = folder / "model.json"
    path.with_suffix(".weights").write_bytes(b"".join(array.tobytes() for array in weights))
    described = {"shapes": [array.shape for array in weights], "characters": "".join(CHARACTERS)}
    path.write_text(json.dumps(described))
    return path


def measure(turns: int, peers_python: pathlib.Path | None) -> dict[str, list[dict]]:
    """What each contender answered in each turn, the first included; last, always the likeliest character."""
    with tempfile.TemporaryDirectory() as folder:
        model = str(write_weights(pathlib.Path(folder)))
        pythons = {name: None if name == "PyTorch loop" else sys.executable for name in CONTENDERS}
        pythons["PyTorch loop"] = peers_python
        contenders = {
            name: side_by_side.Contender(__file__, "--contender", name, "--model", model, python=python)
            for name, python in pythons.items()
            if python is not None
        }
        answers = {name: [] for name in contenders}
        try:
            for temperature in [1.0] * (turns + 1) + [1e-4]:
                for name, contender in contenders.items():
                    answers[name].append(contender.ask(temperature=temperature))
        finally:
            for contender in contenders.values():
                contender.close()
        return answers


def rows_of(answers: dict[str, list[dict]]) -> list[Row]:
    products = answers.pop("limit")[1:-1]
    texts = {name: [answer["text"] for answer in given] for name, given in answers.items()}
    seconds = {name: [answer["seconds"] for answer in given[1:-1]] for name, given in answers.items()}
    forms = {
        form: [answer[form] for answer in products]
        for form in products[0]
        if form not in ("seconds", "peak_mb")
    }
    ours = seconds["fedlab"]
    rows = [_seconds_row(f"{LENGTH} characters: {name}", taken) for name, taken in seconds.items()]
    rows += [_seconds_row(f"{LENGTH} products: {form}", taken) for form, taken in forms.items()]
    in_one_thread = [taken for form, taken in forms.items() if form != WITH_THREADS]
    limit_ = min(in_one_thread, key=statistics.median)
    rows.append(_ratio_row("times the limit in one thread", ours, limit_, TARGETS["limit"], operator.le))
    limit_ = min(forms.values(), key=statistics.median)
    rows.append(_ratio_row("times the limit in any form", ours, limit_))
    for name in [name for name in seconds if name != "fedlab"]:
        rows.append(_ratio_row(f"times as fast as {name}", seconds[name], ours, 1.0, operator.gt))
        same = texts[name][-1] == texts["fedlab"][-1]
        rows.append(Row(f"same likeliest text as {name} (1: yes)", float(same), "", 1.0, same))
    same = texts["tutorial's loop"][0] == texts["fedlab"][0]
    rows.append(Row("same text as tutorial's loop from the same seed (1: yes)", float(same), "", 1.0, same))
    first, target = answers["fedlab"][0]["seconds"], TARGETS["first call"]
    return [*rows, Row("first call", first, "s", target, first <= target)]


def _seconds_row(what: str, taken: list[float]) -> Row:
    return Row(what, statistics.median(taken), "s", note=f"fastest {min(taken):.3f}")


def _ratio_row(
    what: str,
    above: list[float],
    below: list[float],
    target: float | None = None,
    reaches: Callable[[float, float], bool] = operator.le,
) -> Row:
    """The ratio of medians; the note has that of the fastest turns, which other work slows least."""
    ratio = statistics.median(above) / statistics.median(below)
    reached = None if target is None else reaches(ratio, target)
    return Row(what, ratio, "x", target, reached, f"of the fastest: {min(above) / min(below):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--json", type=pathlib.Path, help="a file to write the figures to")
    parser.add_argument(
        "--peers-python", type=pathlib.Path, default=PEERS_PYTHON, help="a Python that has PyTorch"
    )
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contender:
        side_by_side.answer(lambda: CONTENDERS[arguments.contender](arguments.model))
        return
    peers_python = arguments.peers_python if arguments.peers_python.exists() else None
    title = f"{LENGTH} characters after {len(START)}, Dickens model ({side_by_side.processor()})"
    if peers_python is None:
        title += f"; no PyTorch: {arguments.peers_python} is not there"
    side_by_side.report(title, rows_of(measure(arguments.turns, peers_python)), arguments.json)


if __name__ == "__main__":
    main()
