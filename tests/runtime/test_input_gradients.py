import numpy as np
import pytest
import tensorflow as tf
from graph_library import layer_rewritten_and_not, rewritten_and_not, weight_gradients

import fedlab  # noqa: F401
from fedlab.runtime.graphs.functional_loops import find_loops
from fedlab.runtime.graphs.input_gradients import defer_input_gradients

STEPS, ROWS, COLUMNS, UNITS = 6, 4, 3, 5

LAYERS = {
    "GRU": lambda: tf.keras.layers.GRU(UNITS, return_sequences=True),
    "GRU, reset before": lambda: tf.keras.layers.GRU(UNITS, reset_after=False),
    "LSTM": lambda: tf.keras.layers.LSTM(UNITS),
    "simple RNN": lambda: tf.keras.layers.SimpleRNN(UNITS),
    "backwards": lambda: tf.keras.layers.GRU(UNITS, go_backwards=True),
    "two layers": lambda: tf.keras.Sequential(
        [tf.keras.layers.GRU(UNITS, return_sequences=True), tf.keras.layers.GRU(UNITS)]
    ),
}


def inputs():
    return np.random.default_rng(0).normal(size=[ROWS, STEPS, COLUMNS]).astype(np.float32)


def products_by_transposed_weights(graph_def):
    """How many there are in all loops of a graph."""
    return sum(
        node.op == "MatMul" and node.attr["transpose_b"].b
        for loop in find_loops(graph_def)
        for node in loop.body.node_def
    )


class InFunctions(tf.keras.layers.Layer):
    """A layer whose forward pass and gradient are functions of their own, as in TFF's graphs."""

    def __init__(self, layer):
        super().__init__()
        self.inner = layer
        self.forward = tf.function(self.inner)

    def call(self, given):
        return self.forward(given)


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_stay_what_they_were_and_the_loops_multiply_less(name):
    results = {}
    for rewrite in (lambda graph_def: None, defer_input_gradients):
        graph_def, after, before = layer_rewritten_and_not(
            rewrite, lambda: InFunctions(LAYERS[name]()), weight_gradients, inputs()
        )
        assert np.abs(before).max() > 0.01
        np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-5)
        results[rewrite] = products_by_transposed_weights(graph_def)
    as_it_was, rewritten = results.values()
    assert rewritten == as_it_was - (2 if name == "two layers" else 1)


def test_steps_that_a_mask_leaves_out_stay_what_they_were():
    given = inputs()
    given[1, 3:] = 0

    def masked():
        return InFunctions(tf.keras.Sequential([tf.keras.layers.Masking(), tf.keras.layers.GRU(UNITS)]))

    _, after, before = layer_rewritten_and_not(defer_input_gradients, masked, weight_gradients, given)
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-5)


def gradient_of_loop(elements, weights, start, num_steps=STEPS, growth=1.0):
    """The gradient, with respect to the elements, of a loop that multiplies each of them by weights."""

    @tf.function
    def loop(elements, weights, start):
        listed = tf.TensorArray(tf.float32, num_steps, element_shape=[ROWS, COLUMNS]).unstack(elements)
        _, state, _ = tf.while_loop(
            lambda index, *_: index < num_steps,
            lambda index, state, grown: (
                index + 1,
                tf.tanh(state + listed.read(index) @ grown),
                grown if growth == 1.0 else grown * growth,
            ),
            [0, start, weights],
        )
        return state

    with tf.GradientTape() as tape:
        tape.watch(elements)
        total = tf.reduce_sum(loop(elements, weights, start) ** 2)
    return tape.gradient(total, elements)


def arguments():
    random = np.random.default_rng(1)
    shapes = ([STEPS, ROWS, COLUMNS], [COLUMNS, UNITS], [ROWS, UNITS])
    return [random.normal(size=shape).astype(np.float32) for shape in shapes]


def test_weights_that_differ_from_step_to_step_are_multiplied_in_each():
    def growing(*given):
        return gradient_of_loop(*given, growth=1.1)

    graph_def, after, before = rewritten_and_not(defer_input_gradients, growing, *arguments())
    assert products_by_transposed_weights(graph_def) >= 1
    np.testing.assert_array_equal(after, before)


def test_a_loop_without_steps_has_gradients_of_zero():
    def no_steps(*given):
        return gradient_of_loop(*given, num_steps=0)

    elements, weights, start = arguments()
    _, after, before = rewritten_and_not(defer_input_gradients, no_steps, elements[:0], weights, start)
    assert after.shape == before.shape
    np.testing.assert_array_equal(after, before)
