"""Seconds for 200 sampled characters after a start of 40, through the Dickens model; and the limit.

Each contender has a process of its own, and they take turns: fedlab's `generate_text`; the loop of TFF's
text-generation tutorial, which calls the Keras model for each character; a loop in PyTorch; and the limit,
200 products of one row with all weights, in several forms.

The limit is that of the fastest form in a process with one thread, be it TensorFlow's or NumPy's; that of
TensorFlow's forms alone, which are slower, has a row of its own. With more threads the products can be
faster where nothing else runs, and are slow where something does: the fastest form with all cores is in the
table without a target.

    python benchmarks/generation.py               # the table
    python benchmarks/generation.py --peers       # also PyTorch, from .venv-peers
"""

import argparse
import contextlib
import dataclasses
import pathlib
import statistics
import tempfile
import time

import numpy as np

import fedlab  # Before TensorFlow: it chooses the Keras that TensorFlow loads.
import job
import peer_environment
import taking_turns
from contenders import ROOT, Contender, median_ratio, take_turns
from fedlab.vocabulary import decode, encode
from rows import Row, at_most, print_table, write_rows

TITLE = "Writing text"
START = "What say you, my lord? Speak, I say now."
LENGTH, SEED = 200, 1
# At a temperature of almost 0 the likeliest character is drawn, whatever the dice.
LIKELIEST = 1e-4
OURS, TUTORIAL, PYTORCH = "fedlab", "the tutorial's loop", "PyTorch loop"
ONE_THREAD, ALL_CORES = "in one thread", "with all cores"
LIMITS = {
    ONE_THREAD: {
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
    },
    ALL_CORES: {},
}
LIMIT_TARGET, PEER_TARGET, FIRST_CALL_TARGET_S = 1.5, 1.0, 1.0


class Fedlab:
    """`generate_text`."""

    def __init__(self):
        self._model = fedlab.load_dickens(batch_size=1)

    def write(self, start: list[int], length: int, temperature: float, seed: int) -> list[int]:
        """The ids of the characters that it draws after those of `start`."""
        from fedlab.generation import generate_text

        text = generate_text(self._model, decode(start), length, temperature=temperature, seed=seed)
        return encode(text[len(start) :]).tolist()


class TutorialsLoop:
    """The Keras model, called for each character."""

    def __init__(self):
        self._model = fedlab.load_dickens(batch_size=1)

    def write(self, start: list[int], length: int, temperature: float, seed: int) -> list[int]:
        """The ids of the characters that it draws after those of `start`."""
        from fedlab.generation import sample_id

        random, ids, drawn = np.random.default_rng(seed), start, []
        self._model.reset_states()
        for _ in range(length):
            logits = self._model(np.array([ids])).numpy()[0, -1]
            ids = [sample_id(logits, temperature, random)]
            drawn += ids
        return drawn


class Limit:
    """Products of one row with all weights that a character needs, in several forms."""

    def __init__(self):
        import tensorflow as tf

        from fedlab.models.layer_steps import thin_product

        _, _, recurrent_kernel, _, dense, _ = fedlab.load_dickens(batch_size=1).get_weights()
        pairs = [(np.ones([1, len(kernel)], np.float32), kernel) for kernel in (recurrent_kernel, dense)]
        stored = [(tf.constant(row), tf.constant(kernel)) for row, kernel in pairs]
        turned = [(row, tf.constant(np.ascontiguousarray(kernel.numpy().T))) for row, kernel in stored]
        self._forms = {
            "TensorFlow": tf.function(lambda: [row @ kernel for row, kernel in stored]),
            "TensorFlow, weights transposed": tf.function(
                lambda: [tf.matmul(kernel, row, transpose_b=True) for row, kernel in turned]
            ),
            "NumPy, in pieces": lambda: [thin_product(row[0], kernel) for row, kernel in pairs],
            "NumPy": lambda: [row[0] @ kernel for row, kernel in pairs],
        }

    def forms(self) -> list[str]:
        """The names of the forms."""
        return list(self._forms)

    def measure(self, form: str, length: int) -> float:
        """Seconds of the products for so many characters."""
        product, started = self._forms[form], time.perf_counter()
        for _ in range(length):
            product()
        return time.perf_counter() - started


CONTENDERS = {OURS: Fedlab, TUTORIAL: TutorialsLoop, "limit": Limit}


@dataclasses.dataclass(frozen=True)
class Written:
    """What was measured of a contender that writes.

    Attributes:
      seconds: of each text after the first.
      first_s: seconds of the first.
      sampled: ids of the characters of a text at temperature 1.
      likeliest: ids of the characters of a text of likeliest characters.
    """

    seconds: list[float]
    first_s: float
    sampled: list[int]
    likeliest: list[int]


def measure(turns: int, *, with_peers: bool) -> tuple[dict[str, Written], dict[str, dict[str, list[float]]]]:
    """Writes in turns; `turns` are kept of each contender, after a first one.

    Returns:
      what was measured of each that writes; seconds of the products, by limit and form.
    """
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        writers = {
            name: stack.enter_context(writer)
            for name, writer in _start_writers(folder / "weights.npz", with_peers=with_peers)
        }
        limits = {
            name: stack.enter_context(_start("limit", environment=environment))
            for name, environment in LIMITS.items()
        }
        forms = limits[ONE_THREAD].call("forms").value
        actions = {name: _write_once(writer) for name, writer in writers.items()}
        for name, limit in limits.items():
            actions |= {(name, form): _multiply(limit, form) for form in forms}
        seconds = take_turns(actions, 1 + turns, warm_up=0)
        written = {
            name: Written(seconds[name][1:], seconds[name][0], _text(writer, 1.0), _text(writer, LIKELIEST))
            for name, writer in writers.items()
        }
    return written, {name: {form: seconds[name, form][1:] for form in forms} for name in LIMITS}


