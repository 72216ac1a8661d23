import numpy as np
import pytest
import tensorflow as tf
from graph_library import count, layer_rewritten_and_not, rewritten_and_not, weight_gradients

import fedlab  # noqa: F401
from fedlab.runtime.graphs.thin_products import turn_thin_products


def by_transposed_weights(thin, weights):
    return tf.matmul(thin, weights, transpose_b=True) + 1.0


def factors(rows, dtype=np.float32):
    random = np.random.default_rng(rows)
    return random.normal(size=[rows, 5]).astype(dtype), random.normal(size=[3, 5]).astype(dtype)


def turned(thin, weights):
    """(Whether the product was turned round, what it gave then, what it gave before)."""
    graph_def, after, before = rewritten_and_not(turn_thin_products, by_transposed_weights, thin, weights)
    return count(graph_def, "Transpose") == 1, after, before


@pytest.mark.parametrize("rows", [2, 8, 64])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_thin_product_is_turned_round_and_stays_what_it_was(rows, dtype):
    thin, weights = factors(rows, dtype)
    was_turned, after, before = turned(thin, weights)
    assert was_turned
    np.testing.assert_allclose(after, thin @ weights.T + 1, rtol=1e-5)
    np.testing.assert_allclose(after, before, rtol=1e-5)


@pytest.mark.parametrize("rows", [1, 65, 300])
def test_a_single_row_and_many_rows_are_left_alone(rows):
    was_turned, after, before = turned(*factors(rows))
    assert not was_turned
    np.testing.assert_array_equal(after, before)


def test_types_whose_kernels_are_others_are_left_alone():
    thin, weights = factors(8)
    was_turned, after, _ = turned(thin.astype(np.float16), weights.astype(np.float16))
    assert not was_turned
    assert after.dtype == np.float16


def test_a_product_of_unknown_rows_is_left_alone():
    def of_some_rows(given, weights, keep):
        return by_transposed_weights(tf.boolean_mask(given, keep), weights)

    thin, weights = factors(8)
    keep = np.arange(8) < 3
    graph_def, after, before = rewritten_and_not(turn_thin_products, of_some_rows, thin, weights, keep)
    assert count(graph_def, "Transpose") == 0
    np.testing.assert_array_equal(after, before)


def test_a_product_with_two_readers_and_a_control_input_keeps_both():
    def read_twice(thin, weights):
        with tf.control_dependencies([tf.debugging.assert_all_finite(thin, "finite")]):
            product = tf.matmul(thin, weights, transpose_b=True)
        return tf.reduce_sum(product) + tf.reduce_max(product, axis=0)

    thin, weights = factors(8)
    graph_def, after, before = rewritten_and_not(turn_thin_products, read_twice, thin, weights)
    assert count(graph_def, "Transpose") == 1
    np.testing.assert_allclose(after, before, rtol=1e-5)


LAYERS = {
    "GRU": lambda: tf.keras.layers.GRU(6, return_sequences=True),
    "GRU, reset before": lambda: tf.keras.layers.GRU(6, reset_after=False),
    "LSTM": lambda: tf.keras.layers.LSTM(6),
    "simple RNN": lambda: tf.keras.layers.SimpleRNN(6),
    "bidirectional": lambda: tf.keras.layers.Bidirectional(tf.keras.layers.GRU(6)),
    "dense": lambda: tf.keras.Sequential([tf.keras.layers.Dense(6, "relu"), tf.keras.layers.Dense(2)]),
}


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_of_layers_stay_what_they_were(name):
    shape = [4, 3] if name == "dense" else [4, 7, 3]
    inputs = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    graph_def, after, before = layer_rewritten_and_not(
        turn_thin_products, LAYERS[name], weight_gradients, inputs
    )
    assert count(graph_def, "MatMul", transpose_a=False, transpose_b=True) >= 1
    assert any("/turned/" in node.name for f in graph_def.library.function for node in f.node_def)
    assert np.abs(before).max() > 0.01
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-5)
