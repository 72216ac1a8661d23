import gc
import threading
import weakref

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff

import fedlab
from fedlab.runtime import compiling
from fedlab.runtime.interpreter import cohort_passes, programs
from fedlab.runtime.watching import events

NUMBERS = tff.TensorType(np.float32, [3])
AT_CLIENTS = tff.FederatedType(NUMBERS, tff.CLIENTS)


@tff.tensorflow.computation(NUMBERS)
def double(numbers):
    return numbers * 2


@tff.tensorflow.computation(NUMBERS, NUMBERS)
def subtract(left, right):
    return left - right


@tff.federated_computation(AT_CLIENTS)
def two_sums(numbers):
    doubled = tff.federated_map(double, numbers)
    return tff.federated_sum(doubled), tff.federated_sum(tff.federated_map(double, doubled))


@tff.federated_computation(AT_CLIENTS)
def sum_and_values(numbers):
    doubled = tff.federated_map(double, numbers)
    return tff.federated_sum(doubled), doubled


@tff.federated_computation(AT_CLIENTS)
def sum_of_distances(numbers):
    """The clients want what the server made of all of them: two passes."""
    doubled = tff.federated_map(double, numbers)
    mean = tff.federated_broadcast(tff.federated_mean(doubled))
    distances = tff.federated_map(subtract, tff.federated_zip((doubled, mean)))
    return tff.federated_sum(distances), tff.federated_sum(doubled)


def clients(num_clients):
    return list(np.random.default_rng(0).normal(size=[num_clients, 3]).astype(np.float32))


def stages_of(computation):
    """The stages of a computation's outermost block."""
    block = compiling.SHARED.compile(computation)._block.result
    program = programs.Program(block, None)
    return cohort_passes.plan(block, program._free_names)


def passes_of(computation):
    return [[local.uri for local in stage.locals] for stage in stages_of(computation) if stage.is_pass]


def test_steps_that_hang_together_are_one_pass():
    (uris,) = passes_of(two_sums)
    assert uris.count("federated_aggregate") == 2
    assert uris.count("federated_map") >= 2


def test_a_pass_ends_where_clients_need_what_the_server_made_of_it():
    first, second = passes_of(sum_of_distances)
    assert "federated_aggregate" in first
    assert second[-1] == "federated_aggregate"


@pytest.mark.parametrize("num_clients", [0, 1, 7])
@pytest.mark.parametrize("at_a_time", [1, 3])
def test_sums_are_those_of_all_clients_in_the_cohorts_order(num_clients, at_a_time, in_process):
    fedlab.runtime.use_in_process(clients_at_a_time=at_a_time)
    numbers = clients(num_clients)
    total = np.zeros(3, np.float32)
    for client in numbers:
        total = total + 2 * client
    once, twice = two_sums(numbers)
    np.testing.assert_array_equal(once, total)
    np.testing.assert_allclose(twice, 2 * total, rtol=1e-6)


@pytest.mark.parametrize("at_a_time", [1, 3])
def test_values_of_the_clients_that_are_asked_for_are_kept(at_a_time, in_process):
    fedlab.runtime.use_in_process(clients_at_a_time=at_a_time)
    total, doubled = sum_and_values(clients(5))
    np.testing.assert_array_equal(doubled, 2 * np.array(clients(5)))
    np.testing.assert_allclose(total, np.sum(doubled, axis=0), rtol=1e-6)


@pytest.mark.parametrize("at_a_time", [1, 3])
def test_two_passes_give_what_numpy_gives(at_a_time, in_process):
    fedlab.runtime.use_in_process(clients_at_a_time=at_a_time)
    doubled = 2 * np.array(clients(6))
    distances, total = sum_of_distances(clients(6))
    np.testing.assert_allclose(distances, (doubled - doubled.mean(axis=0)).sum(axis=0), atol=1e-5)
    np.testing.assert_allclose(total, doubled.sum(axis=0), rtol=1e-5)


