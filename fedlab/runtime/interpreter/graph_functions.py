"""The TensorFlow leaves of a TFF computation, each as one function of this process."""

import functools
import threading
from typing import Any

import tensorflow as tf
from tensorflow_federated.python.core.impl.types import type_serialization
from tensorflow_federated.python.tensorflow_libs import serialization_utils

from fedlab.runtime import errors, naming
from fedlab.runtime.interpreter import bindings
from fedlab.runtime.interpreter.calls import Call
from fedlab.runtime.interpreter.imported_graphs import ImportedGraph, import_graph


class GraphFunction:
    """A `tff.tensorflow.computation`, imported into this process when it is first called.

    Every call starts with fresh variables, so calls may run side by side, and no client or round sees
    what another left behind.
    """

    def __init__(self, proto: Any) -> None:
        """Args: proto: a `pb.Computation` that holds a TensorFlow graph."""
        type_spec = type_serialization.deserialize_type(proto.type)
        has_parameter = type_spec.parameter is not None
        self._proto = proto.tensorflow
        self._parameter = bindings.read(self._proto.parameter, type_spec.parameter) if has_parameter else None
        self._result = bindings.read(self._proto.result, type_spec.result)
        self._lock = threading.Lock()
        self._imported: ImportedGraph | None = None

    def __call__(self, call: Call, argument: Any = None) -> Any:
        """Runs the graph.

        Args:
          call: the Call that it is a part of; stopping that stops the graph.
          argument: a value of the parameter's type, or None where there is no parameter.

        Raises:
          ComputationError: TensorFlow failed.
          Interrupted: the call was stopped.
        """
        graph = self._import_once()
        tensors = bindings.flatten(argument, self._parameter) if self._parameter is not None else []
        try:
            with call.stop_signal.cancellable() as cancellation:
                results = graph(tensors, cancellation)
        except tf.errors.OpError as error:
            call.stop_signal.check()
            raise errors.ComputationError(self.name, error) from error
        return bindings.rebuild(self._result, iter(results))

    @functools.cached_property
    def name(self) -> str:
        """What Python called it, or "unnamed" where TFF's compiler made it."""
        return naming.graph_name(serialization_utils.unpack_graph_def(self._proto.graph_def))

    def _import_once(self) -> ImportedGraph:
        with self._lock:
            if self._imported is None:
                self._imported = import_graph(
                    self._proto,
                    arguments=[] if self._parameter is None else bindings.tensor_names(self._parameter),
                    results=bindings.tensor_names(self._result),
                )
            return self._imported
