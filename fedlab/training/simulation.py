"""A simulation: a model and clients, from which runs start by names and numbers alone."""

import dataclasses
import math
from collections.abc import Iterable

import tensorflow_federated as tff

from fedlab.aggregators import for_fed_avg
from fedlab.arguments import check_whole_numbers
from fedlab.datasets.preprocessed_clients import PreprocessedClients, preprocess_clients
from fedlab.datasets.preprocessing import Preprocessing
from fedlab.datasets.reports import ClientReport
from fedlab.training.catalog import AGGREGATORS, CLIENT_OPTIMIZERS, SERVER_OPTIMIZERS, choose
from fedlab.training.evaluation import make_weights_evaluation
from fedlab.training.keras_adapter import copy_without_cached_weights, make_model_fn
from fedlab.training.rounds import make_plan, start_server
from fedlab.training.run import Run


@dataclasses.dataclass(frozen=True)
class SimulationClient:
    """A client as the simulation has it."""

    client_id: str
    num_characters: int
    num_batches: int  # per epoch
    why_left_out: str = ""  # in words; "" for a client that can train


class Simulation:
    """Fine-tunes one model on one set of clients, under settings chosen by name.

    ```python
    simulation = Simulation(load_small_dickens(), train, test)
    run = simulation.start(client_rate=0.3, clients_per_round=4, seed=1)
    for record in run.rounds(3):
        print(record.round_number, record.held_out.accuracy)
    ```

    Attributes:
      clients: SimulationClients: those that can train, and those too small, with the reason.
      client_optimizers, server_optimizers: {name: learning rate to try first}.
      aggregators: names.
    """

    def __init__(
        self,
        keras_model,
        train_clients,
        test_clients=None,
        *,
        client_ids=None,
        aggregators=None,
        preprocessing=None,
    ):
        """Makes a simulation.

        Args:
          keras_model: character model of `fedlab.models.char_rnn`, for batches of the size that is trained
            with. Every run starts from the weights it has then; it is never changed.
          train_clients: ClientData of speeches to train on, read here once; or PreprocessedClients.
          test_clients: ClientData of held-out speeches; None for runs without evaluation.
          client_ids: the clients that may be chosen; default all of `train_clients`. Held-out loss and
            accuracy are over the same clients.
          aggregators: {name: function without arguments that makes a factory} to offer besides the
            standard ones; `for_fed_avg` is applied to what it makes.
          preprocessing: Preprocessing, how text becomes batches, and windows to evaluate on; default the
            tutorial's.

        Raises:
          ValueError: no client can train.
        """
        self._keras_model = keras_model
        self._preprocessed = preprocess_clients(train_clients, client_ids, preprocessing)
        reports = self._preprocessed.reports.values()
        self.clients = tuple(_look_at(report, self.preprocessing) for report in reports)
        if not self._preprocessed.trainable:
            raise ValueError(
                f"None of the {len(reports)} clients has the {self.preprocessing.batch_chars} characters of "
                "one batch; choose larger ones."
            )
        self._factories = AGGREGATORS | dict(aggregators or {})
        self._test_clients = test_clients

    @property
    def preprocessing(self) -> Preprocessing:
        """How text becomes batches."""
        return self._preprocessed.preprocessing

    @property
    def client_optimizers(self):
        return {name: rate for name, (rate, _) in CLIENT_OPTIMIZERS.items()}

    @property
    def server_optimizers(self):
        return {name: rate for name, (rate, _) in SERVER_OPTIMIZERS.items()}

    @property
    def aggregators(self):
        return tuple(self._factories)

    def start(
        self,
        *,
        client_ids=None,
        clients_per_round=None,
        local_epochs=1,
        client_optimizer="SGD",
        client_rate=None,
        server_optimizer="SGD",
        server_rate=None,
        aggregator="mean",
        seed=0,
    ):
        """Builds a process of weighted federated averaging and evaluates the model that it starts from.

        Call it in the main thread: TFF builds graphs here, and Keras models that another thread makes at the
        same time break. The run's rounds may run in any thread.

        Args:
          client_ids: the clients that may take part; default all that can train.
          clients_per_round: size of the cohort drawn each round; None for all of them.
          local_epochs: passes over its text that each client makes in a round.
          client_optimizer, server_optimizer: names.
          client_rate, server_rate: learning rates; None for the ones to try first.
          aggregator: name.
          seed: decides cohorts and the order of windows.

        Returns:
          Run before its first round.

        Raises:
          ValueError: an unknown name, impossible numbers, or nobody who can train.
        """
        check_whole_numbers(local_epochs=local_epochs)
        plan = make_plan(self._choose_clients(client_ids), clients_per_round, local_epochs, seed)
        process = tff.learning.algorithms.build_weighted_fed_avg(
            make_model_fn(self._keras_model, preprocessing=self.preprocessing),
            _optimizer("client", CLIENT_OPTIMIZERS, client_optimizer, client_rate),
            _optimizer("server", SERVER_OPTIMIZERS, server_optimizer, server_rate),
            model_aggregator=for_fed_avg(choose("aggregator", self._factories, aggregator)()),
        )
        server = start_server(process, self._keras_model)
        return Run(server, plan, self._keras_model, self._make_evaluation())

    def _make_evaluation(self):
        """A function from weights to an Evaluation; each run has its own model for it."""
        if self._test_clients is None:
            return None
        held_out = set(self._test_clients.client_ids)
        ids = [client.client_id for client in self.clients if client.client_id in held_out]
        return make_weights_evaluation(
            copy_without_cached_weights(self._keras_model),
            self._test_clients,
            ids,
            preprocessing=self.preprocessing,
        )

    def _choose_clients(self, client_ids: Iterable[str] | None) -> PreprocessedClients:
        """The chosen clients, some of whom can train; `clients` says who cannot."""
        known = self._preprocessed.reports
        ids = list(known) if client_ids is None else list(client_ids)
        unknown = [client_id for client_id in ids if client_id not in known]
        if unknown:
            raise ValueError(f"client {unknown[0]!r} is not in the simulation; see its clients.")
        chosen = self._preprocessed.only(ids)
        if not chosen.trainable:
            raise ValueError("No client that can train is chosen; choose at least one.")
        return chosen


def _look_at(report: ClientReport, preprocessing: Preprocessing) -> SimulationClient:
    why = f"needs {preprocessing.batch_chars} characters for one batch, has {report.num_characters}"
    return SimulationClient(
        report.client_id, report.num_characters, report.num_batches, why if report.is_too_small else ""
    )


def _optimizer(where, choices, name, rate):
    first_rate, build = choose(f"{where}_optimizer", choices, name)
    rate = first_rate if rate is None else rate
    if not (isinstance(rate, int | float) and math.isfinite(rate) and rate >= 0):
        raise ValueError(f"{where}_rate={rate!r}: give a number of at least 0, such as {first_rate}.")
    return build(float(rate))