@pytest.mark.parametrize("at_a_time", [1, 2])
def test_few_of_the_clients_values_are_held_at_once(at_a_time, in_process, monkeypatch):
    fedlab.runtime.use_in_process(clients_at_a_time=at_a_time)
    held, most, lock = weakref.WeakSet(), 0, threading.Lock()
    finished = events.CLIENT_FINISHED

    class Watched:
        """Stands for a client's large value: the tensor that it holds is not copied."""

    def remember(event):
        nonlocal most
        if event.kind == finished:
            with lock:
                most = max(most, len(held))

    def watch(function):
        def watched(self, index):
            own = function(self, index)
            own["watched"] = Watched()
            with lock:
                held.add(own["watched"])
            return own

        return watched

    monkeypatch.setattr(cohort_passes._Pass, "_at_client", watch(cohort_passes._Pass._at_client))
    gc.collect()
    with events.listening(remember):
        two_sums(clients(20))
    assert 1 <= most <= at_a_time + 2


def told(computation, at_a_time):
    fedlab.runtime.use_in_process(clients_at_a_time=at_a_time)
    heard = []
    with events.listening(heard.append, values=True):
        computation(clients(3))
    return heard


@pytest.mark.parametrize("computation", [two_sums, sum_of_distances, sum_and_values])
def test_listeners_hear_one_step_after_the_other(computation, in_process):
    heard = [event for event in told(computation, at_a_time=1) if event.step is not None]
    steps = [event.step for event in heard]
    assert steps == sorted(steps)
    assert set(steps) == set(range(max(steps) + 1))
    for number in set(steps):
        kinds = [event.kind for event in heard if event.step == number]
        assert kinds[0] == events.STEP_STARTED
        assert kinds[-1] == events.STEP_FINISHED
        assert set(kinds[1:-1]) <= {events.CLIENT_FINISHED}
    names = [event.intrinsic for event in heard if event.kind == events.STEP_STARTED]
    assert names == [local.uri or _called(local) for stage in _in_order(computation) for local in [stage]]


def _in_order(computation):
    found = [local for stage in stages_of(computation) for local in stage.locals]
    return sorted(found, key=lambda local: local.step)


def _called(local):
    return getattr(local.block.function, "uri", "")


@pytest.mark.parametrize("at_a_time", [1, 2])
def test_every_client_is_told_of_in_every_step_with_its_value(at_a_time, in_process):
    heard = told(two_sums, at_a_time)
    doubled = 2 * np.array(clients(3))
    of_first = [e for e in heard if e.kind == events.CLIENT_FINISHED and e.function == "double"][:3]
    assert sorted(event.client for event in of_first) == [0, 1, 2]
    for event in of_first:
        np.testing.assert_allclose(event.value.numbers, doubled[event.client], rtol=1e-6)
        np.testing.assert_allclose(event.argument.numbers, doubled[event.client] / 2, rtol=1e-6)


@tff.federated_computation(AT_CLIENTS)
def sum_of_finite(numbers):
    def check(values):
        return tf.debugging.assert_all_finite(values, "not a number")

    return tff.federated_sum(tff.federated_map(tff.tensorflow.computation(check), numbers))


@pytest.mark.parametrize("at_a_time", [1, 3])
def test_a_client_that_fails_is_named_and_ends_the_pass(at_a_time, in_process):
    fedlab.runtime.use_in_process(clients_at_a_time=at_a_time)
    numbers = clients(6)
    numbers[2] = np.full(3, np.nan, np.float32)
    with pytest.raises(fedlab.runtime.ComputationError, match="failed at client 2"):
        sum_of_finite(numbers)
    np.testing.assert_allclose(sum_of_finite(clients(6)), np.sum(clients(6), axis=0), rtol=1e-5)


def test_a_listener_that_raises_in_a_pass_ends_it(in_process):
    fedlab.runtime.use_in_process(clients_at_a_time=2)

    def drop(event):
        if event.kind == events.CLIENT_FINISHED and event.client == 1:
            raise LookupError("dropped")

    with events.listening(drop), pytest.raises(LookupError, match="dropped"):
        two_sums(clients(8))
    assert len(two_sums(clients(2))) == 2


def test_an_error_while_adding_up_stops_the_clients_that_are_under_way(in_process):
    fedlab.runtime.use_in_process(clients_at_a_time=2)

    def fail_at_first_total(event):
        if event.kind == events.CLIENT_FINISHED and event.intrinsic == "federated_aggregate":
            raise LookupError("no total")

    with events.listening(fail_at_first_total), pytest.raises(LookupError, match="no total"):
        two_sums(clients(50))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("fedlab-client")]
