import numpy as np
import tensorflow as tf

import fedlab  # noqa: F401
from fedlab.runtime import gradient_loops

STEPS, ROWS, LEFT, RIGHT = 5, 3, 4, 2


def factors(seed=0):
    random = np.random.default_rng(seed)
    lefts = random.normal(size=[STEPS, ROWS, LEFT]).astype(np.float32)
    rights = random.normal(size=[STEPS, ROWS, RIGHT]).astype(np.float32)
    return lefts, rights


def function_in_graph(function, *arguments):
    """A graph that holds the function in its library, as TFF's graphs do: (GraphDef, feeds, fetch)."""
    with tf.Graph().as_default() as graph:
        placeholders = [tf.compat.v1.placeholder(value.dtype, value.shape) for value in arguments]
        result = tf.identity(tf.function(function)(*placeholders))
    return graph.as_graph_def(), [tensor.name for tensor in placeholders], result.name


def run(graph_def, feeds, fetch, *arguments):
    with tf.Graph().as_default():
        tf.graph_util.import_graph_def(graph_def, name="")
        with tf.compat.v1.Session() as session:
            return session.run(fetch, dict(zip(feeds, arguments, strict=True)))


def count(graph_def, op):
    return sum(node.op == op for function in graph_def.library.function for node in function.node_def)


def deferred_and_not(function, *arguments):
    """The rewritten graph, its result, and the result of the graph as it was."""
    graph_def, *ends = function_in_graph(function, *arguments)
    before = run(graph_def, *ends, *arguments)
    gradient_loops.defer_weight_gradients(graph_def)
    return graph_def, run(graph_def, *ends, *arguments), before


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
    gradient_loops.defer_weight_gradients(graph_def)
    assert count(graph_def, "TensorListConcatV2") == 2
    np.testing.assert_array_equal(run(graph_def, *ends, lefts, rights, start), start)


def gradients_of(layer):
    """A function from inputs to the gradients of all the layer's weights, joined."""

    def gradients(inputs):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(inputs) ** 2)
        return tf.concat([tf.reshape(part, [-1]) for part in tape.gradient(loss, layer.weights)], 0)

    return gradients


def recurrent_gradients(make_layer, inputs):
    """The weights' gradients by the rewritten graph and by TensorFlow's own, and the rewritten graph."""
    with tf.Graph().as_default() as graph:
        layer = make_layer()
        placeholder = tf.compat.v1.placeholder(tf.float32, inputs.shape)
        result = tf.function(gradients_of(layer))(placeholder)
        result = tf.identity(result)
        initialize = tf.compat.v1.global_variables_initializer()
    results = []
    for rewrite in (lambda graph_def: None, gradient_loops.defer_weight_gradients):
        graph_def = graph.as_graph_def()
        rewrite(graph_def)
        with tf.Graph().as_default():
            tf.graph_util.import_graph_def(graph_def, name="")
            with tf.compat.v1.Session() as session:
                session.run(initialize.name)
                results.append(session.run(result.name, {placeholder.name: inputs}))
    return results[1], results[0], graph_def


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
        deferred, as_it_was, graph_def = recurrent_gradients(make_layer, inputs)
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
