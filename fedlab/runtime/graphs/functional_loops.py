"""TensorFlow's functional loops (`While` in a function), opened for changes as plain protocol buffers.

A loop carries variables: its body takes each as an argument and returns it for the next step, its condition
takes them all, and the loop gives what they are in the end. Bodies and conditions are functions of the
graph's library, which other loops may call as well, so a loop that is changed gets copies of its own.
"""

import collections

import tensorflow as tf

from fedlab.runtime.graphs.building import Nodes, references
from fedlab.runtime.graphs.isolation import node_name

_LOOPS = ("While", "StatelessWhile")
_UNKNOWN_SHAPE = tf.TensorShape(None).as_proto()


def find_loops(graph_def):
    """The loops in a graph's library functions, as a list of `FunctionalLoop`."""
    functions = {function.signature.name: function for function in graph_def.library.function}
    return [
        FunctionalLoop(graph_def, functions, caller, node)
        for caller in list(graph_def.library.function)
        for node in caller.node_def
        if node.op in _LOOPS
    ]


class FunctionalLoop:
    """One loop: its node, the function that it stands in, its body and its condition.

    Attributes:
      caller: FunctionDef in which the loop stands.
      node: NodeDef of the loop.
      body, condition: FunctionDefs.
    """

    def __init__(self, graph_def, functions, caller, node):
        self._graph_def = graph_def
        self._is_own = False
        self.caller, self.node = caller, node
        self.body, self.condition = (functions[node.attr[part].func.name] for part in ("body", "cond"))

    # --- Reading --------------------------------------------------------------------------------------

    def shapes(self):
        """What the loop says of its variables' shapes: TensorShapeProtos, or none."""
        return list(self.node.attr["output_shapes"].list.shape)

    def shape(self, index):
        """Sizes of a variable's dimensions, -1 where unknown; None where even their number is."""
        shapes = self.shapes()
        if index >= len(shapes) or shapes[index].unknown_rank:
            return None
        return [dimension.size for dimension in shapes[index].dim]

    def invariants(self):
        """Variables that no step changes: {name of the body's argument: what the loop begins with}."""
        nodes = {node.name: node for node in self.body.node_def}
        arguments, results = self.body.signature.input_arg, self.body.signature.output_arg
        return {
            argument.name: self.node.input[index]
            for index, (argument, result) in enumerate(zip(arguments, results, strict=True))
            if through_identities(self.body.ret[result.name], nodes)[0] == argument.name
        }

    # --- Changing -------------------------------------------------------------------------------------

    def make_own(self):
        """Gives the loop a body and a condition that no other loop calls; before any other change."""
        if not self._is_own:
            self._is_own = True
            self.body = self._copy(self.body, "body")
            self.condition = self._copy(self.condition, "cond")

    def _copy(self, function, part):
        copy = self._graph_def.library.function.add()
        copy.CopyFrom(function)
        copy.signature.name += f"_own_{len(self._graph_def.library.function)}"
        self.node.attr[part].func.name = copy.signature.name
        return copy

    def add_variable(self, name, dtype, initial, shape=_UNKNOWN_SHAPE):
        """Lets the loop carry one more tensor, the last of all; no step changes it until `set_result`.

        Args:
          name: what the body and the condition call it.
          dtype: tf.DType.
          initial: reference, in the caller, to what the loop begins with.
          shape: TensorShapeProto.

        Returns:
          The variable's index. In the body, `name` is the reference to it.
        """
        index = len(self.body.signature.input_arg)
        type_enum = dtype.as_datatype_enum
        for function in (self.body, self.condition):
            function.signature.input_arg.add(name=name, type=type_enum)
        self.body.signature.output_arg.add(name=name, type=type_enum)
        self.body.ret[name] = name
        self.node.input.insert(index, initial)  # Before the control inputs.
        self.node.attr["T"].list.type.append(type_enum)
        if "output_shapes" in self.node.attr and len(self.node.attr["output_shapes"].list.shape) == index:
            self.node.attr["output_shapes"].list.shape.add().CopyFrom(shape)
        self.node.attr.pop("_output_shapes", None)
        return index

    def set_result(self, index, reference):
        """What the variable is after a step, as a reference in the body."""
        self.body.ret[self.body.signature.output_arg[index].name] = reference

    def retype(self, index, dtype, initial):
        """Makes a variable one of another type and unknown shape, with another beginning."""
        type_enum = dtype.as_datatype_enum
        for function in (self.body, self.condition):
            function.signature.input_arg[index].type = type_enum
            function.arg_attr.pop(index, None)  # Holds the shape that was.
        self.body.signature.output_arg[index].type = type_enum
        self.node.input[index] = initial
        self.node.attr["T"].list.type[index] = type_enum
        if index < len(self.node.attr["output_shapes"].list.shape):
            self.node.attr["output_shapes"].list.shape[index].Clear()
        self.node.attr.pop("_output_shapes", None)

    def result(self, index):
        """Reference, in the caller, to what the variable is when the loop has ended."""
        return f"{self.node.name}:output:{index}"

    def nodes_outside(self, prefix):
        """Adds nodes to the caller, for what goes into the loop or becomes of its results."""
        return Nodes(self.caller.node_def, f"{self.node.name}/{prefix}", self.node.device)

    def nodes_inside(self, prefix):
        """Adds nodes to the body."""
        return Nodes(self.body.node_def, prefix)

    def node_inside(self, name):
        """The body's node of a name."""
        return next(node for node in self.body.node_def if node.name == name)

    def remove_inside(self, names):
        """Removes nodes from the body."""
        kept = [node for node in self.body.node_def if node.name not in names]
        del self.body.node_def[:]
        self.body.node_def.extend(kept)


def through_identities(reference, nodes):
    """Where a tensor comes from when copies are not counted, and the names of the copies.

    Args:
      reference: of a tensor inside a function.
      nodes: {name: NodeDef} of the function.
    """
    passed = []
    while (node := nodes.get(node_name(reference))) and node.op == "Identity":
        passed.append(node.name)
        reference = node.input[0]
    return reference, passed


def count_uses(function):
    """How many of a function's nodes and results read each argument and node: Counter of names."""
    read = [reference for reference, _ in references(function)]
    return collections.Counter(map(node_name, [*read, *function.control_ret.values()]))


def list_of(nodes, dtype, element_shape):
    """Adds an empty TensorList; returns the reference to it.

    Args:
      nodes: `Nodes` to add to.
      dtype: tf.DType of the elements.
      element_shape: list of sizes, -1 where unknown.
    """
    shape = nodes.constant(element_shape)
    empty = nodes.add(
        "EmptyTensorList", [shape, nodes.constant(-1)], element_dtype=dtype, shape_type=tf.int32
    )
    return f"{empty}:handle:0"


def joined_rows(nodes, elements, dtype, num_columns):
    """Adds the matrix of all rows of a TensorList's matrices; returns the reference to it."""
    shape = nodes.constant([-1, num_columns])
    rows = nodes.add(
        "TensorListConcatV2",
        [elements, shape, nodes.constant([], tf.int64)],
        element_dtype=dtype,
        shape_type=tf.int32,
    )
    return f"{rows}:tensor:0"
