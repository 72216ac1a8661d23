"""A trace shows what happened at the clients, in the aggregation and at the server."""

import re
import threading

import numpy as np
import pytest
import tensorflow_federated as tff

import fedlab
from fedlab.runtime.watching import traces

weigh = tff.tensorflow.computation(lambda number, weight: number * weight, (np.float32, np.float32))


@tff.tensorflow.computation(np.float32)
def halve(number):
    return number / 2


@tff.federated_computation(
    tff.FederatedType(np.float32, tff.CLIENTS), tff.FederatedType(np.float32, tff.SERVER)
)
def half_of_weighted_sum(numbers, weight):
    weighted = tff.federated_map(weigh, (numbers, tff.federated_broadcast(weight)))
    return tff.federated_map(halve, tff.federated_sum(weighted))


def test_a_trace_prints_as_a_tree_with_every_clients_value():
    trace = traces.trace(half_of_weighted_sum, [1.0, 2.0, 3.0], 10.0)
    assert trace.result == 30.0
    text = re.sub(r"[\d.e-]+ s\b", "_ s", str(trace))
    assert (
        text
        == """\
half_of_weighted_sum, 3 clients, _ s
├─ at the clients: [federated_broadcast], _ s
│  └─ result: 10
├─ at the clients: lambda [federated_map], _ s
│  ├─ client 0: 10
│  ├─ client 1: 20
│  └─ client 2: 30
├─ aggregation: [federated_aggregate], _ s
│  ├─ after client 0: 10
│  ├─ after client 1: 30
│  ├─ after client 2: 60
│  └─ result: 60
└─ at the server: halve [federated_apply], _ s
   └─ result: 30"""
    )


def test_a_large_cohort_is_cut_short_in_print_and_whole_in_rows():
    trace = traces.trace(half_of_weighted_sum, [1.0] * 12, 1.0)
    assert "and 2 more clients" in str(trace)
    mapped = [
        row for row in trace.rows() if row["intrinsic"] == "federated_map" and row["client"] is not None
    ]
    assert [row["client"] for row in mapped] == list(range(12))
    assert {row["numbers"] for row in mapped} == {(1.0,)}


def test_rows_say_what_went_in_and_what_came_out():
    trace = traces.trace(half_of_weighted_sum, [1.0, 2.0], 10.0)
    rows = [(row["function"], row["client"], row["argument"], row["text"]) for row in trace.rows()]
    at_clients = [row for row in rows if row[0] == "lambda" and row[1] is not None]
    assert at_clients == [("lambda", 0, "<0=1, 1=10>", "10"), ("lambda", 1, "<0=2, 1=10>", "20")]
    (aggregation,) = [step for step in trace.steps if step.where == "aggregation"]
    assert [(part.argument.text, part.value.text) for part in aggregation.clients] == [
        ("10", "10"),
        ("20", "30"),
    ]
    assert ("halve", None, "30", "15") in rows
    (broadcast,) = [step for step in trace.steps if step.intrinsic == "federated_broadcast"]
    assert broadcast.argument.text == "10"


def test_the_steps_of_tffs_own_factories_have_their_names():
    process = tff.aggregators.zeroing_factory(1.0, tff.aggregators.MeanFactory()).create(
        tff.TensorType(np.float32), tff.TensorType(np.float32)
    )
    trace = traces.trace(process.next, process.initialize(), [1.0, 2.0], [1.0, 1.0])
    named = [step.function for step in trace.steps if step.function and not step.is_plumbing]
    assert named == ["zero_fn", "_mul", "_div"]


def test_a_trace_is_of_its_own_call_while_other_threads_compute():
    stop = threading.Event()

    def compute_elsewhere():
        while not stop.is_set():
            half_of_weighted_sum([7.0], 1.0)

    elsewhere = threading.Thread(target=compute_elsewhere)
    elsewhere.start()
    try:
        recorded = [traces.trace(half_of_weighted_sum, [1.0, 2.0, 3.0], 10.0) for _ in range(20)]
    finally:
        stop.set()
        elsewhere.join()
    assert {trace.num_clients for trace in recorded} == {3}
    assert {trace.steps[-1].value.text for trace in recorded} == {"30"}


def test_a_trace_elsewhere_than_in_this_process_says_so():
    def not_a_computation():
        return 1

    with pytest.raises(RuntimeError, match="use_in_process"):
        fedlab.runtime.trace(not_a_computation)
