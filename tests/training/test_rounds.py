"""Rounds with the real pretrained model, and with small ones where only the loop matters."""

import itertools
import os
import signal
import types
import warnings

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff

from fedlab.datasets import load_shakespeare
from fedlab.datasets.federated_text import from_speeches
from fedlab.datasets.preprocessed_clients import preprocess_clients
from fedlab.datasets.preprocessing import Preprocessing
from fedlab.datasets.sequences import SmallClientWarning, make_batches
from fedlab.models.char_rnn import build_char_rnn
from fedlab.models.dickens import load_dickens
from fedlab.training import (
    Server,
    TrainingDivergedError,
    assign_weights,
    evaluate,
    make_model_fn,
    make_weights_evaluation,
    run_rounds,
    start_server,
)

CLIENTS = from_speeches(
    {name: [name * 900, "the cat sat on the mat. " * 40] for name in "abcd"} | {"tiny": ["x"]}
)
LARGE = list("abcd")


def fed_avg(model, client_rate=0.5):
    return tff.learning.algorithms.build_weighted_fed_avg(
        make_model_fn(model),
        client_optimizer_fn=tff.learning.optimizers.build_sgdm(client_rate),
        server_optimizer_fn=tff.learning.optimizers.build_sgdm(1.0),
    )


@pytest.fixture(scope="module")
def small_model():
    return build_char_rnn(8, rnn_units=8, seed=1)


@pytest.fixture(scope="module")
def small_process(small_model):
    return fed_avg(small_model)


@pytest.fixture
def server(small_process, small_model):
    return start_server(small_process, small_model)


@pytest.fixture(scope="module")
def dickens():
    """(pretrained model, FedAvg process over it)."""
    model = load_dickens(8)
    return model, fed_avg(model, client_rate=1.0)


def numbers_of(records):
    """What must repeat: everything but the seconds."""
    return [(r.round_number, r.cohort, r.num_examples_by_client, r.metrics, r.held_out) for r in records]


# --- the pretrained model -------------------------------------------------------------------------


def test_server_starts_with_the_pretrained_weights(dickens):
    model, process = dickens
    weights = start_server(process, model).model_weights
    pretrained = [variable.numpy() for variable in model.trainable_variables]
    assert all(np.array_equal(a, b) for a, b in zip(weights.trainable, pretrained, strict=True))


def test_first_batchs_loss_in_the_first_round_is_the_pretrained_models(dickens):
    model, process = dickens
    batch = make_batches(load_shakespeare()[0].create_tf_dataset_for_client("KING_LEAR_LEAR")).take(1)
    inputs, targets = next(iter(batch))
    model.reset_states()
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)(targets, model(inputs))
    metrics = process.next(start_server(process, model).state, [batch]).metrics["client_work"]["train"]
    assert metrics["loss"] == pytest.approx(float(loss), rel=1e-4)
    assert float(loss) < 2.5  # a random model's is log(86) = 4.45


@pytest.mark.slow
def test_fine_tuning_improves_held_out_text_and_the_weights_go_back_into_keras(dickens):
    model, process = dickens
    train, test = load_shakespeare()
    clients = ["ROMEO_AND_JULIET_ROMEO", "ROMEO_AND_JULIET_JULIET", "OTHELLO_IAGO"]
    before = evaluate(model, test, clients)
    server = start_server(process, model)
    tuned = load_dickens(8)
    records = list(
        run_rounds(
            server,
            train,
            2,
            client_ids=clients,
            seed=1,
            evaluate_weights=make_weights_evaluation(tuned, test, clients),
        )
    )
    after = records[-1].held_out
    assert after.loss < before.loss - 0.05
    assert after.accuracy > before.accuracy
    writer = load_dickens(1)
    assign_weights(server.model_weights, writer)
    for ours, servers, pretrained in zip(
        writer.get_weights(), server.model_weights.trainable, model.get_weights(), strict=True
    ):
        assert np.array_equal(ours, servers)
        assert not np.array_equal(ours, pretrained)


# --- the loop -------------------------------------------------------------------------------------


