"""Takes the gradient of a recurrent layer's inputs in one matrix product after the loop, not in each step.

Each step of the gradient's loop multiplies by the transposed weights and puts the product at the step's place
in a list:

    before   gradients[t] += gradient @ transpose(kernel)             in every step
    after    kept[t] += gradient                                      in every step
             gradients = kept @ transpose(kernel)                     once, 800 rows instead of 8

That is right where the weights are the same in all steps. The gradient's loop takes them from a list, one
entry a step; `tensor_origins.py` finds the forward loop that filled the list, and this file looks whether it
put the same there in every step. What does not look like that is left as it is.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from fedlab.runtime.graphs.building import references
from fedlab.runtime.graphs.functional_loops import count_uses, find_loops, through_identities
from fedlab.runtime.graphs.isolation import node_name
from fedlab.runtime.graphs.loop_products import invariant_tensor, only_reads_variables
from fedlab.runtime.graphs.row_counts import RowCounts
from fedlab.runtime.graphs.tensor_origins import TensorOrigins
from fedlab.runtime.graphs.thin_products import is_by_transposed_weights

_SUMS = ("AddN", "AddV2")


def defer_input_gradients(graph_def) -> None:
    """Rewrites the loops of a graph's library functions, in place."""
    loops = find_loops(graph_def)
    origins = TensorOrigins(graph_def)
    forward_loops = {(loop.caller.signature.name, loop.node.name): loop for loop in loops}
    for loop in loops:
        for found in _find(loop, origins, forward_loops):
            _defer(loop, found)


@dataclasses.dataclass(frozen=True)
class _ProductsInList:
    """Loop variable number `index`, a list: a step adds gradient @ transpose(weights) to one element."""

    index: int
    product: str  # Names of nodes in the loop's body: the MatMul,
    written: str  # the TensorListSetItem that puts it into a list,
    reserved: str  # and the TensorListReserve that made that list.
    weights_list: int  # Number of the loop variable, a list, that holds the weights of every step.
    rows: int
    columns: tuple  # Of the product, and of the gradient.


# --- Finding ----------------------------------------------------------------------------------------


def _find(loop, origins, forward_loops):
    nodes = {node.name: node for node in loop.body.node_def}
    uses, rows = count_uses(loop.body), RowCounts(loop.body, loop.shapes())
    found = [
        _find_one(loop, index, nodes, uses, rows, origins, forward_loops)
        for index in range(len(loop.body.signature.output_arg))
    ]
    return [each for each in found if each is not None]


def _find_one(loop, index, nodes, uses, rows, origins, forward_loops):
    parts = _parts_of_sum(loop, index, nodes, uses)
    if parts is None:
        return None
    written, reserved, product = parts
    weights_list = _list_popped(loop, product.input[1], nodes)
    num_rows = rows.of(product.input[0])
    if weights_list is None or num_rows is None:
        return None
    shape = _shape_of_same_weights(loop, weights_list, origins, forward_loops)
    if shape is None:
        return None
    return _ProductsInList(
        index, product.name, written.name, reserved.name, weights_list, num_rows, tuple(shape)
    )


def _parts_of_sum(loop, index, nodes, uses):
    """(TensorListSetItem, TensorListReserve, MatMul) of a variable that grows as described above, or None."""
    argument = loop.body.signature.input_arg[index].name
    output = loop.body.signature.output_arg[index].name
    total = nodes.get(node_name(through_identities(loop.body.ret[output], nodes)[0]))
    if total is None or total.op not in _SUMS or len(total.input) != 2 or uses[argument] != 1:
        return None
    for before, added in (total.input, reversed(total.input)):
        written = nodes.get(node_name(added))
        if through_identities(before, nodes)[0] != argument or written is None:
            continue
        if written.op != "TensorListSetItem" or len(written.input) != 3:
            continue
        reserved, product = (nodes.get(node_name(written.input[place])) for place in (0, 2))
        if (
            reserved is not None
            and reserved.op == "TensorListReserve"
            and product is not None
            and is_by_transposed_weights(product)
            and len(product.input) == 2
            and all(uses[node.name] == 1 for node in (total, written, reserved, product))
        ):
            return written, reserved, product
    return None


def _list_popped(loop, reference, nodes):
    """Number of the loop variable from whose list a tensor is taken, or None."""
    popped = nodes.get(node_name(through_identities(reference, nodes)[0]))
    if popped is None or popped.op != "TensorListPopBack":
        return None
    names = [argument.name for argument in loop.body.signature.input_arg]
    return names.index(popped.input[0]) if popped.input[0] in names else None


