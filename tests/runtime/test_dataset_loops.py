import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

import fedlab  # noqa: F401
from fedlab.runtime.interpreter import conversion, imported_graphs


def sequence(*numbers):
    return tf.data.Dataset.from_tensor_slices(np.array(numbers, np.float32))


NUMBERS = tff.SequenceType(np.float32)


def test_a_reduction_in_the_graph_and_in_a_function_gives_the_sum():
    @tff.tensorflow.computation(NUMBERS)
    def in_graph(data):
        return data.reduce(10.0, lambda total, number: total + number)

    @tff.tensorflow.computation(NUMBERS)
    def in_function(data):
        @tf.function
        def add_up():
            return data.reduce(10.0, lambda total, number: total + number)

        return add_up()

    assert in_graph(sequence(1, 2, 4)) == 17
    assert in_function(sequence(1, 2, 4)) == 17


def test_a_reduction_of_nothing_is_its_beginning():
    @tff.tensorflow.computation(NUMBERS)
    def total(data):
        return data.reduce(10.0, lambda total, number: total + number)

    assert total(sequence(1).take(0)) == 10


def test_structures_and_values_from_outside_reach_the_step():
    element = tff.SequenceType(tff.StructWithPythonType([("x", np.float32), ("y", np.int32)], dict))

    @tff.tensorflow.computation(element, np.float32)
    def scaled_sums(data, factor):
        def step(sums, row):
            return {"x": sums["x"] + factor * row["x"], "count": sums["count"] + row["y"]}

        return data.reduce({"x": 0.0, "count": 0}, step)

    data = tf.data.Dataset.from_tensor_slices(
        {"x": np.array([1, 2], np.float32), "y": np.array([3, 4], np.int32)}
    )
    assert dict(scaled_sums(data, 10.0)) == {"x": 30.0, "count": 7}


def test_a_state_may_grow():
    @tff.tensorflow.computation(NUMBERS)
    def all_of_them(data):
        return data.reduce(tf.zeros([0]), lambda kept, number: tf.concat([kept, [number]], 0))

    np.testing.assert_array_equal(all_of_them(sequence(3, 1, 2)), [3, 1, 2])


def test_a_step_takes_effect_even_if_nobody_reads_its_result():
    @tff.tensorflow.computation(NUMBERS)
    def total(data):
        variable = tf.Variable(0.0)

        def step(count, number):
            variable.assign_add(number)
            return count + 1

        with tf.control_dependencies([data.reduce(0, step)]):
            return variable.read_value()

    assert total(sequence(1, 2, 4)) == 7


def test_a_reduction_in_a_reduction_gives_the_sum_of_sums():
    @tff.tensorflow.computation(NUMBERS)
    def sum_of_squares_as_sums(data):
        def step(total, number):
            copies = tf.data.Dataset.range(tf.cast(number, tf.int64))
            return total + copies.reduce(0.0, lambda inner, _: inner + number)

        return data.reduce(0.0, step)

    assert sum_of_squares_as_sums(sequence(1, 2, 3)) == 14


def test_no_reduction_is_left_to_be_optimized_anew_in_every_call(monkeypatch):
    graphs = []
    rewrite = imported_graphs._rewrite

    def keep(graph_def, *arguments):
        rewrite(graph_def, *arguments)
        graphs.append(graph_def)

    monkeypatch.setattr(imported_graphs, "_rewrite", keep)

    @tff.tensorflow.computation(NUMBERS)
    def total(data):
        return data.reduce(-5.0, lambda total, number: total + number)

    assert total(sequence(1, 2)) == -2
    nodes = [node for graph in graphs for node in graph.node]
    nodes += [node for graph in graphs for function in graph.library.function for node in function.node_def]
    assert {node.op for node in nodes} >= {"While", "IteratorGetNextAsOptional"}
    assert "ReduceDataset" not in {node.op for node in nodes}


def test_no_thread_tunes_a_clients_dataset_unless_it_was_asked_for():
    asked = tf.data.Options()
    asked.autotune.enabled = True
    assert recipe_says_autotune(conversion.embed(sequence(1), NUMBERS)) is False
    assert recipe_says_autotune(conversion.embed(sequence(1).with_options(asked), NUMBERS)) is True


def recipe_says_autotune(embedded):
    graph = tf.raw_ops.DatasetToGraphV2(input_dataset=embedded.variant()).numpy()
    options = [node for node in tf.compat.v1.GraphDef.FromString(graph).node if node.op == "OptionsDataset"]
    read = tf.data.Options()
    proto = read._to_proto()
    proto.ParseFromString(options[-1].attr["serialized_options"].s)
    read._from_proto(proto)
    return read.autotune.enabled
