"""The TensorFlow leaves of a TFF computation, each as one function of this process."""

import functools
import itertools
import threading
import weakref

import tensorflow as tf
from tensorflow.python.eager import context as eager_context
from tensorflow.python.eager import execute
from tensorflow_federated.python.core.impl.types import type_serialization
from tensorflow_federated.python.tensorflow_libs import serialization_utils

from fedlab.runtime import (
    bindings,
    dataset_loops,
    errors,
    gradient_loops,
    graph_rewriting,
    input_gradients,
    loop_products,
    naming,
    runs,
    thin_products,
)

_serial_numbers = itertools.count()


class GraphFunction:
    """A `tff.tensorflow.computation`, imported into this process when it is first called.

    Every call starts with fresh variables, so calls may run side by side, and no client or round sees
    what another left behind.
    """

    def __init__(self, proto):
        """Args: proto: a `pb.Computation` that holds a TensorFlow graph."""
        type_spec = type_serialization.deserialize_type(proto.type)
        has_parameter = type_spec.parameter is not None
        self._proto = proto.tensorflow
        self._parameter = bindings.read(self._proto.parameter, type_spec.parameter) if has_parameter else None
        self._result = bindings.read(self._proto.result, type_spec.result)
        self._lock = threading.Lock()
        self._imported = None

    def __call__(self, run, argument=None):
        """Runs the graph.

        Args:
          run: the Run that this call belongs to; stopping it stops the graph.
          argument: a value of the parameter's type, or None where there is no parameter.

        Raises:
          ComputationError: TensorFlow failed.
          Interrupted: the run was stopped.
        """
        graph = self._import_once()
        feeds = bindings.flatten(argument, self._parameter) if self._parameter is not None else []
        try:
            with run.cancellable() as cancellation:
                fetched = graph([feeds[index] for index in graph.used_feeds], cancellation)
        except tf.errors.OpError as error:
            run.check()
            raise errors.ComputationError(self.name, error) from error
        tensors = iter([next(fetched) if index is None else feeds[index] for index in graph.passed_through])
        return bindings.rebuild(self._result, tensors)

    @functools.cached_property
    def name(self):
        """What Python called it, or "unnamed" where TFF's compiler made it."""
        return naming.graph_name(serialization_utils.unpack_graph_def(self._proto.graph_def))

    def _import_once(self):
        with self._lock:
            if self._imported is None:
                self._imported = _import(self._proto, self._parameter, self._result)
            return self._imported


class _ImportedGraph:
    """A graph registered with TensorFlow as a function, and how to feed it."""

    def __init__(self, wrapped, library, num_outputs, used_feeds, passed_through):
        self._wrapped = wrapped  # Keeps the registration alive.
        self._name = wrapped.name
        self._num_outputs = num_outputs
        self.used_feeds = used_feeds  # Which of the parameter's tensors the graph reads.
        self.passed_through = passed_through  # For each result: the feed that it is, or None.
        # TensorFlow forgets the function with its wrapper, but not the functions that it calls.
        weakref.finalize(self, _forget_functions, library).atexit = False

    def __call__(self, feeds, cancellation):
        if self._num_outputs == 0:
            return iter(())
        context = eager_context.context()
        attributes = ("executor_type", "", "config_proto", _configuration(context, runs.current_lane()))
        # Not by calling the wrapper: that looks for a cancellation in a global variable, which clients
        # that run side by side would overwrite.
        return iter(
            execute.execute_with_cancellation(
                self._name, self._num_outputs, feeds, attributes, context, cancellation
            )
        )


def _configuration(context, lane):
    """TensorFlow's settings for a call; another lane's are another text, so TensorFlow makes a copy."""
    serialized = context.function_call_options.config_proto_serialized
    return serialized if lane == 0 else _of_lane(serialized, lane)


@functools.lru_cache
def _of_lane(serialized, lane):
    configuration = tf.compat.v1.ConfigProto.FromString(serialized)
    configuration.experimental.session_metadata.name = "fedlab"
    configuration.experimental.session_metadata.version = lane
    return configuration.SerializeToString(deterministic=True)


def _forget_functions(names):
    context = eager_context.context()
    for name in names:
        if context.has_function(name):
            context.remove_function(name)


def _import(proto, parameter, result):
    graph_def = serialization_utils.unpack_graph_def(proto.graph_def)
    name = naming.graph_name(graph_def)
    feed_names = [leaf.tensor_name for leaf in bindings.leaves(parameter)] if parameter is not None else []
    result_names = [leaf.tensor_name for leaf in bindings.leaves(result)]
    passed_through = [feed_names.index(name) if name in feed_names else None for name in result_names]
    fetch_names = [name for name, feed in zip(result_names, passed_through, strict=True) if feed is None]

    token = proto.session_token_tensor_name
    _rewrite(graph_def, proto.initialize_op, fetch_names, [*feed_names, token])
    specs = _placeholder_specs(graph_def)
    used_feeds = [index for index, name in enumerate(feed_names) if name in specs]

    def import_graph(*arguments):
        feeds = {feed_names[index]: argument for index, argument in zip(used_feeds, arguments, strict=True)}
        if token in specs:
            feeds[token] = tf.constant("")  # Would name the session; there is none.
        return tf.graph_util.import_graph_def(graph_def, feeds, fetch_names, name="")

    signature = [specs[feed_names[index]] for index in used_feeds]
    with tf.init_scope():
        wrapped = tf.compat.v1.wrap_function(import_graph, signature, name=name)
    library = [function.signature.name for function in graph_def.library.function]
    return _ImportedGraph(wrapped, library, len(fetch_names), used_feeds, passed_through)


def _rewrite(graph_def, init_op, fetch_names, feed_names):
    graph_rewriting.add_suffix_to_functions(graph_def, f"_fedlab_{next(_serial_numbers)}")
    wanted = [*fetch_names, init_op] if init_op else fetch_names
    graph_rewriting.keep_only(graph_def, graph_rewriting.ancestors(graph_def, wanted))
    graph_rewriting.forget_control_by_feeds(graph_def, feed_names)
    graph_rewriting.make_resources_anonymous(graph_def)
    gradient_loops.defer_weight_gradients(graph_def)
    input_gradients.defer_input_gradients(graph_def)
    loop_products.share_products_of_steps(graph_def)
    thin_products.turn_thin_products(graph_def)
    dataset_loops.loop_over_datasets(graph_def)
    if init_op:
        graph_rewriting.run_initialisation_first(graph_def, init_op)


def _placeholder_specs(graph_def):
    """Specs of the placeholders that the graph holds, by tensor name."""
    return {
        f"{node.name}:0": tf.TensorSpec(_static_shape(node), node.attr["dtype"].type)
        for node in graph_def.node
        if node.op == "Placeholder"
    }


def _static_shape(node):
    return tf.TensorShape(node.attr["shape"].shape) if "shape" in node.attr else None
