"""A TensorFlow graph of TFF as a function of this process: its tensors by name, nothing by position."""

import functools
import itertools
import weakref
from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import context as eager_context
from tensorflow.python.eager import execute
from tensorflow_federated.python.tensorflow_libs import serialization_utils

from fedlab.runtime import naming
from fedlab.runtime.graphs import isolation, speed
from fedlab.runtime.interpreter.cohorts import current_lane

_serial_numbers = itertools.count()


def import_graph(proto: Any, arguments: Sequence[str], results: Sequence[str]) -> "ImportedGraph":
    """Registers the graph of a TFF computation with TensorFlow.

    Args:
      proto: `pb.TensorFlow`.
      arguments: names of the tensors that are fed; the graph need not read them all.
      results: names of the tensors that are wanted; an argument is handed back as it is.
    """
    graph_def = serialization_utils.unpack_graph_def(proto.graph_def)
    computed = [name for name in dict.fromkeys(results) if name not in arguments]
    token = proto.session_token_tensor_name
    _rewrite(graph_def, proto.initialize_op, computed, [*arguments, token])
    specs = _placeholder_specs(graph_def)
    read = [name for name in arguments if name in specs]

    def imported(*tensors: tf.Tensor) -> list[tf.Tensor]:
        feeds = dict(zip(read, tensors, strict=True))
        if token in specs:
            feeds[token] = tf.constant("")  # Would name the session; there is none.
        return tf.graph_util.import_graph_def(graph_def, feeds, computed, name="")

    with tf.init_scope():
        wrapped = tf.compat.v1.wrap_function(
            imported, [specs[name] for name in read], name=naming.graph_name(graph_def)
        )
    library = [function.signature.name for function in graph_def.library.function]
    return ImportedGraph(wrapped, library, arguments, read, computed, results)


class ImportedGraph:
    """A graph registered with TensorFlow as a function."""

    def __init__(
        self,
        wrapped: Any,
        library: Sequence[str],
        arguments: Sequence[str],
        read: Sequence[str],
        computed: Sequence[str],
        results: Sequence[str],
    ) -> None:
        """Keeps the function.

        Args:
          wrapped: what TensorFlow registered.
          library: names of the functions that it calls.
          arguments: names of the tensors that a caller gives.
          read: those of them that the function takes, in its order.
          computed: names of the tensors that the function returns, in its order.
          results: names of the tensors that a caller gets, each an argument or computed.
        """
        self._wrapped = wrapped  # Keeps the registration alive.
        self._name = wrapped.name
        self._arguments, self._read, self._computed, self._results = arguments, read, computed, results
        # TensorFlow forgets the function with its wrapper, but not the functions that it calls.
        weakref.finalize(self, _forget_functions, library).atexit = False

    def __call__(self, tensors: Sequence[tf.Tensor], cancellation: Any) -> list[tf.Tensor]:
        """Runs the graph.

        Args:
          tensors: the arguments, in their order.
          cancellation: a CancellationManager.

        Returns:
          The results, in their order.
        """
        known = dict(zip(self._arguments, tensors, strict=True))
        computed = self._execute([known[name] for name in self._read], cancellation)
        known.update(zip(self._computed, computed, strict=True))
        return [known[name] for name in self._results]

    def _execute(self, tensors: list[tf.Tensor], cancellation: Any) -> list[tf.Tensor]:
        if not self._computed:
            return []
        context = eager_context.context()
        attributes = ("executor_type", "", "config_proto", _configuration(context, current_lane()))
        # Not by calling the wrapper: that looks for a cancellation in a global variable, which clients
        # that run side by side would overwrite.
        return execute.execute_with_cancellation(
            self._name, len(self._computed), tensors, attributes, context, cancellation
        )


def _rewrite(graph_def: Any, init_op: str, computed: Sequence[str], fed: Sequence[str]) -> None:
    """Makes the graph safe to run as a function, and fast, in place."""
    isolation.add_suffix_to_functions(graph_def, f"_fedlab_{next(_serial_numbers)}")
    wanted = [*computed, init_op] if init_op else computed
    isolation.keep_only(graph_def, isolation.ancestors(graph_def, wanted))
    isolation.forget_control_by_feeds(graph_def, fed)
    isolation.make_resources_anonymous(graph_def)
    speed.make_fast(graph_def)
    if init_op:
        isolation.run_initialisation_first(graph_def, init_op)


def _placeholder_specs(graph_def: Any) -> dict[str, tf.TensorSpec]:
    """Specs of the placeholders that the graph holds, by tensor name."""
    return {
        f"{node.name}:0": tf.TensorSpec(_static_shape(node), node.attr["dtype"].type)
        for node in graph_def.node
        if node.op == "Placeholder"
    }


def _static_shape(node: Any) -> tf.TensorShape | None:
    return tf.TensorShape(node.attr["shape"].shape) if "shape" in node.attr else None


def _configuration(context: Any, lane: int) -> bytes:
    """TensorFlow's settings for a call; another lane's are another text, so TensorFlow makes a copy."""
    serialized = context.function_call_options.config_proto_serialized
    return serialized if lane == 0 else _of_lane(serialized, lane)


@functools.lru_cache
def _of_lane(serialized: bytes, lane: int) -> bytes:
    configuration = tf.compat.v1.ConfigProto.FromString(serialized)
    configuration.experimental.session_metadata.name = "fedlab"
    configuration.experimental.session_metadata.version = lane
    return configuration.SerializeToString(deterministic=True)


def _forget_functions(names: Iterable[str]) -> None:
    context = eager_context.context()
    for name in names:
        if context.has_function(name):
            context.remove_function(name)
