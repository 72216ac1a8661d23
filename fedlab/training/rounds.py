"""Rounds of federated training as a loop of plain records."""

import collections.abc
import dataclasses
import math
import numbers
import time

import numpy as np
import tensorflow as tf

from fedlab.arguments import check_whole_numbers
from fedlab.datasets.preprocessed_clients import PreprocessedClients, preprocess_clients
from fedlab.datasets.preprocessing import BATCH_SIZE, Preprocessing
from fedlab.interrupts import uninterrupted
from fedlab.training.client_sampling import sample_clients
from fedlab.training.evaluation import Evaluation
from fedlab.training.keras_adapter import weights_of


class TrainingDivergedError(ArithmeticError):
    """The loss of a round, or every client's update, is NaN or infinite; the server has the round before."""


@dataclasses.dataclass(frozen=True)
class RoundRecord:
    """What happened in one round, in plain numbers and text."""

    round_number: int  # from 1
    cohort: tuple[str, ...]  # the clients that trained
    num_examples_by_client: dict[str, int]  # windows each client trained on, all local epochs
    metrics: dict[str, float]  # over all training batches of the cohort, measured while it trained
    seconds: float  # training alone, without held-out evaluation
    held_out: Evaluation | None = None
    measurements: dict[str, float] = dataclasses.field(
        default_factory=dict
    )  # of the aggregator, "outer/inner"
    batch_size: int = BATCH_SIZE  # windows per batch

    @property
    def num_batches(self) -> int:
        """Batches that the cohort trained on, all local epochs."""
        return sum(self.num_examples_by_client.values()) // self.batch_size

    @property
    def loss(self):
        """Training loss, in nats per character."""
        return self.metrics["loss"]

    @property
    def accuracy(self):
        """Training accuracy per character; KeyError if the model was compiled without this metric."""
        return self.metrics["accuracy"]


@dataclasses.dataclass
class Server:
    """The server between rounds. An interrupted loop leaves the last whole round here."""

    process: object  # tff.learning.templates.LearningProcess
    state: object
    round_number: int = 0

    @property
    def model_weights(self):
        """tff.learning.models.ModelWeights of the global model."""
        return self.process.get_model_weights(self.state)


def start_server(process, keras_model=None):
    """Initialises a learning process.

    Args:
      process: as `tff.learning.algorithms.build_weighted_fed_avg` and its like return.
      keras_model: whose weights to start from; None for the process's own random ones.

    Returns:
      Server before its first round.

    Raises:
      ValueError: the model's weights hold NaN or infinite values.
    """
    state = process.initialize()
    if keras_model is not None:
        _check_weights(keras_model)
        state = process.set_model_weights(state, weights_of(keras_model))
    return Server(process, state)


def _check_weights(keras_model):
    for variable in keras_model.weights:
        if not np.isfinite(variable.numpy()).all():
            raise ValueError(
                f"{variable.name!r} of {keras_model.name!r} holds NaN or infinite values: its training "
                "diverged. Load the weights again."
            )


def run_rounds(
    server,
    clients,
    num_rounds,
    *,
    client_ids=None,
    clients_per_round=None,
    local_epochs=1,
    seed=0,
    evaluate_weights=None,
    evaluate_every=1,
    preprocessing=None,
):
    """Trains round by round.

    After every round `server` holds its result: break off, interrupt or let a round fail, and the
    rounds before are kept; call again with the same server and seed to go on as if nothing had been.

    Args:
      server: from `start_server`; changed in place.
      clients: ClientData of training speeches, of which each client's text is read once; or
        PreprocessedClients, which were read already.
      num_rounds: how many rounds to add.
      client_ids: the clients that may take part; default all. Those too small for one batch are
        left out, with a warning that names them.
      clients_per_round: size of the cohort sampled each round; None for all.
      local_epochs: passes over its text that each client makes in a round.
      seed: decides cohorts and the order of windows.
      evaluate_weights: function from ModelWeights to Evaluation, called after a round.
      evaluate_every: evaluate after every so many rounds, and after the last.
      preprocessing: Preprocessing, how text becomes batches; default the tutorial's.

    Yields:
      RoundRecord after each round.

    Raises:
      ValueError: no client has enough text; impossible numbers.
      TrainingDivergedError: the loss, or the updates of all clients, became NaN or infinite.
    """
    check_whole_numbers(num_rounds=num_rounds, local_epochs=local_epochs, evaluate_every=evaluate_every)
    plan = plan_rounds(
        clients,
        client_ids=client_ids,
        clients_per_round=clients_per_round,
        local_epochs=local_epochs,
        seed=seed,
        preprocessing=preprocessing,
    )
    return run_plan(
        server, plan, num_rounds, evaluate_weights=evaluate_weights, evaluate_every=evaluate_every
    )


