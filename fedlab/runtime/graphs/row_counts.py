"""How many rows the matrices in a graph's function have, where that can be known.

Shapes inside functions are mostly not written down. But a sum has as many rows as its parts, and what a loop
carries has the shape that the loop says. This file collects such equations and solves them.
"""

import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from fedlab.runtime.graphs.isolation import node_name

# Operations of one shape: that of all their inputs and of their result.
_OF_ONE_SHAPE = frozenset(
    ["AddN", "EluGrad", "Identity", "LeakyReluGrad", "Neg", "Relu", "Relu6Grad", "ReluGrad", "SeluGrad"]
    + ["Sigmoid", "SigmoidGrad", "SoftplusGrad", "SoftsignGrad", "Tanh", "TanhGrad"]
)


class RowCounts:
    """Which matrices of a function have equally many rows, and how many that is where one is known."""

    def __init__(self, function, carried=()):
        """Reads a function.

        Args:
          function: FunctionDef.
          carried: where the function is the body of a loop: TensorShapeProtos of the loop's variables.
        """
        self._same_as, self._known = {}, {}
        constants = {node.name: node.attr["value"].tensor for node in function.node_def if node.op == "Const"}
        for node in function.node_def:
            self._equate(_tensors_of_equal_rows(node, constants))
        for index, argument in enumerate(function.signature.input_arg):
            for shape in [*_written_shapes(function, index), *carried[index : index + 1]]:
                self._know(argument.name, shape)
        for output, shape in zip(function.signature.output_arg, carried, strict=False):
            self._know(function.ret[output.name], shape)

    def of(self, reference):
        """The number of rows of a tensor, or None."""
        return self._known.get(self._root(reference))

    def _equate(self, tensors):
        for other in tensors[1:]:
            first, other = self._root(tensors[0]), self._root(other)
            if other != first:
                self._same_as[other] = first

    def _know(self, tensor, shape):
        # After all equations, so that a root stays one.
        if len(shape.dim) == 2 and shape.dim[0].size >= 0:
            self._known[self._root(tensor)] = shape.dim[0].size

    def _root(self, tensor):
        while tensor in self._same_as:
            tensor = self._same_as[tensor]
        return tensor


def _tensors_of_equal_rows(node, constants):
    """References to the matrices that have equally many rows, by what the operation does."""
    inputs = [reference for reference in node.input if not reference.startswith("^")]
    if node.op in _OF_ONE_SHAPE:
        equal = inputs
    elif _has_rows_of_first(node):
        equal = inputs[:1]
    elif node.op == "ConcatV2" and _joins_columns(constants.get(node_name(inputs[-1]))):
        equal = inputs[:-1]
    else:
        return []
    (output,) = op_def_registry.get(node.op).output_arg
    return [f"{node.name}:{output.name}:0", *equal]


def _has_rows_of_first(node):
    if node.op == "BiasAdd":
        return node.attr["data_format"].s in (b"", b"NHWC")
    return node.op == "MatMul" and not node.attr["transpose_a"].b


def _joins_columns(axis):
    return axis is not None and tf.make_ndarray(axis).item() in (-1, 1)


def _written_shapes(function, index):
    """The shape of an argument, where the function says it: a list of one TensorShapeProto, or of none."""
    attributes = function.arg_attr[index].attr if index in function.arg_attr else {}
    return attributes["_output_shapes"].list.shape if "_output_shapes" in attributes else []
