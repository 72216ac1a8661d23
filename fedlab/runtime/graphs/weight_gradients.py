"""Makes the gradient of a recurrent layer cheap: one matrix product after its loop, not one in each step.

TensorFlow's gradient of a loop adds to the weights' gradient in every step: with 100 characters and a
GRU of 1,024 units, a hundred products of 8 rows, each added to 13 MB. Memory, not arithmetic, sets the
pace of that. Here the loop only keeps the two factors of each step, and their product is taken once,
over all steps together: the same sum, in another order.

    before   gradient = gradient + transpose(left) @ right           in every step
    after    lefts.append(left), rights.append(right)                in every step
             gradient = gradient + transpose(lefts) @ rights         once

What does not look like the above is left as it is.
"""

import dataclasses

import tensorflow as tf

from fedlab.runtime.graphs.building import references
from fedlab.runtime.graphs.functional_loops import (
    count_uses,
    find_loops,
    joined_rows,
    list_of,
    through_identities,
)
from fedlab.runtime.graphs.isolation import node_name

_SUMS = ("AddN", "AddV2", "Add")


def defer_weight_gradients(graph_def):
    """Rewrites the loops of a graph's library functions, in place."""
    for loop in find_loops(graph_def):
        for found in _find_sums(loop):
            _defer(loop, found)


@dataclasses.dataclass(frozen=True)
class _SumOfProducts:
    """Loop variable number `index`: in every step it grows by transpose(left) @ right."""

    index: int
    left: str  # References to tensors of the loop's body.
    right: str
    widths: list  # Columns of left and of right.
    dtype: tf.DType
    nodes: frozenset  # Names of the body's nodes that do this and nothing else.


# --- Finding --------------------------------------------------------------------------------------


def _find_sums(loop):
    nodes = {node.name: node for node in loop.body.node_def}
    uses = count_uses(loop.body)
    found = [_find_sum(loop, index, nodes, uses) for index in range(len(loop.body.signature.output_arg))]
    return [each for each in found if each is not None]


def _find_sum(loop, index, nodes, uses):
    """The _SumOfProducts that a loop variable is, or None."""
    argument = loop.body.signature.input_arg[index].name
    output = loop.body.signature.output_arg[index].name
    widths = loop.shape(index)
    result, passed = through_identities(loop.body.ret[output], nodes)
    total = nodes.get(node_name(result))
    if total is None or total.op not in _SUMS or len(total.input) != 2 or not _are_known(widths):
        return None
    for before, added in (total.input, reversed(total.input)):
        start, passed_before = through_identities(before, nodes)
        product = nodes.get(node_name(added))
        ours = frozenset([*passed, *passed_before, total.name, node_name(added)])
        used_once = all(uses[name] == 1 for name in [*ours, argument])
        if start == argument and used_once and _is_outer_product(product):
            dtype = tf.as_dtype(product.attr["T"].type)
            return _SumOfProducts(index, *product.input, widths, dtype, ours)
    return None


def _are_known(widths):
    return widths is not None and len(widths) == 2 and min(widths) > 0


def _is_outer_product(node):
    return (
        node is not None
        and node.op == "MatMul"
        and len(node.input) == 2  # No control inputs, which would have to be kept.
        and node.attr["transpose_a"].b
        and not node.attr["transpose_b"].b
    )


# --- Rewriting ------------------------------------------------------------------------------------


def _defer(loop, found):
    """Makes the loop keep the factors, and the readers of the sum read their product."""
    loop.make_own()
    nodes = loop.nodes_outside(f"deferred_{found.index}")
    result, initial = loop.result(found.index), loop.node.input[found.index]
    # Before the nodes below are there, which read the result as well.
    readers = [replace for reference, replace in references(loop.caller) if reference == result]
    kept = _keep_factors(loop, found, nodes)
    lefts, rights = (
        joined_rows(nodes, loop.result(index), found.dtype, width)
        for index, width in zip(kept, found.widths, strict=True)
    )
    product = nodes.add("MatMul", [lefts, rights], T=found.dtype, transpose_a=True, transpose_b=False)
    total = f"{product}:product:0"
    if not _is_zero(loop.caller, initial):
        total = nodes.add("AddV2", [initial, total], T=found.dtype) + ":z:0"
    for replace in readers:
        replace(total)


def _is_zero(caller, reference):
    """Whether a tensor is filled with zeros: a gradient begins so, and adding it would cost two passes."""
    nodes = {node.name: node for node in caller.node_def}
    filled = nodes.get(node_name(through_identities(reference, nodes)[0]))
    if filled is None or filled.op not in ("Fill", "ZerosLike"):
        return False
    with_what = nodes.get(node_name(filled.input[1])) if filled.op == "Fill" else None
    is_constant = with_what is not None and with_what.op == "Const"
    return filled.op == "ZerosLike" or (
        is_constant and not tf.make_ndarray(with_what.attr["value"].tensor).any()
    )


def _keep_factors(loop, found, nodes):
    """Replaces the sum by two growing lists; returns the indices of the variables that hold them."""
    empty_lists = [list_of(nodes, found.dtype, [-1, width]) for width in found.widths]
    loop.remove_inside(found.nodes)
    loop.retype(found.index, tf.variant, empty_lists[0])
    rights = loop.add_variable(f"deferred_{found.index}_rights", tf.variant, empty_lists[1])
    inside = loop.nodes_inside(f"deferred_{found.index}")
    for index, factor in ((found.index, found.left), (rights, found.right)):
        elements = loop.body.signature.input_arg[index].name
        longer = inside.add("TensorListPushBack", [elements, factor], element_dtype=found.dtype)
        loop.set_result(index, f"{longer}:output_handle:0")
    return found.index, rights
