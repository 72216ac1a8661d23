"""A laboratory: a model and clients, from which runs start by names and numbers alone."""

import dataclasses
import math

import tensorflow_federated as tff

from fedlab.aggregators import for_fed_avg
from fedlab.arguments import check_whole_numbers
from fedlab.datasets.sequences import BATCH_SIZE, SEQUENCE_LENGTH_CHARS, report_client
from fedlab.training.choices import AGGREGATORS, CLIENT_OPTIMIZERS, SERVER_OPTIMIZERS, choose
from fedlab.training.evaluation import make_weights_evaluation
from fedlab.training.keras_adapter import copy_without_cached_weights, make_model_fn
from fedlab.training.rounds import Plan, start_server
from fedlab.training.run import Run

_CHARACTERS_OF_A_BATCH = BATCH_SIZE * (SEQUENCE_LENGTH_CHARS + 1)


@dataclasses.dataclass(frozen=True)
class LaboratoryClient:
    """A client as the laboratory has it."""

    client_id: str
    num_characters: int
    num_batches: int  # per epoch
    why_left_out: str = ""  # in words; "" for a client that can train


class Laboratory:
    """Fine-tunes one model on one set of clients, under settings chosen by name.

    ```python
    laboratory = Laboratory(load_small_dickens(), train, test)
    run = laboratory.start(client_rate=0.3, clients_per_round=4, seed=1)
    for record in run.rounds(3):
        print(record.round_number, record.held_out.accuracy)
    ```

    Attributes:
      clients: LaboratoryClients: those that can train, and those too small, with the reason.
      client_optimizers, server_optimizers: {name: learning rate to try first}.
      aggregators: names.
    """

    def __init__(self, keras_model, train_clients, test_clients=None, *, client_ids=None, aggregators=None):
        """Makes a laboratory.

        Args:
          keras_model: character model of `fedlab.models.char_rnn`, for batches of 8. Every run starts from
            the weights it has then; it is never changed.
          train_clients: ClientData of speeches to train on.
          test_clients: ClientData of held-out speeches; None for runs without evaluation.
          client_ids: the clients that may be chosen; default all of `train_clients`. Held-out loss and
            accuracy are over the same clients.
          aggregators: {name: function without arguments that makes a factory} to offer besides the
            standard ones; `for_fed_avg` is applied to what it makes.

        Raises:
          ValueError: no client can train.
        """
        self._keras_model, self._train_clients = keras_model, train_clients
        ids = list(train_clients.client_ids) if client_ids is None else list(client_ids)
        self.clients = tuple(_look_at(train_clients, client_id) for client_id in ids)
        if all(client.why_left_out for client in self.clients):
            raise ValueError(
                f"None of the {len(ids)} clients has the {_CHARACTERS_OF_A_BATCH} characters of one batch; "
                "choose larger ones."
            )
        self._factories = AGGREGATORS | dict(aggregators or {})
        self._test_clients = test_clients

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
        plan = Plan(self._train_clients, self._num_batches(client_ids), clients_per_round, local_epochs, seed)
        plan.cohort(1)  # One that cannot be drawn is an error now.
        process = tff.learning.algorithms.build_weighted_fed_avg(
            make_model_fn(self._keras_model),
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
            copy_without_cached_weights(self._keras_model), self._test_clients, ids
        )

    def _num_batches(self, client_ids):
        """{client id: batches in one epoch} of those that can train; `clients` says who cannot."""
        known = {client.client_id: client for client in self.clients}
        ids = list(known) if client_ids is None else list(client_ids)
        unknown = [client_id for client_id in ids if client_id not in known]
        if unknown:
            raise ValueError(f"client {unknown[0]!r} is not in the laboratory; see its clients.")
        trainable = {
            client_id: known[client_id].num_batches for client_id in ids if not known[client_id].why_left_out
        }
        if not trainable:
            raise ValueError("No client that can train is chosen; choose at least one.")
        return trainable


def _look_at(clients, client_id):
    report = report_client(clients, client_id)
    why = f"needs {_CHARACTERS_OF_A_BATCH} characters for one batch, has {report.num_characters}"
    return LaboratoryClient(
        client_id, report.num_characters, report.num_batches, why if report.is_too_small else ""
    )


def _optimizer(where, choices, name, rate):
    first_rate, build = choose(f"{where}_optimizer", choices, name)
    rate = first_rate if rate is None else rate
    if not (isinstance(rate, int | float) and math.isfinite(rate) and rate >= 0):
        raise ValueError(f"{where}_rate={rate!r}: give a number of at least 0, such as {first_rate}.")
    return build(float(rate))
