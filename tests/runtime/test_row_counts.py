import tensorflow as tf

import fedlab  # noqa: F401
from fedlab.runtime.graphs import functional_loops, row_counts


def body_of_loop(step, rows):
    """The RowCounts of the body of a loop over a state of shape [rows, 4]."""

    def loop(state, other):
        return tf.while_loop(
            lambda i, *_: i < 3, lambda i, state, other: (i + 1, step(state, other), other), [0, state, other]
        )

    with tf.Graph().as_default() as graph:
        state = tf.compat.v1.placeholder(tf.float32, [rows, 4])
        other = tf.compat.v1.placeholder(tf.float32, [None, None])
        tf.function(loop)(state, other)
    graph_def = graph.as_graph_def()
    (found,) = functional_loops.find_loops(graph_def)
    return found.body, row_counts.RowCounts(found.body, found.shapes())


def the_product(body):
    (product,) = [node for node in body.node_def if node.op == "MatMul"]
    return product


def test_what_a_loop_carries_tells_the_rows_of_what_becomes_of_it():
    body, rows = body_of_loop(
        lambda state, other: tf.add_n([state, tf.matmul(other, tf.ones([6, 4]))]), rows=5
    )
    assert rows.of(the_product(body).input[0]) == 5


def test_a_joint_of_columns_has_the_rows_of_each_part():
    def step(state, other):
        both = tf.concat([state, other], axis=-1)
        return tf.zeros_like(state) + tf.reduce_sum(tf.matmul(both, tf.ones([6, 4])))

    body, rows = body_of_loop(step, rows=7)
    assert rows.of(the_product(body).input[0]) == 7


def test_a_joint_of_rows_says_nothing():
    def step(state, other):
        both = tf.concat([state, other], axis=0)
        return tf.zeros_like(state) + tf.reduce_sum(tf.matmul(both, tf.ones([4, 4])))

    body, rows = body_of_loop(step, rows=7)
    assert rows.of(the_product(body).input[0]) is None


def test_an_unknown_number_of_rows_stays_unknown():
    body, rows = body_of_loop(lambda state, other: tf.tanh(tf.matmul(state, tf.ones([4, 4]))), rows=None)
    assert rows.of(the_product(body).input[0]) is None
