"""A cohort spread over several of TFF's workers."""

import os
import signal
import threading
import time

import numpy as np
import pytest
import runtime_computations
import tensorflow as tf
import tensorflow_federated as tff
from runtime_workers import needs_worker

import fedlab
from fedlab.runtime import tff_workers, worker_process

pytestmark = [needs_worker, pytest.mark.slow]

VECTOR = tff.TensorType(np.float32, [2])


@tff.federated_computation(tff.FederatedType(VECTOR, tff.CLIENTS), tff.FederatedType(np.float32, tff.CLIENTS))
def weighted_mean(vectors, weights):
    return tff.federated_mean(vectors, weights)


add = tff.tensorflow.computation(lambda a, b: a + b, (np.float32, np.float32))


@tff.federated_computation(
    tff.FederatedType(np.float32, tff.CLIENTS), tff.FederatedType(np.float32, tff.SERVER)
)
def sum_shifted(numbers, shift):
    """Takes a server's value after the clients': shift + number, summed over clients."""
    return tff.federated_sum(tff.federated_map(add, (numbers, tff.federated_broadcast(shift))))


@tff.tensorflow.computation(np.int64)
def count_to(limit):
    return tf.while_loop(lambda i: i < limit, lambda i: i + 1, [tf.constant(0, tf.int64)])[0]


@tff.federated_computation(tff.FederatedType(np.int64, tff.CLIENTS))
def count_round(limits):
    return tff.federated_sum(tff.federated_map(count_to, limits))


@pytest.fixture
def workers(in_process):
    """Starts workers that listen on loopback, as other machines' would on a network."""
    started = []

    def start(count):
        binary = worker_process.find_binary()
        for _ in range(count):
            started.append(worker_process.WorkerProcess(binary, deadline_s=120, reachable_from_network=True))
        return started

    yield start
    for worker in started:
        worker.stop()


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("num_clients", [1, 4, 5])
def test_a_spread_cohort_gives_what_one_process_gives(workers, count, num_clients):
    random = np.random.default_rng(0)
    vectors = list(random.normal(size=[num_clients, 2]).astype(np.float32))
    weights = [np.float32(index + 1) for index in range(num_clients)]
    expected = weighted_mean(vectors, weights)
    context = fedlab.runtime.use_remote_workers([worker.target for worker in workers(count)])
    np.testing.assert_allclose(weighted_mean(vectors, weights), expected, rtol=1e-6)
    assert len(context.targets) == count


def test_every_client_counts_once_whatever_stands_beside_them(workers):
    fedlab.runtime.use_remote_workers([worker.target for worker in workers(2)])
    assert sum_shifted([1.0, 2.0, 4.0, 8.0, 16.0], 100.0) == 531.0


def test_federated_averaging_over_workers_is_federated_averaging(workers):
    def rounds():
        process = tff.learning.algorithms.build_weighted_fed_avg(
            runtime_computations.linear_model, tff.learning.optimizers.build_sgdm(0.05)
        )
        state = process.initialize()
        for _ in range(2):
            state = process.next(state, runtime_computations.client_datasets()).state
        return process.get_model_weights(state).trainable

    expected = rounds()
    fedlab.runtime.use_remote_workers([worker.target for worker in workers(2)])
    for actual, wanted in zip(rounds(), expected, strict=True):
        np.testing.assert_allclose(actual, wanted, rtol=1e-5)


def kill_during_the_round(worker, after_s=1.0):
    threading.Timer(after_s, os.kill, [worker.pid, signal.SIGKILL]).start()


def test_a_worker_that_dies_mid_round_is_named_and_the_round_can_be_repeated(workers):
    started = workers(2)
    targets = [worker.target for worker in started]
    fedlab.runtime.use_remote_workers(targets, connect_s=3)
    assert count_round([10, 10]) == 20
    kill_during_the_round(started[1])
    with pytest.raises(fedlab.runtime.WorkerLostError, match=targets[1]) as caught:
        count_round([2_000_000] * 2)
    assert caught.value.target == targets[1]
    fedlab.runtime.use_remote_workers(targets[:1])
    assert count_round([10, 10]) == 20


def test_training_goes_on_with_the_workers_that_are_left(workers):
    started = workers(2)
    context = fedlab.runtime.use_remote_workers(
        [worker.target for worker in started], on_lost="continue", connect_s=3
    )
    assert count_round([10, 10]) == 20
    kill_during_the_round(started[0])
    assert count_round([2_000_000] * 2) == 4_000_000
    assert context.targets == [started[1].target]
    assert count_round([10, 10, 10]) == 30


def test_a_worker_that_is_not_there_is_named_at_once():
    started = time.monotonic()
    with pytest.raises(tff_workers.WorkerLostError, match="127.0.0.1:9"):
        fedlab.runtime.use_remote_workers(["127.0.0.1:9"], connect_s=1)
    assert time.monotonic() - started < 100  # gRPC would try for ever.


@pytest.mark.parametrize("targets", ["host:1", [], None])
def test_targets_must_be_a_list(targets):
    with pytest.raises(ValueError, match="give a list of workers"):
        fedlab.runtime.use_remote_workers(targets)
