"""Seconds and memory of a federated round: in this process, on TFF's worker, Keras `fit`, and peers.

The job: the character RNN of the notebooks (Embedding 256, GRU 1024), 2 clients with 5 batches of
8 x 100 characters each, SGD with learning rate 0.5, one round of weighted federated averaging. Each
contender lives in a process of its own; they take turns round by round, so that whatever else slows
the machine slows all alike. All that average start from the same weights, and have to come to the same
loss. In the same turns the matrix products of the job are measured in their fastest forms: the limit.

    python benchmarks/rounds.py               # the table
    python benchmarks/rounds.py --peers       # also PyTorch, Flower and FedJAX, from .venv-peers
"""

import argparse
import contextlib
import dataclasses
import pathlib
import statistics
import sys
import tempfile

import job
import peer_environment
from contenders import ROOT, Contender, median_ratio, take_turns
from fedlab.machine import read_cpu_flags
from rows import Row, at_most, print_table, write_rows

TITLE = "A federated round"
OURS, WORKER, FIT = "fedlab, in process", "TFF's worker", "Keras fit"
OWN = {OURS: "in_process", WORKER: "tff_worker", FIT: "keras_fit"}
PEERS = {
    "PyTorch loop": "pytorch_loop.py",
    "Flower with PyTorch": "flower_pytorch.py",
    "FedJAX": "fedjax_fedavg.py",
}
# Fit trains the clients one after another, without averaging: another result, of as much arithmetic.
SAME_RESULT = (OURS, WORKER, *PEERS)
LOSS_TOLERANCE = 1e-3
PEER_TIMEOUT_S = (
    600  # On a machine that is busy with other things, Ray gives up starting and Flower waits for ever.
)

# At most these fractions of the others' seconds or memory.
LIMIT_TARGET, PEER_TARGET, WORKER_MEMORY_TARGET = 2.0, 1.0, 0.55
TARGETS_WITH_AVX512 = {WORKER: 0.25, FIT: 0.3}
TARGETS_WITHOUT_AVX512 = {WORKER: 0.18, FIT: 0.18}


@dataclasses.dataclass(frozen=True)
class Measured:
    """What was measured of a contender; its first round, which builds and optimizes graphs, apart.

    Attributes:
      seconds: of each round after the first.
      peak_mb: of its process and all that it started.
      loss: of the first client's batches, with the weights after the first round.
    """

    seconds: list[float]
    peak_mb: float
    loss: float


def measure(num_clients: int, num_rounds: int, *, with_peers: bool) -> tuple[dict[str, Measured], float, str]:
    """Trains rounds in turns.

    Returns:
      what was measured of each contender, the limit in seconds a round, and its products in words.
    """
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        path = folder / "job.npz"
        job.write_job(job.make_job(num_clients), path)
        contenders = {
            name: stack.enter_context(contender)
            for name, contender in _start_contenders(path, with_peers=with_peers)
        }
        limit = stack.enter_context(Contender(ROOT / "benchmarks" / "arithmetic_limit.py"))
        for name, contender in contenders.items():
            contender.call("train_round", num_clients)
            contender.call("save_weights", str(folder / f"{name}.npz"))
            print(f"{name}: trained the first round", file=sys.stderr, flush=True)
        products = []
        actions = {name: _one_round(contender, num_clients) for name, contender in contenders.items()}
        actions["limit"] = lambda: _measure_products(limit, products)
        seconds = take_turns(actions, num_rounds, warm_up=0)
        losses = _judge(path, {name: folder / f"{name}.npz" for name in contenders})
        measured = {
            name: Measured(seconds[name], contender.peak_mb, losses[name])
            for name, contender in contenders.items()
        }
    fastest = _fastest_forms(products)
    return measured, _limit_of_a_round(fastest, num_clients), _describe_products(fastest)


def _start_contenders(path: pathlib.Path, *, with_peers: bool):
    """Pairs of a name and a contender that is ready; one at a time, for building takes both cores."""
    for name, own in OWN.items():
        yield name, Contender(ROOT / "benchmarks" / "federated.py", own, str(path))
    if with_peers:
        python = peer_environment.python_of_peers()
        for name, script in PEERS.items():
            peer = ROOT / "benchmarks" / "peers" / script
            yield name, Contender(peer, str(path), python=python, timeout_s=PEER_TIMEOUT_S)


def _one_round(contender: Contender, num_clients: int):
    return lambda: contender.call("train_round", num_clients).seconds


def _judge(path: pathlib.Path, weights: dict[str, pathlib.Path]) -> dict[str, float]:
    """The loss that each contender's weights have, all told by the same model."""
    with Contender(ROOT / "benchmarks" / "federated.py", "judge", str(path)) as judge:
        return {name: judge.call("loss_of", str(file)).value for name, file in weights.items()}


# --- The limit ------------------------------------------------------------------------------------


