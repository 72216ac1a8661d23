"""The traced forward pass, and what keeps it from being disturbed."""

import gc
import os
import signal
import threading
import weakref

import keras_models
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff

from fedlab.models.traced_forward import reset_states, traced_forward

IDS = np.array([[3, 1, 4, 1, 5]])


def test_forward_pass_is_the_models_and_its_state_goes_on():
    model = keras_models.build("GRU", 1)
    reset_states(model)
    halves = [traced_forward(model)(part).numpy() for part in (IDS[:, :2], IDS[:, 2:])]
    model.reset_states()
    np.testing.assert_allclose(np.concatenate(halves, axis=1), model(IDS).numpy(), rtol=1e-5, atol=1e-6)


def test_a_model_is_traced_once_and_gone_with_its_trace():
    calls = []

    class Counting(tf.keras.layers.Layer):
        def call(self, inputs):
            calls.append(None)
            return inputs

    model = tf.keras.Sequential([tf.keras.layers.Embedding(9, 4, batch_input_shape=[1, None]), Counting()])
    calls.clear()
    for _ in range(3):
        traced_forward(model)(IDS)
    assert len(calls) == 1
    alive = weakref.ref(model)
    del model
    gc.collect()
    assert alive() is None


class Interrupting(tf.keras.layers.Layer):
    """Interrupts whoever has it traced."""

    armed = False

    def call(self, inputs):
        if self.armed:
            os.kill(os.getpid(), signal.SIGINT)
        return inputs


def test_an_interrupt_waits_for_the_end_of_the_call():
    embedding = tf.keras.layers.Embedding(9, 4, batch_input_shape=[1, None])
    model = tf.keras.Sequential([embedding])
    logits = model(IDS).numpy()
    model = tf.keras.Sequential([embedding, Interrupting()])
    model.layers[1].armed = True
    with pytest.raises(KeyboardInterrupt):
        traced_forward(model)(IDS)
    np.testing.assert_array_equal(traced_forward(model)(IDS).numpy(), logits)  # The trace was made whole.


@pytest.mark.parametrize("use", [lambda model: traced_forward(model)(IDS), reset_states])
def test_a_model_is_used_when_another_thread_has_built_tffs_graph(use):
    model, order = keras_models.build("GRU", 1), []
    building, go_on = threading.Event(), threading.Event()

    def slow():
        building.set()
        go_on.wait(10)
        order.append("graph")
        return tf.constant(1)

    builder = threading.Thread(target=lambda: tff.tensorflow.computation(slow))
    builder.start()
    assert building.wait(60)
    threading.Timer(0.3, go_on.set).start()
    use(model)
    order.append("model")
    builder.join(60)
    assert order == ["graph", "model"]