def _start(name: str, **options: object) -> Contender:
    return Contender(pathlib.Path(__file__), "--contender", name, **options)


def _start_writers(weights_path: pathlib.Path, *, with_peers: bool):
    """Pairs of a name and a contender that is ready, one at a time."""
    for name in (OURS, TUTORIAL):
        yield name, _start(name)
    if with_peers:
        job.write_weights(fedlab.load_dickens(batch_size=1).get_weights(), weights_path)
        peer = ROOT / "benchmarks" / "peers" / "pytorch_generation.py"
        yield PYTORCH, Contender(peer, str(weights_path), python=peer_environment.python_of_peers())


def _write_once(writer: Contender):
    return lambda: writer.call("write", encode(START).tolist(), LENGTH, 1.0, SEED).seconds


def _text(writer: Contender, temperature: float) -> list[int]:
    return writer.call("write", encode(START).tolist(), LENGTH, temperature, SEED).value


def _multiply(limit: Contender, form: str):
    return lambda: limit.call("measure", form, LENGTH).value


# --- The table ------------------------------------------------------------------------------------


def rows_of(written: dict[str, Written], limits: dict[str, dict[str, list[float]]]) -> list[Row]:
    """The table; a peer that was not measured has its rows without values."""
    ours = written[OURS]
    fastest = {name: _fastest(forms) for name, forms in limits.items()}
    ratios = {name: median_ratio(ours.seconds, seconds) for name, seconds in fastest.items()}
    return [
        *(_seconds_row(name, written.get(name)) for name in (OURS, TUTORIAL, PYTORCH)),
        *(
            Row(f"the limit {name}", statistics.median(seconds), "s", note=_describe_forms(limits[name]))
            for name, seconds in fastest.items()
        ),
        at_most(f"time against the limit {ONE_THREAD}", ratios[ONE_THREAD], "x", LIMIT_TARGET),
        at_most(
            f"time against the limit {ONE_THREAD}, TensorFlow's forms alone",
            median_ratio(ours.seconds, _fastest(_tensorflows(limits[ONE_THREAD]))),
            "x",
            LIMIT_TARGET,
        ),
        Row(f"time against the limit {ALL_CORES}", ratios[ALL_CORES], "x"),
        *(_peer_row(ours, name, written.get(name)) for name in (TUTORIAL, PYTORCH)),
        at_most(
            "the first text",
            ours.first_s,
            "s",
            FIRST_CALL_TARGET_S,
            "in a process that just loaded the model",
        ),
        *_difference_rows(written),
    ]


def _tensorflows(forms: dict[str, list[float]]) -> dict[str, list[float]]:
    return {form: seconds for form, seconds in forms.items() if form.startswith("TensorFlow")}


def _fastest(forms: dict[str, list[float]]) -> list[float]:
    """The seconds of the form with the smallest median."""
    return min(forms.values(), key=statistics.median)


def _seconds_row(name: str, one: Written | None) -> Row:
    what = f"{LENGTH} characters, {name}"
    if one is None:
        return Row(what, None, "s", note="needs --peers")
    note = f"fastest {min(one.seconds):.3f} s, first {one.first_s:.2f} s"
    return Row(what, statistics.median(one.seconds), "s", note=note)


def _describe_forms(forms: dict[str, list[float]]) -> str:
    medians = {form: statistics.median(seconds) for form, seconds in forms.items()}
    return ", ".join(f"{form} {medians[form]:.3f} s" for form in sorted(medians, key=medians.get))


def _peer_row(ours: Written, name: str, one: Written | None) -> Row:
    ratio = None if one is None else median_ratio(ours.seconds, one.seconds)
    return at_most(f"time against {name}", ratio, "x", PEER_TARGET)


def _difference_rows(written: dict[str, Written]) -> list[Row]:
    """How many characters of the same text others write differently: the same model writes the same."""
    tutorial, torch = written[TUTORIAL], written.get(PYTORCH)
    sampled = _count_different(written[OURS].sampled, tutorial.sampled)
    likeliest = None if torch is None else _count_different(written[OURS].likeliest, torch.likeliest)
    return [
        at_most(f"sampled characters unlike those of {TUTORIAL}", sampled, "", 0.0, "from the same seed"),
        at_most(f"likeliest characters unlike those of {PYTORCH}", likeliest, "", 0.0),
    ]


def _count_different(ours: list[int], theirs: list[int]) -> float:
    return float(sum(one != other for one, other in zip(ours, theirs, strict=True)))


def main() -> None:
    """Measures and prints the table; or is one of the contenders."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=5, help="kept of each contender, after a first one")
    parser.add_argument("--peers", action="store_true", help="also PyTorch")
    parser.add_argument("--json", type=pathlib.Path, help="a file to write the figures to")
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contender:
        taking_turns.serve(CONTENDERS[arguments.contender])
        return
    rows = rows_of(*measure(arguments.turns, with_peers=arguments.peers))
    print_table(TITLE, rows)
    if arguments.json:
        write_rows(arguments.json, TITLE, rows)


if __name__ == "__main__":
    main()
