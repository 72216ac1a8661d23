import numpy as np
import pytest
import tensorflow as tf
from graph_library import layer_rewritten_and_not, rewritten_and_not, weight_gradients

import fedlab  # noqa: F401
from fedlab.runtime.graphs.functional_loops import find_loops
from fedlab.runtime.graphs.loop_products import share_products_of_steps

STEPS, ROWS, COLUMNS, UNITS = 7, 4, 3, 6


def inputs(rows=ROWS, steps=STEPS):
    return np.random.default_rng(0).normal(size=[rows, steps, COLUMNS]).astype(np.float32)


def products_in_loops(graph_def):
    """(Products by weights in all loops, how many of them are turned round)."""
    products = [node for loop in find_loops(graph_def) for node in loop.body.node_def if node.op == "MatMul"]
    return len(products), sum(node.attr["transpose_b"].b for node in products)


def call(layer, given):
    return layer(given)


LAYERS = {
    "GRU": lambda: tf.keras.layers.GRU(UNITS, return_sequences=True),
    "stateful GRU": lambda: tf.keras.layers.GRU(UNITS, stateful=True),
    "LSTM": lambda: tf.keras.layers.LSTM(UNITS),
    "simple RNN": lambda: tf.keras.layers.SimpleRNN(UNITS),
    "backwards": lambda: tf.keras.layers.GRU(UNITS, go_backwards=True),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layers_inputs_are_projected_before_its_loop_and_its_memory_in_each_step(name):
    graph_def, after, before = layer_rewritten_and_not(share_products_of_steps, LAYERS[name], call, inputs())
    assert products_in_loops(graph_def) == (1, 1)
    assert np.abs(before).max() > 0.01
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_stay_what_they_were(name):
    _, after, before = layer_rewritten_and_not(
        share_products_of_steps, LAYERS[name], weight_gradients, inputs()
    )
    assert np.abs(before).max() > 0.01
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-5)


def test_a_layer_over_one_row_or_many_keeps_the_product_of_its_memory():
    for rows in (1, 100):
        graph_def, after, before = layer_rewritten_and_not(
            share_products_of_steps, LAYERS["GRU"], call, inputs(rows)
        )
        assert products_in_loops(graph_def) == (1, 0)
        np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-6)


def test_masked_steps_stay_what_they_were():
    given = inputs()
    given[1, 3:] = 0

    def masked():
        return tf.keras.Sequential([tf.keras.layers.Masking(), tf.keras.layers.GRU(UNITS)])

    _, after, before = layer_rewritten_and_not(share_products_of_steps, masked, call, given)
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-6)


def loop_over(elements, weights, start, step):
    """A loop over matrices [steps, rows, columns] that carries a matrix [rows, units]."""
    listed = tf.TensorArray(tf.float32, STEPS, element_shape=[ROWS, COLUMNS]).unstack(elements)

    def body(index, state):
        return index + 1, step(state, listed.read(index), weights)

    return tf.while_loop(lambda index, _: index < STEPS, body, [0, start])[1]


def arguments():
    random = np.random.default_rng(1)
    shapes = ([STEPS, ROWS, COLUMNS], [COLUMNS, UNITS], [ROWS, UNITS])
    return [random.normal(size=shape).astype(np.float32) for shape in shapes]


def test_a_loop_without_steps_gives_what_it_began_with():
    def no_steps(elements, weights, start):
        listed = tf.TensorArray(tf.float32, 0, element_shape=[ROWS, COLUMNS]).unstack(elements[:0])
        return tf.while_loop(
            lambda index, _: index < listed.size(),
            lambda index, state: (index + 1, state + listed.read(index) @ weights),
            [0, start],
        )[1]

    elements, weights, start = arguments()
    graph_def, after, _ = rewritten_and_not(share_products_of_steps, no_steps, elements, weights, start)
    assert products_in_loops(graph_def) == (0, 0)
    np.testing.assert_array_equal(after, start)


def test_elements_that_steps_read_in_another_order_are_still_their_own():
    def backwards(elements, weights, start):
        listed = tf.TensorArray(tf.float32, STEPS, element_shape=[ROWS, COLUMNS]).unstack(elements)
        return tf.while_loop(
            lambda index, _: index >= 0,
            lambda index, state: (index - 2, 0.5 * state + listed.read(index) @ weights),
            [STEPS - 1, start],
        )[1]

    elements, weights, start = arguments()
    graph_def, after, _ = rewritten_and_not(share_products_of_steps, backwards, elements, weights, start)
    assert products_in_loops(graph_def) == (0, 0)
    expected = start
    for index in range(STEPS - 1, -1, -2):
        expected = 0.5 * expected + elements[index] @ weights
    np.testing.assert_allclose(after, expected, rtol=1e-4, atol=1e-5)


def test_weights_that_steps_change_are_left_where_they_are():
    def growing(elements, weights, start):
        listed = tf.TensorArray(tf.float32, STEPS, element_shape=[ROWS, COLUMNS]).unstack(elements)
        return tf.while_loop(
            lambda index, *_: index < STEPS,
            lambda index, state, grown: (index + 1, state + listed.read(index) @ grown, grown * 1.1),
            [0, start, weights],
        )[1]

    graph_def, after, before = rewritten_and_not(share_products_of_steps, growing, *arguments())
    assert products_in_loops(graph_def) == (1, 0)
    np.testing.assert_array_equal(after, before)


class Counting(tf.keras.layers.Layer):
    """A layer whose loop changes the weights that it multiplies by."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=[COLUMNS, UNITS], initializer="ones")

    def call(self, given):
        listed = tf.TensorArray(tf.float32, STEPS, element_shape=[ROWS, COLUMNS])
        listed = listed.unstack(tf.transpose(given, [1, 0, 2]))
        total = tf.zeros([ROWS, UNITS])
        for index in tf.range(STEPS):
            total += listed.read(index) @ self.kernel
            self.kernel.assign_add(tf.ones([COLUMNS, UNITS]))
        return total


def test_a_loop_that_assigns_a_variable_is_left_alone():
    graph_def, after, before = layer_rewritten_and_not(share_products_of_steps, Counting, call, inputs())
    assert products_in_loops(graph_def) == (1, 0)
    np.testing.assert_allclose(after, before, rtol=1e-5)
    expected = sum((1 + step) * inputs()[:, step] @ np.ones([COLUMNS, UNITS]) for step in range(STEPS))
    np.testing.assert_allclose(after, expected, rtol=1e-4)


def test_a_variable_that_was_set_before_the_loop_is_read_as_set():
    class SetFirst(tf.keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = tf.keras.layers.SimpleRNN(UNITS)

        def call(self, given):
            self.inner.build(given.shape)
            before = self.inner(given)
            for weight in self.inner.weights:
                weight.assign(0.5 * weight + 0.1)
            return tf.concat([before, self.inner(given)], axis=1)

    _, after, before = layer_rewritten_and_not(share_products_of_steps, SetFirst, call, inputs())
    assert np.abs(before[:, :UNITS] - before[:, UNITS:]).max() > 0.01
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-6)
