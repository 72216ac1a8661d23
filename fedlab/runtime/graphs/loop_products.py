"""Makes the forward pass of a recurrent layer cheap: what its loop's products share is done once, before it.

In every step a recurrent layer multiplies the step's input, and what it remembers, by weights that stay as
they are until the loop has ended. So for a GRU over 100 characters:

    before   inputs[t] @ kernel                         in every step
    after    projected = inputs @ kernel                once, 800 rows instead of 8
             projected[t]                               in every step

    before   memory @ recurrent_kernel                  in every step
    after    turned = transpose(recurrent_kernel)       once
             transpose(turned @ transpose(memory))      in every step, which is quicker (`thin_products.py`)

What does not look like that is left as it is: a loop that assigns a variable, or elements that come from
elsewhere than a tensor.
"""

import tensorflow as tf

from fedlab.runtime.graphs.building import references
from fedlab.runtime.graphs.functional_loops import find_loops, through_identities
from fedlab.runtime.graphs.isolation import node_name
from fedlab.runtime.graphs.row_counts import RowCounts
from fedlab.runtime.graphs.thin_products import can_be_turned, is_thin, turn

# What may be done with a variable in a loop that leaves it as it is.
_READS = frozenset(["ReadVariableOp", "ResourceGather", "Identity"])


def share_products_of_steps(graph_def):
    """Rewrites the loops of a graph's library functions, in place."""
    for loop in find_loops(graph_def):
        if only_reads_variables(loop.body):
            for name in [node.name for node in loop.body.node_def if _is_by_weights(node)]:
                _share(loop, name)


def only_reads_variables(body):
    """Whether a loop's body leaves all variables as they are."""
    resource = tf.resource.as_datatype_enum
    variables = {argument.name for argument in body.signature.input_arg if argument.type == resource}
    return all(
        node.op in _READS or variables.isdisjoint(map(node_name, node.input)) for node in body.node_def
    )


def _is_by_weights(node):
    return can_be_turned(node) and not node.attr["transpose_a"].b and not node.attr["transpose_b"].b


def _share(loop, name):
    """Does what is common to all steps of a product before the loop; `name` is the product's in the body."""
    rows = RowCounts(loop.body, loop.shapes())
    nodes = {node.name: node for node in loop.body.node_def}
    invariants, (left, right) = loop.invariants(), nodes[name].input[:2]
    weights = invariant_tensor(right, nodes, invariants)
    if weights is None:
        return
    elements = _elements_of_tensor(left, nodes, loop, invariants)
    if elements is not None:
        _project_before(loop, name, elements, weights)
    elif is_thin(rows.of(left)):
        _turn_with_weights_transposed_before(loop, name, weights)


# --- Finding ----------------------------------------------------------------------------------------


def invariant_tensor(reference, nodes, invariants):
    """Where the caller has a tensor that no step changes: (reference, whether it is a variable), or None.

    Args:
      reference: to the tensor, in the loop's body.
      nodes: {name: NodeDef} of the body.
      invariants: as `FunctionalLoop.invariants` gives them.
    """
    reference, _ = through_identities(reference, nodes)
    if reference in invariants:
        return invariants[reference], False
    read = nodes.get(node_name(reference))
    if read is None or read.op != "ReadVariableOp":
        return None
    variable, _ = through_identities(read.input[0], nodes)
    return (invariants[variable], True) if variable in invariants else None


def _elements_of_tensor(reference, nodes, loop, invariants):
    """(The tensor whose matrices are a list's elements, the element's number), or None for anything else."""
    get = nodes.get(node_name(through_identities(reference, nodes)[0]))
    if get is None or get.op != "TensorListGetItem" or get.input[0] not in invariants:
        return None
    in_caller = {node.name: node for node in loop.caller.node_def}
    source = in_caller.get(node_name(through_identities(invariants[get.input[0]], in_caller)[0]))
    if source is None or source.op != "TensorListFromTensor":
        return None
    shape = _constant(source.input[1], in_caller)
    return (source.input[0], get.input[1]) if shape is not None and shape.shape == (2,) else None