def plan_rounds(
    clients: object,
    *,
    client_ids: collections.abc.Iterable[str] | None = None,
    clients_per_round: int | None = None,
    local_epochs: int = 1,
    seed: int = 0,
    preprocessing: Preprocessing | None = None,
) -> "Plan":
    """Plans who trains on what, for any number of rounds; for the arguments and errors see `run_rounds`.

    Returns:
      Plan.
    """
    check_whole_numbers(local_epochs=local_epochs)
    preprocessed = preprocess_clients(clients, client_ids, preprocessing)
    preprocessed.warn(stacklevel=4)
    if not preprocessed.trainable:
        raise ValueError(
            f"None of the {len(preprocessed.reports)} clients has enough text for one batch; "
            "choose larger ones."
        )
    return make_plan(preprocessed, clients_per_round, local_epochs, seed)


def make_plan(
    preprocessed: PreprocessedClients, clients_per_round: int | None, local_epochs: int, seed: int
) -> "Plan":
    """The Plan for those of the clients that can train; ValueError where no cohort can be drawn."""
    num_batches = {report.client_id: report.num_batches for report in preprocessed.trainable}
    plan = Plan(preprocessed, num_batches, clients_per_round, local_epochs, seed)
    plan.cohort(1)  # So that a cohort that cannot be drawn is an error here, before the loop.
    return plan


def run_plan(server, plan, num_rounds, *, evaluate_weights=None, evaluate_every=1):
    """Adds rounds to what a server has, as planned; for the arguments see `run_rounds`.

    Args:
      plan: from `plan_rounds`.

    Yields:
      RoundRecord after each round.
    """
    last = server.round_number + num_rounds
    while server.round_number < last:
        record = _run_round(server, plan)
        due = record.round_number == last or record.round_number % evaluate_every == 0
        if evaluate_weights is not None and due:
            record = dataclasses.replace(record, held_out=evaluate_weights(server.model_weights))
        yield record


@dataclasses.dataclass(frozen=True)
class Plan:
    """Who trains on what in each round: a function of the seed and the round's number alone."""

    clients: PreprocessedClients
    num_batches: dict[str, int]  # of those that can train: client id -> batches in one epoch
    clients_per_round: int | None
    local_epochs: int
    seed: int

    def cohort(self, round_number):
        """The ids of the clients of a round, in the order in which TFF counts them."""
        if self.clients_per_round is None:
            return tuple(self.num_batches)
        return sample_clients(self.num_batches, self.clients_per_round, seed=[self.seed, round_number])

    @uninterrupted()
    def batches(self, round_number: int, client_id: str) -> tf.data.Dataset:
        """What a client trains on in a round; see `Preprocessing.batches`."""
        position = list(self.num_batches).index(client_id)
        # Large strides, so that no two (round, client) pairs of one run share a seed.
        shuffle_seed = self.seed + 1_000_003 * round_number + 1_009 * position
        return self.clients.batches(client_id, epochs=self.local_epochs, shuffle_seed=shuffle_seed)

    @property
    def batch_size(self) -> int:
        """Windows per batch."""
        return self.clients.preprocessing.batch_size

    def num_examples(self, client_id: str) -> int:
        """How many windows a client trains on in a round, all local epochs."""
        return self.batch_size * self.num_batches[client_id] * self.local_epochs


def _run_round(server, plan):
    """Runs the server's next round; the server changes only when all of it went well."""
    number = server.round_number + 1
    cohort = plan.cohort(number)
    datasets = [plan.batches(number, client_id) for client_id in cohort]
    started = time.monotonic()
    output = server.process.next(server.state, datasets)
    seconds = time.monotonic() - started
    metrics = {name: float(value) for name, value in output.metrics["client_work"]["train"].items()}
    _check_finite(metrics, number)
    server.state, server.round_number = output.state, number
    return RoundRecord(
        round_number=number,
        cohort=cohort,
        num_examples_by_client={client_id: plan.num_examples(client_id) for client_id in cohort},
        metrics=metrics,
        seconds=seconds,
        measurements=dict(_flatten_scalars(output.metrics.get("aggregator", ()))),
        batch_size=plan.batch_size,
    )


def _flatten_scalars(measurements, prefix=""):
    """Yields (name, float) of the scalars in nested measurements: {"a": {"b": 1}} -> ("a/b", 1.0)."""
    if not isinstance(measurements, collections.abc.Mapping):
        return
    for name, value in measurements.items():
        if isinstance(value, collections.abc.Mapping):
            yield from _flatten_scalars(value, f"{prefix}{name}/")
        elif isinstance(value, numbers.Real | np.ndarray) and np.ndim(value) == 0:
            yield f"{prefix}{name}", float(value)


def _check_finite(metrics: dict[str, float], round_number: int) -> None:
    """Raises TrainingDivergedError where a round came to nothing that is a number.

    Which of the two shows depends on how a processor overflows. So the message names both.
    """
    # TFF sends nothing of a client whose update is not finite, not even its loss: it counts no examples.
    if metrics.get("num_examples") != 0 and math.isfinite(metrics["loss"]):
        return
    raise TrainingDivergedError(
        f"Round {round_number}: the loss, or the updates of all clients, are NaN or infinite. "
        f"The server keeps round {round_number - 1}; start again from there with a smaller learning rate."
    )
