"""Turns thin matrix products round, which TensorFlow's CPU kernels compute up to ten times too slowly.

The gradient of a layer multiplies a thin matrix, one row for each row of a batch, by the transposed weights:
`g @ transpose(W)`, with g of shape [8, 3072]. TensorFlow without oneDNN takes ten times as long for that as
for `x @ W`, which reads the same weights. The same numbers the other way round take as long as they should:

    before   MatMul(g, W, transpose_b=True)
    after    Transpose(MatMul(W, g, transpose_b=True))

In a recurrent layer that is a product in each of a hundred steps. A product is turned round where its number
of rows is known, from 2 to 64. With more rows, and with a single one, TensorFlow's own way is as fast.
"""

import tensorflow as tf

from fedlab.runtime.graphs.building import Nodes, references
from fedlab.runtime.graphs.functional_loops import find_loops
from fedlab.runtime.graphs.row_counts import RowCounts

FEWEST_ROWS, MOST_ROWS = 2, 64

_TURNED_TYPES = (tf.float32, tf.float64)


def turn_thin_products(graph_def):
    """Rewrites the thin products of a graph's library functions, in place."""
    carried = {loop.body.signature.name: loop.shapes() for loop in find_loops(graph_def)}
    for function in graph_def.library.function:
        products = [node for node in function.node_def if is_by_transposed_weights(node)]
        rows = RowCounts(function, carried.get(function.signature.name, ())) if products else None
        for product in products:
            if is_thin(rows.of(product.input[0])):
                thin, weights, *controls = product.input
                turn(function, product, weights, thin, controls)


def is_thin(num_rows):
    """Whether products of so many rows are worth turning round; None is a number that is not known."""
    return num_rows is not None and FEWEST_ROWS <= num_rows <= MOST_ROWS


def can_be_turned(product):
    """Whether a node is a matrix product of a type for which the kernels are known."""
    return product.op == "MatMul" and tf.as_dtype(product.attr["T"].type) in _TURNED_TYPES


def is_by_transposed_weights(node):
    """Whether a node multiplies by a transposed matrix, in a type for which the kernels are known."""
    return can_be_turned(node) and node.attr["transpose_b"].b and not node.attr["transpose_a"].b


def turn(function, product, weights, thin, controls):
    """Makes a product `transpose(weights @ transpose(thin))`, for all that read it.

    Args:
      function: FunctionDef that holds the product, changed in place.
      product: NodeDef of a MatMul.
      weights: reference to a matrix of one row for each column of the product.
      thin: reference to a matrix of the product's rows.
      controls: the product's control inputs.
    """
    readers = [replace for read, replace in references(function) if read == f"{product.name}:product:0"]
    product.input[:] = [weights, thin, *controls]
    product.attr["transpose_a"].b, product.attr["transpose_b"].b = False, True
    nodes = Nodes(function.node_def, f"{product.name}/turned", product.device)
    columns_first = nodes.constant([1, 0])
    types = dict(T=tf.as_dtype(product.attr["T"].type), Tperm=tf.int32)
    turned = nodes.add("Transpose", [f"{product.name}:product:0", columns_first], **types)
    for replace in readers:
        replace(f"{turned}:y:0")
