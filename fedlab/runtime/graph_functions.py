"""The TensorFlow leaves of a TFF computation, each as one function of this process."""

import itertools
import threading

import tensorflow as tf
from tensorflow.python.eager import context as eager_context
from tensorflow.python.eager import execute
from tensorflow_federated.python.core.impl.types import type_serialization
from tensorflow_federated.python.tensorflow_libs import serialization_utils

from fedlab.runtime import bindings, graph_rewriting

_serial_numbers = itertools.count()


class GraphFunction:
    """A `tff.tensorflow.computation`, imported when it is first called.

    Every call starts with fresh variables, so calls may run side by side, and no client or round sees
    what another left behind.
    """

    def __init__(self, proto):
        """Args: proto: a `pb.Computation` that holds a TensorFlow graph."""
        self._proto = proto.tensorflow
        self._lock = threading.Lock()
        self._function = None
        type_spec = type_serialization.deserialize_type(proto.type)
        has_parameter = type_spec.parameter is not None
        self._parameter = bindings.read(self._proto.parameter, type_spec.parameter) if has_parameter else None
        self._result = bindings.read(self._proto.result, type_spec.result)

    def __call__(self, run, argument=None):
        """Runs the graph.

        Args:
          run: the Run that this call belongs to; interrupting it stops the graph.
          argument: a value of the parameter's type, or None where there is no parameter.

        Raises:
          tf.errors.OpError: what TensorFlow raised.
        """
        function = self._imported()
        feeds = bindings.flatten(argument, self._parameter) if self._parameter is not None else []
        fetched = function([feeds[index] for index in function.used_feeds], run.cancellation)
        fetched = iter([feeds[index] if index is not None else next(fetched) for index in function.passed_through])
        return bindings.rebuild(self._result, fetched)

    def _imported(self):
        with self._lock:
            if self._function is None:
                self._function = _import(self._proto, self._parameter, self._result)
            return self._function


class _ImportedGraph:
    """A graph registered with TensorFlow as a function, and how to feed it."""

    def __init__(self, wrapped, num_outputs, used_feeds, passed_through):
        self._wrapped = wrapped  # Keeps the registration alive.
        self._name = wrapped.name
        self._num_outputs = num_outputs
        self.used_feeds = used_feeds  # Of the parameter's tensors, which does the graph read?
        self.passed_through = passed_through  # For each result: the feed that it is, or None.

    def __call__(self, feeds, cancellation):
        if self._num_outputs == 0:
            return iter(())
        context = eager_context.context()
        # Not through tf.function's own call: that looks for a cancellation in a global variable,
        # which clients running side by side would overwrite.
        outputs = execute.execute_with_cancellation(
            self._name, self._num_outputs, feeds, _attributes(context), context, cancellation
        )
        return iter(outputs)


def _attributes(context):
    return ("executor_type", "", "config_proto", context.function_call_options.config_proto_serialized)


def _import(proto, parameter, result):
    graph_def = serialization_utils.unpack_graph_def(proto.graph_def)
    feed_names = [leaf.tensor_name for leaf in bindings.leaves(parameter)] if parameter is not None else []
    fetch_names = [leaf.tensor_name for leaf in bindings.leaves(result)]
    passed_through = [feed_names.index(name) if name in feed_names else None for name in fetch_names]
    fetch_names = [name for name, feed in zip(fetch_names, passed_through, strict=True) if feed is None]

    token = proto.session_token_tensor_name
    _rewrite(graph_def, proto.initialize_op, fetch_names, feed_names + [token] * bool(token))
    specs = _placeholder_specs(graph_def)
    used_feeds = [index for index, name in enumerate(feed_names) if name in specs]

    def import_graph(*arguments):
        feeds = dict(zip([feed_names[index] for index in used_feeds], arguments, strict=True))
        if token in specs:
            feeds[token] = tf.constant("")  # Names a session; there is none here.
        return tf.graph_util.import_graph_def(graph_def, feeds, fetch_names, name="")

    signature = [specs[feed_names[index]] for index in used_feeds]
    wrapped = tf.compat.v1.wrap_function(import_graph, signature, name="fedlab_graph")
    return _ImportedGraph(wrapped, len(fetch_names), used_feeds, passed_through)


def _rewrite(graph_def, init_op, fetch_names, feed_names):
    graph_rewriting.add_suffix_to_functions(graph_def, f"_fedlab_{next(_serial_numbers)}")
    wanted = fetch_names + [init_op] * bool(init_op)
    graph_rewriting.keep_only(graph_def, graph_rewriting.ancestors(graph_def, wanted))
    graph_rewriting.forget_control_by_feeds(graph_def, feed_names)
    graph_rewriting.make_resources_anonymous(graph_def)
    if init_op:
        graph_rewriting.run_initialisation_first(graph_def, init_op)


def _placeholder_specs(graph_def):
    """Specs of the placeholders that the graph holds, by tensor name."""
    return {
        node.name + ":0": tf.TensorSpec(
            tf.TensorShape(node.attr["shape"].shape) if "shape" in node.attr else None, node.attr["dtype"].type
        )
        for node in graph_def.node
        if node.op == "Placeholder"
    }
