"""What the runtime tells its listeners."""

import numpy as np
import pytest
import tensorflow_federated as tff

import fedlab
from fedlab.runtime.watching import events

AT_CLIENTS = tff.FederatedType(np.float32, tff.CLIENTS)


@tff.tensorflow.computation(np.float32)
def double(number):
    return number * 2


@tff.federated_computation(AT_CLIENTS)
def total_of_doubles(numbers):
    return tff.federated_sum(tff.federated_map(double, numbers))


def events_of(computation, *arguments, values=False):
    heard = []
    with events.listening(heard.append, values=values):
        computation(*arguments)
    return heard


def test_a_call_is_told_in_order_from_start_to_end():
    heard = events_of(total_of_doubles, [1.0, 2.0])
    told = [(event.kind, event.intrinsic, event.client) for event in heard]
    assert told[0] == ("computation_started", "", None)
    assert told[-1] == ("computation_finished", "", None)
    mapped = [event for event in heard if event.intrinsic == "federated_map"]
    assert [event.kind for event in mapped] == ["step_started", *["client_finished"] * 2, "step_finished"]
    assert sorted(event.client for event in mapped[1:3]) == [0, 1]
    assert {event.function for event in mapped} == {"double"}
    assert {event.placement for event in mapped} == {"clients"}
    assert {(event.computation, event.num_clients, event.call) for event in heard} == {
        ("total_of_doubles", 2, heard[0].call)
    }


def test_finished_events_carry_seconds_and_started_ones_do_not():
    for event in events_of(total_of_doubles, [1.0]):
        assert (event.seconds is not None) == event.kind.endswith("finished")
        assert event.seconds is None or 0 <= event.seconds < 60


def test_values_come_to_those_who_ask():
    with_values = events_of(total_of_doubles, [1.0, 4.0], values=True)
    of_clients = {
        e.client: e.value.numbers for e in with_values if e.kind == "client_finished" and e.function
    }
    assert of_clients == {0: (2.0,), 1: (8.0,)}
    running_totals = [e.value.numbers for e in with_values if e.kind == "client_finished" and not e.function]
    assert running_totals == [(2.0,), (10.0,)]
    assert with_values[-1].value.numbers == (10.0,)
    added = [e.argument.numbers for e in with_values if e.kind == "client_finished" and not e.function]
    assert added == [(2.0,), (8.0,)]
    without_values = events_of(total_of_doubles, [1.0, 4.0])
    assert all(event.value is None and event.argument is None for event in without_values)


def test_values_are_made_for_those_events_that_a_listener_names():
    wanted = events_of(total_of_doubles, [1.0, 4.0], values=lambda event: event.function == "double")
    of_clients = [event for event in wanted if event.kind == "client_finished" and event.function == "double"]
    assert [event.value.numbers for event in of_clients] == [(2.0,), (8.0,)]
    assert all(
        event.value is None and event.argument is None for event in wanted if event.function != "double"
    )


def test_a_failure_is_told_with_its_reason():
    heard = []
    check = tff.tensorflow.computation(
        lambda x: tff.tensorflow.computation and __import__("tensorflow").ensure_shape(x, [2]),
        tff.TensorType(np.float32, [None]),
    )
    with events.listening(heard.append), pytest.raises(fedlab.runtime.ComputationError):
        check([1.0, 2.0, 3.0])
    assert heard[-1].kind == "computation_failed"
    assert "is not compatible with expected shape [2]" in heard[-1].error


def test_nobody_hears_anything_after_leaving():
    heard = []
    stop = events.listen(heard.append)
    double(1.0)
    stop()
    count = len(heard)
    double(1.0)
    assert count > 0
    assert len(heard) == count


def test_summaries_are_bounded():
    make = tff.tensorflow.computation(lambda x: (x, x[:3]), tff.TensorType(np.float32, [1000]))
    value = events_of(make, np.full(1000, 2, np.float32), values=True)[-1].value
    assert value.parts["0"].numbers is None
    assert value.parts["0"].norm == pytest.approx(2 * 1000**0.5)
    assert value.parts["1"].numbers == (2.0, 2.0, 2.0)
    assert value.norm == pytest.approx(2 * 1003**0.5)
    assert len(value.text) < 200
