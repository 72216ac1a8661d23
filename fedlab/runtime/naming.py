"""Remembers what Python calls a computation, for TFF forgets it.

TFF serializes a computation and keeps no name, so an error or a trace could say only "a computation of
type (<float32[10],...>". From here on the two decorators note the name of the function that they wrap:
on the computation, and inside TensorFlow graphs as an operation that does nothing, so that the name
survives compilation and travels to other processes.
"""

import re

import tensorflow as tf
from tensorflow_federated.proto.v0 import computation_pb2
from tensorflow_federated.python.core.environments.tensorflow_frontend import tensorflow_computation
from tensorflow_federated.python.core.impl.computation import computation_impl
from tensorflow_federated.python.core.impl.context_stack import context_stack_impl
from tensorflow_federated.python.core.impl.federated_context import federated_computation

_NAME_NODE = "fedlab_name/"
_UNNAMED = "unnamed"


def remember_names():
    """Makes `@tff.federated_computation` and `@tff.tensorflow.computation` keep names, once."""
    _wrap(federated_computation.federated_computation, _noting)
    _wrap(tensorflow_computation.tf_computation, _noting_in_graph)


def _wrap(decorator, wrapper):
    if not getattr(decorator._wrapper_fn, "keeps_names", False):
        decorator._wrapper_fn = wrapper(decorator._wrapper_fn)
        decorator._wrapper_fn.keeps_names = True


def _noting(make):
    def make_and_note(function, parameter_type, unpack, name=None):
        computation = make(function, parameter_type, unpack, name=name)
        computation.__name__ = _readable(name)
        return computation

    return make_and_note


def _noting_in_graph(make):
    def make_and_note(function, parameter_type, unpack, name=None):
        computation = make(function, parameter_type, unpack, name=name)
        proto = computation_pb2.Computation()
        proto.CopyFrom(computation_impl.ConcreteComputation.get_proto(computation))
        _write_name(proto.tensorflow, _readable(name))
        named = computation_impl.ConcreteComputation(
            computation_proto=proto,
            context_stack=context_stack_impl.context_stack,
            annotated_type=computation.type_signature,
        )
        named.__name__ = _readable(name)
        return named

    return make_and_note


def _write_name(proto, name):
    addition = tf.compat.v1.GraphDef()
    addition.node.add(name=_NAME_NODE + re.sub(r"[^A-Za-z0-9_.-]", "_", name), op="NoOp")
    # Protocol buffers that follow each other are read as one: no need to parse the whole graph.
    proto.graph_def.value += addition.SerializeToString()


def name_of(computation):
    """What Python called a computation, or its type where nobody gave it a name."""
    return (
        getattr(computation, "__name__", None)
        or f"of type {computation.type_signature.compact_representation()}"
    )


def graph_name(graph_def):
    """The name noted in a graph, or "unnamed": some graphs are made by TFF's compiler."""
    names = [
        node.name.removeprefix(_NAME_NODE) for node in graph_def.node if node.name.startswith(_NAME_NODE)
    ]
    return names[0] if names else _UNNAMED


def _readable(name):
    return "lambda" if name in (None, "<lambda>") else name


def is_unnamed(name):
    """Whether a graph's name says nothing: made by TFF's compiler."""
    return name == _UNNAMED
