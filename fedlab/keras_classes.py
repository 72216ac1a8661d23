"""Keeps eager Keras models alive while TFF builds graphs.

The first Keras model made inside one of TFF's graphs turns the classes `Sequential`, `GRU`, ... into
their graph-mode versions, for every model of the process: an eager model made before then fails with
"Your Layer or Model is in an invalid state". tf_keras turns a class back when the next eager model of
it is made; here that happens as soon as TFF has finished a graph. What a thread does with eager models
while another one builds such a graph would still fail: `between_tff_graphs` keeps the two apart.
"""

import functools
import threading

_graph_under_way = threading.RLock()


def between_tff_graphs():
    """For a `with` block that makes or uses eager models: TFF builds no graph in another thread meanwhile."""
    return _graph_under_way


def restore_after_tff_graphs():
    """Notes which classes tf_keras turns, and turns them back whenever TFF leaves its last graph."""
    from tensorflow_federated.python.core.environments.tensorflow_frontend import tensorflow_serialization
    from tf_keras.src.utils import version_utils

    turned = {}  # as an ordered set: one class can be turned as a model and as a layer
    swap_class = version_utils.swap_class
    serialize = tensorflow_serialization.serialize_py_fn_as_tf_computation

    @functools.wraps(swap_class)
    def swap_and_note(cls, eager_class, graph_class, use_eager):
        if not use_eager:
            turned[cls, eager_class, graph_class] = None
        return swap_class(cls, eager_class, graph_class, use_eager)

    @functools.wraps(serialize)
    def serialize_and_restore(*arguments, **options):
        with _graph_under_way:
            try:
                return serialize(*arguments, **options)
            finally:
                restore()

    def restore():
        import tensorflow as tf

        # Inside an outer graph, models of that graph still need the graph versions.
        if tf.executing_eagerly():
            for cls, eager_class, graph_class in turned:
                swap_class(cls, eager_class, graph_class, True)
            turned.clear()

    version_utils.swap_class = swap_and_note
    tensorflow_serialization.serialize_py_fn_as_tf_computation = serialize_and_restore
