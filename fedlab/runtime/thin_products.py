"""Turns thin matrix products round, which TensorFlow's CPU kernels compute up to ten times too slowly.

The gradient of a layer multiplies a thin matrix, one row for each row of a batch, by the transposed weights:
`g @ transpose(W)`, with g of shape [8, 3072]. TensorFlow without oneDNN takes ten times as long for that as
for `x @ W`, which reads the same weights. The same numbers the other way round take as long as they should:

    before   MatMul(g, W, transpose_b=True)
    after    Transpose(MatMul(W, g, transpose_b=True))

In a recurrent layer that is a product in each of a hundred steps. A product is turned round where its number
of rows is known, from 2 to 64. With more rows, and with a single one, TensorFlow's own way is as fast.

Shapes inside functions are mostly not written down, but how many rows a tensor has follows from others: a sum
has the rows of its parts, and what a loop carries has the rows that the loop's shape says. `_Rows` collects
these equations and solves them.
"""

import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from fedlab.runtime.graph_building import Nodes, references
from fedlab.runtime.graph_rewriting import node_name

FEWEST_ROWS, MOST_ROWS = 2, 64

_LOOPS = ("While", "StatelessWhile")
_TURNED_TYPES = (tf.float32, tf.float64)
# Operations of one shape: that of all their inputs and of their result.
_OF_ONE_SHAPE = frozenset(
    "AddN EluGrad Identity LeakyReluGrad Neg Relu Relu6Grad ReluGrad SeluGrad Sigmoid SigmoidGrad SoftplusGrad "
    "SoftsignGrad Tanh TanhGrad".split()
)


def turn_thin_products(graph_def):
    """Rewrites the thin products of a graph's library functions, in place."""
    carried = _shapes_carried_by_loops(graph_def)
    for function in graph_def.library.function:
        products = [node for node in function.node_def if _is_by_transposed_weights(node)]
        if products:
            rows = _rows_of_tensors(function, carried.get(function.signature.name, ()))
            for product in products:
                if FEWEST_ROWS <= (rows.of(product.input[0]) or 0) <= MOST_ROWS:
                    _turn(function, product)


def _is_by_transposed_weights(node):
    return (
        node.op == "MatMul"
        and node.attr["transpose_b"].b
        and not node.attr["transpose_a"].b
        and tf.as_dtype(node.attr["T"].type) in _TURNED_TYPES
    )


def _turn(function, product):
    """Makes `product` the product the other way round, and what read it read that, transposed."""
    readers = [replace for read, replace in references(function) if read == f"{product.name}:product:0"]
    thin, weights, *controls = product.input
    product.input[:] = [weights, thin, *controls]
    nodes = Nodes(function.node_def, f"{product.name}/turned", product.device)
    columns_first = nodes.constant([1, 0])
    types = dict(T=tf.as_dtype(product.attr["T"].type), Tperm=tf.int32)
    turned = nodes.add("Transpose", [f"{product.name}:product:0", columns_first], **types)
    for replace in readers:
        replace(f"{turned}:y:0")


# --- How many rows a tensor has ---------------------------------------------------------------------


def _rows_of_tensors(function, carried):
    """The `_Rows` of a function; `carried` are the shapes of its arguments where it is a loop's body."""
    rows = _Rows()
    constants = {node.name: node.attr["value"].tensor for node in function.node_def if node.op == "Const"}
    for node in function.node_def:
        rows.equate(_tensors_of_equal_rows(node, constants))
    for index, argument in enumerate(function.signature.input_arg):
        for shape in [*_written_shapes(function, index), *carried[index : index + 1]]:
            rows.know(argument.name, shape)
    for output, shape in zip(function.signature.output_arg, carried, strict=False):
        rows.know(function.ret[output.name], shape)
    return rows


class _Rows:
    """Which tensors have equally many rows, and how many that is where one of them is known."""

    def __init__(self):
        self._same_as, self._known = {}, {}

    def equate(self, tensors):
        for other in tensors[1:]:
            first, other = self._root(tensors[0]), self._root(other)
            if other != first:
                self._same_as[other] = first

    def know(self, tensor, shape):
        """Takes over what a TensorShapeProto says of a tensor; only after all equations."""
        if len(shape.dim) == 2 and shape.dim[0].size >= 0:
            self._known[self._root(tensor)] = shape.dim[0].size

    def of(self, tensor):
        """The number of rows, or None."""
        return self._known.get(self._root(tensor))

    def _root(self, tensor):
        while tensor in self._same_as:
            tensor = self._same_as[tensor]
        return tensor


def _tensors_of_equal_rows(node, constants):
    """References to the matrices that have equally many rows, by what the operation does."""
    inputs = [reference for reference in node.input if not reference.startswith("^")]
    if node.op in _OF_ONE_SHAPE:
        equal = inputs
    elif node.op == "MatMul" and not node.attr["transpose_a"].b:
        equal = inputs[:1]
    elif node.op == "ConcatV2" and _joins_columns(constants.get(node_name(inputs[-1]))):
        equal = inputs[:-1]
    else:
        return []
    (output,) = op_def_registry.get(node.op).output_arg
    return [f"{node.name}:{output.name}:0", *equal]


def _joins_columns(axis):
    return axis is not None and tf.make_ndarray(axis).item() in (-1, 1)


def _written_shapes(function, index):
    """The shape of an argument, where the function says it: a list of one TensorShapeProto, or of none."""
    attributes = function.arg_attr[index].attr if index in function.arg_attr else {}
    return attributes["_output_shapes"].list.shape if "_output_shapes" in attributes else []


def _shapes_carried_by_loops(graph_def):
    """Shapes of what loops carry, by name of the loop's body: {name: list of TensorShapeProto}."""
    callers = [graph_def.node, *(function.node_def for function in graph_def.library.function)]
    loops = [node for nodes in callers for node in nodes if node.op in _LOOPS]
    return {loop.attr["body"].func.name: list(loop.attr["output_shapes"].list.shape) for loop in loops}
