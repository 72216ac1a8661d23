"""Clients side by side, each with variables of its own."""

import threading
import time

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff
from tensorflow.python.data.experimental.ops import testing

import fedlab
from fedlab.runtime.interpreter.cohorts import Cohort
from fedlab.runtime.interpreter.stopping import Interrupted, StopSignal


@tff.tensorflow.computation(tff.SequenceType(np.float32))
def sum_with_a_variable(numbers):
    total = tf.Variable(0.0)

    @tf.function
    def add(_, number):
        return total.assign_add(number)

    return numbers.reduce(0.0, add)


@tff.federated_computation(tff.FederatedType(tff.SequenceType(np.float32), tff.CLIENTS))
def sums(data):
    return tff.federated_map(sum_with_a_variable, data)


def clients(num_clients):
    return [tf.data.Dataset.from_tensors(np.float32(client)).repeat(200) for client in range(num_clients)]


@pytest.mark.parametrize("limit", [1, 2, 8])
def test_variables_begin_fresh_for_every_client_however_many_run_at_once(limit, in_process):
    fedlab.runtime.use_in_process(clients_at_a_time=limit)
    expected = [200 * client for client in range(16)]
    assert sums(clients(16)) == expected
    assert sums(clients(16)) == expected


def test_results_do_not_depend_on_how_many_clients_run_at_once(in_process):
    numbers = np.random.default_rng(0).normal(size=[20, 3]).astype(np.float32)
    mean = tff.federated_computation(
        lambda x: tff.federated_mean(x), tff.FederatedType(tff.TensorType(np.float32, [3]), tff.CLIENTS)
    )
    results = []
    for limit in (1, 3, 20):
        fedlab.runtime.use_in_process(clients_at_a_time=limit)
        results.append(mean(list(numbers)).tobytes())
    assert len(set(results)) == 1


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_no_more_clients_run_at_once_than_the_limit(limit):
    running, most, lock, all_here = 0, 0, threading.Lock(), threading.Barrier(limit)

    def work(_):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        all_here.wait(timeout=60)  # Passes only where as many as allowed are here together.
        with lock:
            running -= 1

    list(Cohort(2 * limit, limit, StopSignal()).for_each_client(work))
    assert most == limit


def test_clients_that_read_datasets_do_not_wait_for_each_other(in_process):
    slow = testing.sleep(50_000)  # Microseconds for each element: time that costs no processor.
    data = [tf.data.Dataset.from_tensors(np.float32(1)).repeat(10).apply(slow) for _ in range(4)]
    seconds = {}
    for limit in (1, 4):
        fedlab.runtime.use_in_process(clients_at_a_time=limit)
        sums(clients(4))  # Builds the graphs.
        started = time.perf_counter()
        assert sums(data) == [10] * 4
        seconds[limit] = time.perf_counter() - started
    assert seconds[1] > 4 * 0.5
    assert seconds[4] < seconds[1] / 2


def test_results_come_in_the_cohorts_order():
    cohort = Cohort(10, 4, StopSignal())
    late_first = [threading.Event() for _ in range(4)]

    def work(index):
        if index < 3:
            late_first[index + 1].wait(timeout=60)  # Each of the first waits for the one after it.
        if index < 4:
            late_first[index].set()
        return index

    assert list(cohort.for_each_client(work)) == list(range(10))


def test_a_stopped_cohort_does_not_go_on():
    stop_signal = StopSignal()
    stop_signal.set()
    with pytest.raises(Interrupted):
        list(Cohort(2, 1, stop_signal).for_each_client(lambda _: pytest.fail("a client was called")))
