import numpy as np
import pytest
import tensorflow as tf
from graph_library import (
    count,
    function_in_graph,
    layer_rewritten_and_not,
    rewritten_and_not,
    run,
    weight_gradients,
)

import fedlab  # noqa: F401
from fedlab.runtime.graphs.weight_gradients import defer_weight_gradients

STEPS, ROWS, LEFT, RIGHT = 5, 3, 4, 2


def factors(seed=0):
    random = np.random.default_rng(seed)
    lefts = random.normal(size=[STEPS, ROWS, LEFT]).astype(np.float32)
    rights = random.normal(size=[STEPS, ROWS, RIGHT]).astype(np.float32)
    return lefts, rights


def deferred_and_not(function, *arguments):
    """The rewritten graph, its result, and the result of the graph as it was."""
    return rewritten_and_not(defer_weight_gradients, function, *arguments)


def sum_of_products(lefts, rights, start):
    def step(index, total):
        return index + 1, total + tf.matmul(lefts[index], rights[index], transpose_a=True)

    return tf.while_loop(lambda index, _: index < tf.shape(lefts)[0], step, [0, start])[1]


def test_a_loops_sum_of_products_is_taken_once_after_it_and_starts_where_it_started():
    lefts, rights = factors()
    start = np.full([LEFT, RIGHT], 7.0, np.float32)
    graph_def, result, _ = deferred_and_not(sum_of_products, lefts, rights, start)
    assert count(graph_def, "TensorListConcatV2") == 2
    expected = start + np.einsum("tbl,tbr->lr", lefts, rights)
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_a_loop_without_steps_leaves_the_sum_as_it_was():
    lefts, rights = factors()
    start = np.full([LEFT, RIGHT], 7.0, np.float32)
    graph_def, *ends = function_in_graph(
        lambda lefts, rights, start: sum_of_products(lefts[:0], rights[:0], start), lefts, rights, start
    )
    defer_weight_gradients(graph_def)
    assert count(graph_def, "TensorListConcatV2") == 2
    np.testing.assert_array_equal(run(graph_def, *ends, lefts, rights, start), start)


@pytest.mark.parametrize("filled_with, additions", [(0.0, 0), (2.0, 1)])
def test_a_sum_that_begins_with_zeros_is_the_product_itself(filled_with, additions):
    def from_filled(lefts, rights):
        return sum_of_products(lefts, rights, tf.fill([LEFT, RIGHT], filled_with))

    lefts, rights = factors()
    graph_def, result, _ = deferred_and_not(from_filled, lefts, rights)
    after_the_loop = [
        node
        for function in graph_def.library.function
        for node in function.node_def
        if node.op == "AddV2" and "/deferred_" in node.name
    ]
    assert len(after_the_loop) == additions
    expected = filled_with + np.einsum("tbl,tbr->lr", lefts, rights)
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_gradients_of_recurrent_layers_stay_what_they_were():
    inputs = np.random.default_rng(0).normal(size=[3, 6, 4]).astype(np.float32)
    layers = {
        "GRU": lambda: tf.keras.layers.GRU(
            5, kernel_initializer=constant(1), recurrent_initializer=constant(2)
        ),
        "LSTM": lambda: tf.keras.layers.LSTM(
            5, kernel_initializer=constant(1), recurrent_initializer=constant(2)
        ),
    }
    for name, make_layer in layers.items():
        graph_def, deferred, as_it_was = layer_rewritten_and_not(
            defer_weight_gradients, make_layer, weight_gradients, inputs
        )
        assert count(graph_def, "TensorListConcatV2") >= 2, name  # Kernel and recurrent kernel.
        assert np.abs(as_it_was).max() > 0.01, name
        np.testing.assert_allclose(deferred, as_it_was, rtol=1e-4, atol=1e-5, err_msg=name)


def constant(seed):
    return tf.keras.initializers.RandomNormal(stddev=0.5, seed=seed)


def test_a_sum_that_the_loop_itself_reads_is_left_alone():
    lefts, rights = factors()
    start = np.zeros([LEFT, RIGHT], np.float32)

    def clipped_sum(lefts, rights, start):
        def step(index, total):
            product = tf.matmul(lefts[index], rights[index], transpose_a=True)
            return index + 1, tf.clip_by_value(total, -1.0, 1.0) + product

        return tf.while_loop(lambda index, _: index < STEPS, step, [0, start])[1]

    graph_def, result, before = deferred_and_not(clipped_sum, lefts, rights, start)
    assert count(graph_def, "TensorListConcatV2") == 0
    np.testing.assert_array_equal(result, before)


def test_a_product_that_is_read_elsewhere_too_is_left_alone():
    lefts, rights = factors()
    start = np.zeros([LEFT, RIGHT], np.float32)

    def largest_and_sum(lefts, rights, start):
        def step(index, total, largest):
            product = tf.matmul(lefts[index], rights[index], transpose_a=True)
            return index + 1, total + product, tf.maximum(largest, product)

        _, total, largest = tf.while_loop(lambda index, *_: index < STEPS, step, [0, start, start])
        return total + largest

    graph_def, result, before = deferred_and_not(largest_and_sum, lefts, rights, start)
    assert count(graph_def, "TensorListConcatV2") == 0
    np.testing.assert_array_equal(result, before)
