"""What is heard of the clients of a round, against the round's record and the weights."""

import pytest

from fedlab.datasets.federated_text import from_speeches
from fedlab.models.char_rnn import build_char_rnn
from fedlab.runtime.watching.events import CLIENT_FINISHED, STEP_FINISHED, Event
from fedlab.runtime.watching.summaries import Summary
from fedlab.training import ClientRecord, Simulation, TrainingDivergedError, distance_between, weights_of
from fedlab.training.client_results import ClientListener

CLIENTS = from_speeches({"a": ["a" * 1700], "b": ["to be or not " * 200], "c": ["c" * 1700]})


@pytest.fixture(scope="module")
def model():
    return build_char_rnn(8, rnn_units=8, seed=1)


@pytest.fixture(scope="module")
def simulation(model):
    return Simulation(model, CLIENTS)


def test_the_clients_losses_weighted_by_examples_are_the_rounds(simulation):
    heard = []
    (record,) = simulation.start().rounds(1, heard.append)
    assert [client.client_id for client in heard] == list(record.cohort) == list("abc")
    weights = record.num_examples_by_client
    assert len(set(weights.values())) == 2  # Otherwise a plain mean would do.
    total = sum(weights.values())
    for name in ("loss", "accuracy"):
        mean = sum(weights[client.client_id] * getattr(client, name) for client in heard) / total
        assert mean == pytest.approx(record.metrics[name], rel=1e-5)
    assert all(client.seconds > 0 for client in heard)


def test_with_one_client_and_plain_averaging_its_updates_norm_is_the_way_the_server_goes(simulation, model):
    heard = []
    run = simulation.start(client_ids=["b"])
    list(run.rounds(1, heard.append))
    assert heard[0].update_norm == pytest.approx(
        distance_between(run.server.model_weights, weights_of(model)), rel=1e-4
    )


@pytest.mark.parametrize("aggregator", ["mean, clipped, zeroed", "median"])
def test_each_client_is_heard_once_whatever_else_the_process_does(simulation, aggregator):
    heard = []
    list(simulation.start(aggregator=aggregator).rounds(2, heard.append))
    assert [client.client_id for client in heard] == list("abcabc")
    assert all(client.loss > 0 and client.update_norm > 0 and not client.is_left_out for client in heard)


def test_a_client_whose_update_is_not_finite_is_heard_as_left_out(simulation):
    heard = []
    with pytest.raises(TrainingDivergedError):
        list(simulation.start(client_ids=["b"], client_rate=3e38).rounds(1, heard.append))
    assert [(client.client_id, client.is_left_out, client.update_norm) for client in heard] == [
        ("b", True, 0)
    ]


# --- Single events --------------------------------------------------------------------------------


def number(value):
    return Summary(str(value), shape=(), numbers=(value,))


def struct(norm=None, **parts):
    return Summary("<>", norm=norm, parts=parts)


RESULT = struct(update=struct(norm=0.5), update_weight=number(16))
METRICS = struct(
    loss=struct(**{"0": number(30.0), "1": number(16.0)}), accuracy=struct(**{"0": number(3), "1": number(4)})
)
WORK = struct(**{"0": RESULT, "1": METRICS})


def heard_of(value, kind=CLIENT_FINISHED, intrinsic="federated_map"):
    heard = []
    listener = ClientListener(("a", "b"), heard.append)
    listener(Event(kind, 1, "next_fn", 2, 7, intrinsic, client=1, seconds=0.25, value=value))
    return heard


def test_an_event_of_client_work_becomes_the_record_of_that_client():
    assert heard_of(WORK) == [ClientRecord("b", 0.25, 30 / 16, 3 / 4, 0.5, False)]


@pytest.mark.parametrize(
    "not_client_work", [RESULT, METRICS, number(16), None, struct(**{"0": METRICS, "1": RESULT})]
)
def test_other_values_of_clients_are_no_results(not_client_work):
    assert heard_of(not_client_work) == []


def test_other_steps_and_other_kinds_of_events_are_not_heard():
    assert heard_of(WORK, intrinsic="federated_aggregate") == heard_of(WORK, kind=STEP_FINISHED) == []


def test_what_was_not_measured_is_none():
    without_metrics = struct(**{"0": RESULT, "1": struct()})
    nothing_counted = struct(
        **{"0": RESULT, "1": struct(loss=struct(**{"0": number(0.0), "1": number(0.0)}))}
    )
    for work in (without_metrics, nothing_counted):
        (record,) = heard_of(work)
        assert (record.loss, record.accuracy, record.update_norm) == (None, None, 0.5)
