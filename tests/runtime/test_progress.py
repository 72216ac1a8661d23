"""The bar over clients."""

import io

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff

import fedlab
from fedlab.runtime.watching import events, progress


@tff.tensorflow.computation(np.float32)
def train(number):
    return number + 1


@tff.federated_computation(tff.FederatedType(np.float32, tff.CLIENTS))
def next_round(numbers):
    return tff.federated_sum(tff.federated_map(train, numbers))


def test_a_bar_counts_the_clients_and_names_what_they_do():
    screen = io.StringIO()
    with fedlab.runtime.showing_progress(file=screen, delay=0, leave=True, mininterval=0):
        next_round([1.0] * 5)
    assert "train: 100%" in screen.getvalue()
    assert "5/5" in screen.getvalue()


def test_quick_steps_show_no_bar():
    screen = io.StringIO()
    with fedlab.runtime.showing_progress(file=screen, delay=60):
        next_round([1.0] * 5)
    assert screen.getvalue().strip() == ""


def test_a_failed_round_leaves_no_bar_behind():
    screen = io.StringIO()
    check = tff.tensorflow.computation(lambda x: tf.ensure_shape(x, [2]), tff.TensorType(np.float32, [None]))
    fail = tff.federated_computation(
        lambda x: tff.federated_map(check, x),
        tff.FederatedType(tff.TensorType(np.float32, [None]), tff.CLIENTS),
    )
    bars = progress._ClientBars(file=screen, delay=0)
    with events.listening(bars), pytest.raises(fedlab.runtime.ComputationError):
        fail([[1.0]])
    assert bars._bars == {}
