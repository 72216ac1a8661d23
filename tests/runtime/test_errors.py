"""Failures inside a computation name the computation, the client and what TensorFlow said."""

import pickle
import re

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff

import fedlab

VECTOR = tff.TensorType(np.float32, [None])


@tff.tensorflow.computation(VECTOR)
def add_two_numbers(vector):
    return vector + tf.ones([2])


@tff.federated_computation(tff.FederatedType(VECTOR, tff.CLIENTS))
def training_round(vectors):
    return tff.federated_map(add_two_numbers, vectors)


@pytest.mark.parametrize("limit", [1, 4])
def test_an_error_names_computation_function_client_and_tensorflows_reason(limit, in_process):
    fedlab.runtime.use_in_process(clients_at_a_time=limit)
    with pytest.raises(fedlab.runtime.ComputationError) as caught:
        training_round([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0, 3.0]])
    error = caught.value
    assert (error.computation, error.function, error.client, error.num_clients) == (
        "training_round",
        "add_two_numbers",
        2,
        3,
    )
    assert "client 2 (of 3, counted from 0)" in str(error)
    assert re.search(
        r"InvalidArgumentError: Incompatible shapes: \[[23]\] vs. \[[23]\]$", str(error), re.MULTILINE
    )
    assert "[clients[2]]" in str(error)
    assert isinstance(error.__cause__, tf.errors.InvalidArgumentError)


def test_an_error_outside_clients_names_no_client():
    with pytest.raises(fedlab.runtime.ComputationError) as caught:
        add_two_numbers([1.0])
        add_two_numbers([1.0, 2.0, 3.0])
    assert caught.value.client is None
    assert "client" not in str(caught.value)


def test_an_error_while_aggregating_names_the_client_that_was_added():
    accumulate = tff.tensorflow.computation(
        lambda total, v: tf.ensure_shape(total + v[:1], [1]), (tff.TensorType(np.float32, [1]), VECTOR)
    )
    merge = tff.tensorflow.computation(lambda a, b: a + b, [tff.TensorType(np.float32, [1])] * 2)
    same = tff.tensorflow.computation(lambda a: a, tff.TensorType(np.float32, [1]))
    zero = tff.tensorflow.computation(lambda: tf.zeros([1]))

    @tff.federated_computation(tff.FederatedType(VECTOR, tff.CLIENTS))
    def total(vectors):
        return tff.federated_aggregate(vectors, zero(), accumulate, merge, same)

    assert total([[1.0], [2.0, 5.0]]) == [3.0]
    with pytest.raises(fedlab.runtime.ComputationError, match="at client 1"):
        total([[1.0], []])


def test_the_process_is_usable_after_an_error():
    with pytest.raises(fedlab.runtime.ComputationError):
        training_round([[1.0, 2.0, 3.0]])
    np.testing.assert_array_equal(training_round([[1.0, 2.0]])[0], [2.0, 3.0])


def test_an_error_can_travel_between_processes():
    with pytest.raises(fedlab.runtime.ComputationError) as caught:
        training_round([[1.0, 2.0, 3.0]])
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
