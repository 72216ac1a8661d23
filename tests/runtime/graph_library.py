"""Functions in the library of a graph, as TFF's graphs have them, run as they are and rewritten."""

import numpy as np
import tensorflow as tf


def function_in_graph(function, *arguments):
    """A graph that holds a function in its library: (GraphDef, names of the feeds, name of the fetch)."""
    with tf.Graph().as_default() as graph:
        placeholders = [
            tf.compat.v1.placeholder(np.asarray(value).dtype, np.shape(value)) for value in arguments
        ]
        result = tf.identity(tf.function(function)(*placeholders))
    return graph.as_graph_def(), [tensor.name for tensor in placeholders], result.name


def run(graph_def, feeds, fetch, *arguments):
    """What a graph gives."""
    with tf.Graph().as_default():
        tf.graph_util.import_graph_def(graph_def, name="")
        with tf.compat.v1.Session() as session:
            return session.run(fetch, dict(zip(feeds, arguments, strict=True)))


def rewritten_and_not(rewrite, function, *arguments):
    """The rewritten graph, its result, and the result of the graph as it was."""
    graph_def, *ends = function_in_graph(function, *arguments)
    before = run(graph_def, *ends, *arguments)
    rewrite(graph_def)
    return graph_def, run(graph_def, *ends, *arguments), before


def layer_rewritten_and_not(rewrite, make_layer, compute, inputs):
    """The same for `compute(layer, inputs)`, where the layer's variables are the graph's."""
    with tf.Graph().as_default() as graph:
        layer = make_layer()
        placeholder = tf.compat.v1.placeholder(inputs.dtype, inputs.shape)
        result = tf.identity(tf.function(lambda given: compute(layer, given))(placeholder))
        initialize = tf.compat.v1.global_variables_initializer()
    graph_def = graph.as_graph_def()
    ends = initialize.name, result.name, {placeholder.name: inputs}
    before = _run_with_variables(graph_def, *ends)
    rewrite(graph_def)
    return graph_def, _run_with_variables(graph_def, *ends), before


def _run_with_variables(graph_def, initialize, fetch, feeds):
    with tf.Graph().as_default():
        tf.graph_util.import_graph_def(graph_def, name="")
        with tf.compat.v1.Session() as session:
            session.run(initialize)
            return session.run(fetch, feeds)


def weight_gradients(layer, inputs):
    """The gradients of all the layer's weights, and of the inputs, joined."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(layer(inputs) ** 2)
    parts = tape.gradient(loss, [*layer.weights, inputs])
    return tf.concat([tf.reshape(part, [-1]) for part in parts], 0)


def count(graph_def, op, **attributes):
    """How many nodes of the library do an operation, with the given bool attributes."""
    return sum(
        node.op == op and all(node.attr[name].b == value for name, value in attributes.items())
        for function in graph_def.library.function
        for node in function.node_def
    )