def _constant(reference, nodes):
    node = nodes.get(node_name(reference))
    return tf.make_ndarray(node.attr["value"].tensor) if node is not None and node.op == "Const" else None


# --- Rewriting --------------------------------------------------------------------------------------


def _project_before(loop, name, elements, weights):
    """Inputs [steps, rows, columns] @ weights in one product; a step takes its own rows of that."""
    tensor, number = elements
    loop.make_own()
    product = loop.node_inside(name)
    dtype = tf.as_dtype(product.attr["T"].type)
    nodes = loop.nodes_outside(f"{name}/projected")
    matrix = _read(nodes, loop, weights, dtype)
    shape = nodes.add("Shape", [tensor], T=dtype, out_type=tf.int32) + ":output:0"
    steps_and_rows = _slice(nodes, shape, 0, 2)
    rows = _reshape(nodes, tensor, _concat(nodes, [nodes.constant([-1]), _slice(nodes, shape, 2, 1)]), dtype)
    projected = nodes.add("MatMul", [rows, matrix], T=dtype, transpose_a=False, transpose_b=False)
    by_step = _concat(nodes, [steps_and_rows, nodes.constant([-1])])
    projected = _reshape(nodes, f"{projected}:product:0", by_step, dtype)
    unknown = nodes.constant([-1, -1])
    types = dict(element_dtype=dtype, shape_type=tf.int32)
    listed = nodes.add("TensorListFromTensor", [projected, unknown], **types)

    argument = f"{name}_projected".replace("/", "_").lower()
    loop.add_variable(argument, tf.variant, f"{listed}:output_handle:0")
    inside = loop.nodes_inside(f"{name}/projected")
    controls = [reference for reference in product.input if reference.startswith("^")]
    taken = inside.add(
        "TensorListGetItem", [argument, number, inside.constant([-1, -1]), *controls], element_dtype=dtype
    )
    for reference, replace in references(loop.body):
        if reference == f"{name}:product:0":
            replace(f"{taken}:item:0")
        elif reference == f"^{name}":
            replace(f"^{taken}")
    loop.remove_inside([name])


def _turn_with_weights_transposed_before(loop, name, weights):
    loop.make_own()
    product = loop.node_inside(name)
    dtype = tf.as_dtype(product.attr["T"].type)
    nodes = loop.nodes_outside(f"{name}/turned")
    matrix = _read(nodes, loop, weights, dtype)
    transposed = nodes.add("Transpose", [matrix, nodes.constant([1, 0])], T=dtype, Tperm=tf.int32)
    argument = f"{name}_turned".replace("/", "_").lower()
    loop.add_variable(argument, dtype, f"{transposed}:y:0")
    thin, _, *controls = product.input
    turn(loop.body, product, argument, thin, controls)


def _read(nodes, loop, weights, dtype):
    reference, is_variable = weights
    if not is_variable:
        return reference
    # When the loop may read it: after what sets it.
    controls = [reference for reference in loop.node.input if reference.startswith("^")]
    return nodes.add("ReadVariableOp", [reference, *controls], dtype=dtype) + ":value:0"


def _slice(nodes, vector, first, size):
    inputs = [vector, nodes.constant([first]), nodes.constant([size])]
    return nodes.add("Slice", inputs, T=tf.int32, Index=tf.int32) + ":output:0"


def _concat(nodes, vectors):
    inputs = [*vectors, nodes.constant(0)]
    return nodes.add("ConcatV2", inputs, T=tf.int32, Tidx=tf.int32, N=len(vectors)) + ":output:0"


def _reshape(nodes, tensor, shape, dtype):
    return nodes.add("Reshape", [tensor, shape], T=dtype, Tshape=tf.int32) + ":output:0"