def test_record_says_who_trained_on_how_much(server):
    record = next(run_rounds(server, CLIENTS, 1, client_ids=LARGE, local_epochs=2, seed=1))
    assert record.round_number == server.round_number == 1
    assert record.cohort == tuple(LARGE)
    # 900 + 960 characters are 18 windows of 101, two batches of 8, gone through twice
    assert record.num_examples_by_client == dict.fromkeys(LARGE, 32)
    assert record.metrics["num_examples"] == 4 * 32
    assert record.loss == record.metrics["loss"] > 0
    assert 0 <= record.accuracy <= 1
    assert record.held_out is None


def test_same_seed_gives_the_same_records_twice(small_process, small_model):
    def run(seed):
        return numbers_of(
            run_rounds(
                start_server(small_process, small_model),
                CLIENTS,
                3,
                client_ids=LARGE,
                clients_per_round=2,
                seed=seed,
            )
        )

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_stopped_training_goes_on_as_if_nothing_had_been(small_process, small_model):
    settings = dict(client_ids=LARGE, clients_per_round=2, seed=3)
    whole = start_server(small_process, small_model)
    expected = numbers_of(run_rounds(whole, CLIENTS, 4, **settings))

    stopped = start_server(small_process, small_model)
    records = list(itertools.islice(run_rounds(stopped, CLIENTS, 4, **settings), 1))
    assert stopped.round_number == 1
    records += run_rounds(stopped, CLIENTS, 3, **settings)
    assert numbers_of(records) == expected
    for ours, theirs in zip(stopped.model_weights.trainable, whole.model_weights.trainable, strict=True):
        assert np.array_equal(ours, theirs)


def test_interrupt_in_a_round_keeps_the_round_before(server, small_process, monkeypatch):
    rounds = run_rounds(server, CLIENTS, 3, client_ids=LARGE, seed=1)
    next(rounds)
    kept = server.state

    class Interrupting:
        def next(self, state, datasets):
            small_process.next(state, datasets)
            raise KeyboardInterrupt

    monkeypatch.setattr(server, "process", Interrupting())
    with pytest.raises(KeyboardInterrupt):
        next(rounds)
    assert server.state is kept
    assert server.round_number == 1


