"""Makes the gradient of a recurrent layer cheap: one matrix product after its loop, not one in each step.

TensorFlow's gradient of a loop adds to the weights' gradient in every step: with 100 characters and a
GRU of 1,024 units, a hundred products of 8 rows, each added to 13 MB. Memory, not arithmetic, sets the
pace of that. Here the loop only keeps the two factors of each step, and their product is taken once,
over all steps together: the same sum, in another order.

    before   gradient = gradient + transpose(left) @ right           in every step
    after    kept.append(concat(left, right))                        in every step
             gradient = gradient + transpose(lefts) @ rights         once

The rewriting is of TensorFlow's own functional loops (`While`), as plain protocol buffers, in the
functions of a graph. What does not look like the above is left as it is.
"""

import collections
import dataclasses

import tensorflow as tf

from fedlab.runtime.graph_building import Nodes, references
from fedlab.runtime.graph_rewriting import node_name

_LOOPS = ("While", "StatelessWhile")
_SUMS = ("AddN", "AddV2", "Add")


def defer_weight_gradients(graph_def):
    """Rewrites the loops of a graph's library functions, in place."""
    functions = {function.signature.name: function for function in graph_def.library.function}
    for caller in list(graph_def.library.function):
        for loop in [node for node in caller.node_def if node.op in _LOOPS]:
            body, condition = (functions[loop.attr[part].func.name] for part in ("body", "cond"))
            sums = [found for found in _find_sums(body) if _factor_widths(loop, found.index)]
            if sums:
                loop.attr["body"].func.name = _copy(graph_def, body, sums, _keep_factors)
                loop.attr["cond"].func.name = _copy(graph_def, condition, sums, _retype_arguments)
                for found in sums:
                    _multiply_after(caller, loop, found)


@dataclasses.dataclass(frozen=True)
class _SumOfProducts:
    """Loop variable number `index`: in every step it grows by transpose(left) @ right."""

    index: int
    left: str  # References to tensors of the loop's body.
    right: str
    dtype: tf.DType
    nodes: frozenset  # Names of the body's nodes that do this and nothing else.


# --- Finding --------------------------------------------------------------------------------------


def _find_sums(body):
    nodes = {node.name: node for node in body.node_def}
    uses = _count_uses(body)
    found = []
    for index, (argument, output) in enumerate(
        zip(body.signature.input_arg, body.signature.output_arg, strict=True)
    ):
        result, passed = _through_identities(body.ret[output.name], nodes)
        total = nodes.get(node_name(result))
        if total is None or total.op not in _SUMS or len(total.input) != 2:
            continue
        for before, added in (total.input, reversed(total.input)):
            start, passed_before = _through_identities(before, nodes)
            product = nodes.get(node_name(added))
            ours = frozenset([*passed, *passed_before, total.name, node_name(added)])
            used_once = all(uses[name] == 1 for name in [*ours, argument.name])
            if start == argument.name and used_once and _is_outer_product(product):
                dtype = tf.as_dtype(product.attr["T"].type)
                found.append(_SumOfProducts(index, *product.input, dtype, ours))
                break
    return found


def _count_uses(function):
    read = [reference for reference, _ in references(function)]
    return collections.Counter(map(node_name, [*read, *function.control_ret.values()]))


def _through_identities(reference, nodes):
    """Where a tensor comes from when copies are not counted, and the names of the copies."""
    passed = []
    while (node := nodes.get(node_name(reference))) and node.op == "Identity" and len(node.input) == 1:
        passed.append(node.name)
        reference = node.input[0]
    return reference, passed


def _is_outer_product(node):
    return (
        node is not None
        and node.op == "MatMul"
        and len(node.input) == 2  # No control inputs, which would have to be kept.
        and node.attr["transpose_a"].b
        and not node.attr["transpose_b"].b
    )


def _factor_widths(loop, index):
    """Columns of the left and of the right factor, or None where the graph does not say."""
    shapes = loop.attr["output_shapes"].list.shape
    widths = [dimension.size for dimension in shapes[index].dim] if index < len(shapes) else []
    return widths if len(widths) == 2 and min(widths) > 0 else None


# --- Rewriting ------------------------------------------------------------------------------------


def _copy(graph_def, function, sums, rewrite):
    """Adds a rewritten copy, for other loops may call the function as well; returns its name."""
    copy = graph_def.library.function.add()
    copy.CopyFrom(function)
    copy.signature.name += f"_deferred_{len(graph_def.library.function)}"
    rewrite(copy, sums)
    return copy.signature.name


def _retype_arguments(function, sums):
    for found in sums:
        function.signature.input_arg[found.index].type = tf.variant.as_datatype_enum
        function.arg_attr.pop(found.index, None)  # Holds the shape that was.


def _keep_factors(body, sums):
    _retype_arguments(body, sums)
    removed = frozenset().union(*(found.nodes for found in sums))
    kept = [node for node in body.node_def if node.name not in removed]
    del body.node_def[:]
    body.node_def.extend(kept)
    for found in sums:
        _keep_factors_of(body, found)


def _keep_factors_of(body, found):
    argument = body.signature.input_arg[found.index]
    output = body.signature.output_arg[found.index]
    output.type = tf.variant.as_datatype_enum
    nodes = Nodes(body.node_def, f"deferred_{found.index}")
    both = nodes.add(
        "ConcatV2", [found.left, found.right, nodes.constant(1)], T=found.dtype, N=2, Tidx=tf.int32
    )
    kept = nodes.add("TensorListPushBack", [argument.name, f"{both}:output:0"], element_dtype=found.dtype)
    body.ret[output.name] = f"{kept}:output_handle:0"


def _multiply_after(caller, loop, found):
    """Gives the loop an empty list to fill, and its readers the sum of the products."""
    nodes = Nodes(caller.node_def, f"{loop.name}/deferred_{found.index}", loop.device)
    widths = _factor_widths(loop, found.index)
    row_shape = nodes.constant([-1, sum(widths)])
    types = dict(element_dtype=found.dtype, shape_type=tf.int32)
    empty = nodes.add("EmptyTensorList", [row_shape, nodes.constant(-1)], **types)
    initial, loop.input[found.index] = loop.input[found.index], f"{empty}:handle:0"
    loop.attr["T"].list.type[found.index] = tf.variant.as_datatype_enum
    loop.attr["output_shapes"].list.shape[found.index].Clear()
    loop.attr.pop("_output_shapes", None)

    result = f"{loop.name}:output:{found.index}"
    # Before the nodes below are there, which read the result as well.
    readers = [replace for reference, replace in references(caller) if reference == result]
    rows = nodes.add("TensorListConcatV2", [result, row_shape, nodes.constant([], tf.int64)], **types)
    factors = nodes.add(
        "SplitV",
        [f"{rows}:tensor:0", nodes.constant(widths), nodes.constant(1)],
        T=found.dtype,
        Tlen=tf.int32,
        num_split=2,
    )
    product = nodes.add(
        "MatMul",
        [f"{factors}:output:0", f"{factors}:output:1"],
        T=found.dtype,
        transpose_a=True,
        transpose_b=False,
    )
    total = nodes.add("AddV2", [initial, f"{product}:product:0"], T=found.dtype)
    for replace in readers:
        replace(f"{total}:z:0")