def _measure_products(limit: Contender, kept: list) -> float:
    answer = limit.call("measure")
    kept.append(answer.value)
    return answer.seconds


def _fastest_forms(products: list[dict]) -> dict[str, tuple[str, float, int]]:
    """Of each product the fastest form, its seconds (median of turns), and how often a batch needs it."""
    fastest = {}
    for name, forms in products[0].items():
        medians = {
            form: statistics.median(turn[name]["forms"][form] for turn in products) for form in forms["forms"]
        }
        form = min(medians, key=medians.get)
        fastest[name] = (form, medians[form], forms["times"])
    return fastest


def _limit_of_a_round(fastest: dict[str, tuple[str, float, int]], num_clients: int) -> float:
    return num_clients * job.BATCHES * sum(seconds * times for _, seconds, times in fastest.values())


def _describe_products(fastest: dict[str, tuple[str, float, int]]) -> str:
    recurrent = [name for name, (_, _, times) in fastest.items() if times > 1]
    words = [f"{name} {1e6 * fastest[name][1]:,.0f} us ({fastest[name][0]})" for name in recurrent]
    rest = sum(seconds for name, (_, seconds, _) in fastest.items() if name not in recurrent)
    return "; ".join([*words, f"all others of a batch {1e3 * rest:,.0f} ms"])


# --- The table ------------------------------------------------------------------------------------


def has_avx512() -> bool:
    """Whether this processor is of the fast kind."""
    return "avx512f" in (read_cpu_flags(pathlib.Path("/proc/cpuinfo")) or frozenset())


def rows_of(measured: dict[str, Measured], limit_s: float, products: str, *, avx512: bool) -> list[Row]:
    """The table: seconds, memory, ratios, and whether all computed the same."""
    names = [*OWN, *PEERS]
    seconds = {
        name: statistics.median(measured[name].seconds) if name in measured else None for name in names
    }
    rows = [
        Row(f"seconds a round, {name}", seconds[name], "s", note=_fastest_of(measured.get(name)))
        for name in names
    ]
    rows.append(Row("seconds a round, limit", limit_s, "s", note=products))
    rows += _ratio_rows(measured, limit_s, avx512=avx512)
    rows += [
        Row(f"peak memory, {name}", measured[name].peak_mb if name in measured else None, "MB")
        for name in names
    ]
    memory = measured[OURS].peak_mb / measured[WORKER].peak_mb
    rows.append(at_most(f"peak memory against {WORKER}", memory, "x", WORKER_MEMORY_TARGET))
    return rows + _loss_rows(measured)


def _fastest_of(measured: Measured | None) -> str:
    return f"fastest {min(measured.seconds):.2f} s" if measured else "needs --peers"


def _ratio_rows(measured: dict[str, Measured], limit_s: float, *, avx512: bool) -> list[Row]:
    targets = TARGETS_WITH_AVX512 if avx512 else TARGETS_WITHOUT_AVX512
    note = "target for processors with AVX-512" if avx512 else "target for processors without AVX-512"
    rows = [
        at_most(f"time against {name}", _ratio(measured, name), "x", target, note)
        for name, target in targets.items()
    ]
    rows += [at_most(f"time against {name}", _ratio(measured, name), "x", PEER_TARGET) for name in PEERS]
    distance = statistics.median(measured[OURS].seconds) / limit_s
    return [*rows, at_most("time against the limit", distance, "x", LIMIT_TARGET)]


def _ratio(measured: dict[str, Measured], name: str) -> float | None:
    return median_ratio(measured[OURS].seconds, measured[name].seconds) if name in measured else None


def _loss_rows(measured: dict[str, Measured]) -> list[Row]:
    """How far the others' loss after the first round is from ours."""
    ours = measured[OURS].loss
    return [
        at_most(
            f"loss after one round, {name} less fedlab",
            abs(measured[name].loss - ours) if name in measured else None,
            "",
            LOSS_TOLERANCE,
            note=f"fedlab's is {ours:.4f}" if name in measured else "needs --peers",
        )
        for name in SAME_RESULT
        if name != OURS
    ]


def main() -> None:
    """Measures, prints the table, and fails if a contender computed something else."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5, help="kept of each contender, after a first one")
    parser.add_argument("--peers", action="store_true", help="also PyTorch, Flower and FedJAX")
    parser.add_argument("--json", type=pathlib.Path, help="a file to write the figures to")
    arguments = parser.parse_args()
    measured, limit_s, products = measure(arguments.clients, arguments.rounds, with_peers=arguments.peers)
    rows = rows_of(measured, limit_s, products, avx512=has_avx512())
    print_table(TITLE, rows)
    others = [row.what for row in _loss_rows(measured) if row.reached is False]
    if others:
        sys.exit(f"Not the same computation, so the figures say nothing: {', '.join(others)}.")
    if arguments.json:
        write_rows(arguments.json, TITLE, rows)


if __name__ == "__main__":
    main()