def test_an_interrupt_while_batches_are_made_waits_until_they_are(server, monkeypatch):
    made = []

    def make_interrupted(preprocessing, *arguments, **settings):
        os.kill(os.getpid(), signal.SIGINT)
        made.append(make(preprocessing, *arguments, **settings))
        return made[-1]

    make = Preprocessing.batches
    monkeypatch.setattr(Preprocessing, "batches", make_interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(run_rounds(server, CLIENTS, 1, client_ids=LARGE))
    assert len(made) == 1 and server.round_number == 0


def test_held_out_evaluation_comes_every_so_many_rounds_and_at_the_end(server, small_model):
    evaluate_weights = make_weights_evaluation(small_model, CLIENTS, ["a"])
    records = list(
        run_rounds(
            server, CLIENTS, 5, client_ids=["a"], seed=1, evaluate_weights=evaluate_weights, evaluate_every=2
        )
    )
    assert [record.held_out is not None for record in records] == [False, True, False, True, True]
    assign_weights(server.model_weights, small_model)
    assert evaluate(small_model, CLIENTS, ["a"]) == records[-1].held_out


def test_tiny_clients_are_left_out_by_name(server):
    with pytest.warns(SmallClientWarning, match=r"1 of 5 clients.*tiny \(1\)"):
        record = next(run_rounds(server, CLIENTS, 1, seed=1))
    assert "tiny" not in record.cohort


def test_other_batches_are_a_setting_of_one_place():
    preprocessing = Preprocessing(batch_size=4, sequence_length_chars=20)
    model = build_char_rnn(4, rnn_units=8, seed=1)
    process = tff.learning.algorithms.build_weighted_fed_avg(
        make_model_fn(model, preprocessing=preprocessing),
        client_optimizer_fn=tff.learning.optimizers.build_sgdm(0.5),
    )
    server = start_server(process, model)
    (record,) = run_rounds(server, CLIENTS, 1, client_ids=["a"], preprocessing=preprocessing)
    # 1,860 characters are 88 windows of 21, in 22 batches of 4.
    assert record.num_examples_by_client == {"a": 88}
    assert (record.num_batches, record.metrics["num_batches"]) == (22, 22)


def test_clients_that_were_read_are_not_read_again(server):
    clients = preprocess_clients(CLIENTS)
    (expected,) = run_rounds(server, CLIENTS, 1, client_ids=LARGE, clients_per_round=2, seed=5)
    server.round_number = 0
    (record,) = run_rounds(server, clients, 1, client_ids=LARGE, clients_per_round=2, seed=5)
    assert record.cohort == expected.cohort
    assert record.num_examples_by_client == expected.num_examples_by_client


@pytest.mark.parametrize(("client_rate", "local_epochs"), [(3e38, 3), (np.inf, 1)])
def test_diverged_training_keeps_the_last_good_round(small_model, client_rate, local_epochs):
    server = start_server(fed_avg(small_model, client_rate), small_model)
    kept = server.state
    with pytest.raises(TrainingDivergedError, match="Round 1: .* NaN or infinite.*smaller learning rate"):
        list(run_rounds(server, CLIENTS, 3, client_ids=["a"], local_epochs=local_epochs, seed=1))
    assert server.state is kept
    assert server.round_number == 0


class Reporting:
    """A learning process whose every round reports the same metrics of training."""

    def __init__(self, **metrics):
        self._output = types.SimpleNamespace(state="next", metrics={"client_work": {"train": metrics}})

    def next(self, state, datasets):
        return self._output


@pytest.mark.parametrize(
    "metrics",
    [
        {"loss": np.nan, "num_examples": 64},
        {"loss": np.inf, "num_examples": 64},
        # What TFF reports where it left out the updates of all clients, since none is finite.
        {"loss": 0.0, "num_examples": 0},
    ],
    ids=str,
)
def test_in_whatever_form_an_overflow_shows_it_is_the_same_error(metrics):
    server = Server(Reporting(**metrics), "first")
    with pytest.raises(TrainingDivergedError, match="^Round 1: the loss, or the updates of all"):
        list(run_rounds(server, CLIENTS, 1, client_ids=LARGE))
    assert (server.state, server.round_number) == ("first", 0)


def test_a_loss_that_is_a_number_is_no_error():
    server = Server(Reporting(loss=1e30, num_examples=64), "first")
    (record,) = run_rounds(server, CLIENTS, 1, client_ids=LARGE)
    assert (record.loss, server.state) == (1e30, "next")


def test_model_that_holds_nan_cannot_start(small_process):
    broken = build_char_rnn(8, rnn_units=8)
    broken.layers[2].bias.assign([np.nan] * 86)
    with pytest.raises(ValueError, match="'dense.*' of 'char_rnn' holds NaN or infinite values"):
        start_server(small_process, broken)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_rounds": 0}, "num_rounds=0"),
        ({"local_epochs": 0}, "local_epochs=0"),
        ({"evaluate_every": 0}, "evaluate_every=0"),
        ({"clients_per_round": 9}, "num_clients=9, but there are only 4"),
        ({"client_ids": ["tiny"]}, "None of the 1 clients has enough text"),
        ({"client_ids": ["e"]}, "client 'e' is not in the dataset"),
    ],
)
def test_impossible_settings_are_an_error_before_any_round(server, settings, message):
    with warnings.catch_warnings(), pytest.raises(ValueError, match=message):
        warnings.simplefilter("ignore", SmallClientWarning)
        run_rounds(server, CLIENTS, **({"num_rounds": 1, "client_ids": LARGE} | settings))
    assert server.round_number == 0


def test_record_holds_what_the_aggregator_measured(small_model):
    process = tff.learning.algorithms.build_weighted_fed_avg(
        make_model_fn(small_model),
        client_optimizer_fn=tff.learning.optimizers.build_sgdm(0.5),
        model_aggregator=tff.aggregators.zeroing_factory(
            1000.0, tff.aggregators.clipping_factory(1e-6, tff.aggregators.MeanFactory())
        ),
    )
    (record,) = run_rounds(start_server(process, small_model), CLIENTS, 1, client_ids=LARGE)
    measured = record.measurements
    assert measured["zeroing/clipped_count"] == 4  # All updates are longer than that.
    assert measured["zeroed_count"] == 0
    assert all(isinstance(value, float) for value in measured.values())


def test_record_of_a_plain_mean_measures_nothing(server):
    (record,) = run_rounds(server, CLIENTS, 1, client_ids=LARGE)
    assert record.measurements == {}