def _shape_of_same_weights(loop, weights_list, origins, forward_loops):
    """Shape of the weights in a list, where a forward loop put the same ones there in every step; or None."""
    found = origins.find(loop.caller, loop.node.input[weights_list])
    if found is None:
        return None
    function, reference = found
    forward = forward_loops.get((function.signature.name, node_name(reference)))
    if forward is None or not only_reads_variables(forward.body):
        return None
    number = int(reference.rsplit(":", 1)[1])
    return _shape_of_pushed(forward, number) if _pushes_the_same(forward, number) else None


def _pushes_the_same(forward, number):
    nodes = {node.name: node for node in forward.body.node_def}
    argument = forward.body.signature.input_arg[number].name
    output = forward.body.signature.output_arg[number].name
    pushed = nodes.get(node_name(through_identities(forward.body.ret[output], nodes)[0]))
    return (
        pushed is not None
        and pushed.op == "TensorListPushBack"
        and pushed.input[0] == argument
        and invariant_tensor(pushed.input[1], nodes, forward.invariants()) is not None
    )


def _shape_of_pushed(forward, number):
    """The shape that an empty list is made for, where it is a matrix of known size; else None."""
    nodes = {node.name: node for node in forward.caller.node_def}
    empty = nodes.get(node_name(through_identities(forward.node.input[number], nodes)[0]))
    if empty is None or empty.op != "EmptyTensorList":
        return None
    shape = nodes.get(node_name(empty.input[0]))
    if shape is None or shape.op != "Const":
        return None
    sizes = tf.make_ndarray(shape.attr["value"].tensor)
    return [int(size) for size in sizes] if sizes.shape == (2,) and sizes.min() > 0 else None


# --- Rewriting --------------------------------------------------------------------------------------


def _defer(loop, found):
    """Makes the loop's list hold what would be multiplied, and its readers read the products."""
    loop.make_own()
    product = loop.node_inside(found.product)
    gradient, dtype = product.input[0], tf.as_dtype(product.attr["T"].type)
    nodes = loop.nodes_outside(f"input_gradients_{found.index}")
    result, initial = loop.result(found.index), loop.node.input[found.index]
    readers = [replace for reference, replace in references(loop.caller) if reference == result]

    _keep_gradients(loop, found, gradient)
    loop.node.input[found.index] = _empty_list_like(nodes, initial, dtype)
    products = _products(nodes, found, result, _weights(nodes, loop, found, dtype), dtype)
    total = nodes.add("AddN", [initial, products], N=2, T=tf.variant) + ":sum:0"
    for replace in readers:
        replace(total)


def _keep_gradients(loop, found, gradient):
    inside = loop.nodes_inside(f"input_gradients_{found.index}")
    loop.node_inside(found.written).input[2] = gradient
    loop.node_inside(found.reserved).input[0] = inside.constant([-1, -1])
    loop.remove_inside([found.product])


def _empty_list_like(nodes, initial, dtype):
    length = nodes.add("TensorListLength", [initial]) + ":length:0"
    types = dict(element_dtype=dtype, shape_type=tf.int32)
    return nodes.add("TensorListReserve", [nodes.constant([-1, -1]), length], **types) + ":handle:0"


def _weights(nodes, loop, found, dtype):
    """The weights of the first step; where there was no step, zeros that nothing is multiplied by."""
    zeros = nodes.add(
        "Fill", [nodes.constant(list(found.columns)), nodes.constant(0, dtype)], T=dtype, index_type=tf.int32
    )
    weights_list = loop.node.input[found.weights_list]
    longer = nodes.add("TensorListPushBack", [weights_list, f"{zeros}:output:0"], element_dtype=dtype)
    place = [f"{longer}:output_handle:0", nodes.constant(0), nodes.constant(list(found.columns))]
    return nodes.add("TensorListGetItem", place, element_dtype=dtype) + ":item:0"


def _products(nodes, found, kept, weights, dtype):
    """A list of what every step would have put there."""
    num_columns, num_inner = found.columns
    types = dict(element_dtype=dtype, shape_type=tf.int32)
    stacked = nodes.add(
        "TensorListStack",
        [kept, nodes.constant([found.rows, num_inner])],
        element_dtype=dtype,
        num_elements=-1,
    )
    rows = _reshape(nodes, f"{stacked}:tensor:0", [-1, num_inner], dtype)
    product = nodes.add("MatMul", [rows, weights], T=dtype, transpose_a=False, transpose_b=True)
    by_step = _reshape(nodes, f"{product}:product:0", [-1, found.rows, num_columns], dtype)
    listed = nodes.add("TensorListFromTensor", [by_step, nodes.constant([found.rows, num_columns])], **types)
    return f"{listed}:output_handle:0"


def _reshape(nodes, tensor, shape, dtype):
    return nodes.add("Reshape", [tensor, nodes.constant(shape)], T=dtype, Tshape=tf.int32) + ":output:0"
