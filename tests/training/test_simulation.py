import itertools

import numpy as np
import pytest
import tensorflow_federated as tff

from fedlab.datasets.federated_text import from_speeches
from fedlab.datasets.preprocessing import Preprocessing
from fedlab.models.char_rnn import build_char_rnn
from fedlab.training import Simulation, evaluate
from fedlab.training.catalog import AGGREGATORS, CLIENT_OPTIMIZERS, SERVER_OPTIMIZERS

# 1,700 characters are 16 windows of 101: two batches of 8.
CLIENTS = from_speeches({name: [name * 1700] for name in "abcd"} | {"tiny": ["x" * 311]})


@pytest.fixture(scope="module")
def model():
    return build_char_rnn(8, rnn_units=8, seed=1)


@pytest.fixture(scope="module")
def simulation(model):
    return Simulation(model, CLIENTS, CLIENTS, aggregators={"plain sum": tff.aggregators.SumFactory})


def test_its_clients_say_who_cannot_train_and_why(simulation):
    by_id = {client.client_id: client for client in simulation.clients}
    assert by_id["tiny"].why_left_out == "needs 808 characters for one batch, has 311"
    assert [(c.num_characters, c.num_batches, c.why_left_out) for c in simulation.clients[:4]] == [
        (1700, 2, "")
    ] * 4


def test_a_run_starts_from_the_models_weights_and_their_evaluation(simulation, model):
    run = simulation.start()
    assert run.round_number == 0
    assert run.before == evaluate(model, CLIENTS)
    for ours, weights in zip(run.server.model_weights.trainable, model.get_weights(), strict=True):
        assert np.array_equal(ours, weights)


def test_training_leaves_the_model_as_it_was(simulation, model):
    before = model.get_weights()
    assert_trains(simulation.start(clients_per_round=1))
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def assert_trains(run):
    (record,) = run.rounds(1)
    assert record.held_out.loss < run.before.loss


CHOICES = CLIENT_OPTIMIZERS, SERVER_OPTIMIZERS, AGGREGATORS


# Each of them once, in as few runs as there are of the longest list.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("client_optimizer", "server_optimizer", "aggregator"),
    itertools.islice(zip(*map(itertools.cycle, CHOICES), strict=False), max(map(len, CHOICES))),
)
def test_every_choice_trains_with_its_first_rate(simulation, client_optimizer, server_optimizer, aggregator):
    run = simulation.start(
        client_ids=["a"],
        client_optimizer=client_optimizer,
        server_optimizer=server_optimizer,
        aggregator=aggregator,
    )
    assert_trains(run)


def test_rates_are_those_asked_for(simulation):
    run = simulation.start(client_ids=["a"], client_rate=0)
    (record,) = run.rounds(1)
    assert record.held_out.accuracy_by_client == run.before.accuracy_by_client


def test_ones_own_aggregator_is_offered_and_checked(simulation):
    assert simulation.aggregators[-1] == "plain sum"
    with pytest.raises(TypeError, match="SumFactory adds the clients' updates up"):
        simulation.start(aggregator="plain sum")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"client_optimizer": "Adamm"}, "client_optimizer='Adamm': choose from 'SGD'"),
        ({"server_optimizer": "sgd"}, "server_optimizer='sgd': choose from"),
        ({"aggregator": "mode"}, "aggregator='mode': choose from 'mean'.*'plain sum'"),
        ({"client_rate": -1}, "client_rate=-1: give a number of at least 0, such as 0.3"),
        ({"server_rate": float("nan")}, "server_rate=nan"),
        ({"local_epochs": 0}, "local_epochs=0"),
        ({"clients_per_round": 5}, "num_clients=5, but there are only 4"),
        ({"client_ids": ["e"]}, "client 'e' is not in the simulation"),
        ({"client_ids": []}, "choose at least one"),
        ({"client_ids": ["tiny"]}, "No client that can train"),
    ],
)
def test_impossible_settings_are_named(simulation, settings, message):
    with pytest.raises(ValueError, match=message):
        simulation.start(**settings)


def test_a_simulation_where_nobody_can_train_is_refused(model):
    with pytest.raises(ValueError, match="None of the 1 clients has the 808 characters"):
        Simulation(model, CLIENTS, client_ids=["tiny"])


def test_its_batches_and_what_it_evaluates_on_are_those_of_its_preprocessing():
    preprocessing = Preprocessing(batch_size=3, sequence_length_chars=99)
    simulation = Simulation(build_char_rnn(3, rnn_units=8), CLIENTS, CLIENTS, preprocessing=preprocessing)
    by_id = {client.client_id: client for client in simulation.clients}
    # 1,700 characters are 17 windows of 100, in 5 batches of 3; 311 are one.
    assert (by_id["a"].num_batches, by_id["tiny"].num_batches) == (5, 1)
    (record,) = simulation.start(client_ids=["a", "tiny"]).rounds(1)
    assert record.metrics["num_batches"] == record.num_batches == 6
    assert record.held_out.num_characters == (4 * 17 + 3) * 99


def test_without_held_out_text_nothing_is_evaluated(model):
    run = Simulation(model, CLIENTS).start(client_ids=["a"])
    assert run.before is None
    assert next(run.rounds(1)).held_out is None
