"""TFF's graphs and eager Keras models, in two threads at a time."""

import threading

import tensorflow as tf
import tensorflow_federated as tff

from fedlab.keras_classes import between_tff_graphs


def test_no_graph_of_tffs_begins_while_another_thread_is_between_graphs():
    begun = threading.Event()

    def build():
        tff.tensorflow.computation(lambda: (begun.set(), tf.constant(1))[1])

    builder = threading.Thread(target=build)
    with between_tff_graphs():
        builder.start()
        assert not begun.wait(0.5)
    builder.join(60)
    assert begun.is_set()


def test_between_graphs_waits_for_the_graph_under_way_in_another_thread():
    order, building, go_on = [], threading.Event(), threading.Event()

    def slow():
        building.set()
        go_on.wait(10)
        order.append("graph")
        return tf.constant(1)

    builder = threading.Thread(target=lambda: tff.tensorflow.computation(slow))
    builder.start()
    assert building.wait(60)
    threading.Timer(0.3, go_on.set).start()
    with between_tff_graphs():
        order.append("eager")
    builder.join(60)
    assert order == ["graph", "eager"]


def test_a_thread_between_graphs_can_build_one_itself():
    with between_tff_graphs():
        computation = tff.tensorflow.computation(lambda: tf.constant(3))
    assert computation() == 3
