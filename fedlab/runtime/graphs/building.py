"""Adds nodes and functions to TensorFlow graphs that exist as plain protocol buffers.

References follow TensorFlow's rules for the inside of functions: "argument" or "node:output_name:index".
"""

import functools

import tensorflow as tf


class Nodes:
    """Adds nodes to a list of them, all under one prefix."""

    def __init__(self, nodes, prefix, device=""):
        """Makes an adder.

        Args:
          nodes: the `node_def` of a FunctionDef, added to in place.
          prefix: what the nodes' names begin with.
          device: where the nodes run; "" leaves it to TensorFlow.
        """
        self._nodes = nodes
        self._prefix = prefix
        self._device = device
        self._count = 0

    def add(self, op, inputs, **attributes):
        """Adds a node.

        Args:
          op: TensorFlow's name of the operation.
          inputs: references to tensors; "^node" is a control input.
          **attributes: bool, int, tf.DType, lists of tf.DType or TensorShapeProto, or a protocol buffer.

        Returns:
          The node's name.
        """
        self._count += 1
        name = f"{self._prefix}/{op}_{self._count}"
        node = self._nodes.add(name=name, op=op, input=inputs, device=self._device)
        for key, value in attributes.items():
            set_attribute(node.attr[key], value)
        return name

    def constant(self, value, dtype=tf.int32):
        """Adds a constant; returns the reference to it."""
        tensor = tf.make_tensor_proto(value, dtype)
        return self.add("Const", [], value=tensor, dtype=dtype) + ":output:0"


class Function:
    """A new function in a graph's library."""

    def __init__(self, graph_def, name):
        """Adds the function, without arguments, nodes or results."""
        self._definition = graph_def.library.function.add()
        self._definition.signature.name = self.name = name
        self.nodes = Nodes(self._definition.node_def, "loop")

    def arguments(self, types, prefix):
        """Adds arguments of the given tf.DTypes; returns the references to them."""
        names = [f"{prefix}_{index}" for index in range(len(types))]
        for name, dtype in zip(names, types, strict=True):
            self._definition.signature.input_arg.add(name=name, type=dtype.as_datatype_enum)
        return names

    def results(self, references, types):
        """Adds results of the given tf.DTypes."""
        for reference, dtype in zip(references, types, strict=True):
            name = f"result_{len(self._definition.signature.output_arg)}"
            self._definition.signature.output_arg.add(name=name, type=dtype.as_datatype_enum)
            self._definition.ret[name] = reference

    def has_effect(self, node):
        """Says that a node does more than compute: it runs even where nothing reads its outputs."""
        self._definition.signature.is_stateful = True
        self._definition.signature.control_output.append(node)
        self._definition.control_ret[node] = node


def references(function):
    """Lists what a function's nodes and results read, as (reference, function that puts another there)."""
    slots = [(node.input, index) for node in function.node_def for index in range(len(node.input))]
    slots += [(function.ret, name) for name in function.ret]
    return [(held[key], functools.partial(held.__setitem__, key)) for held, key in slots]


def function_named(name):
    """The attribute that names a function of the library."""
    return tf.compat.v1.NameAttrList(name=name)


def set_attribute(attribute, value):
    """Sets an AttrValue, in the field that the kind of value asks for."""
    if isinstance(value, list):
        _extend(attribute.list, value)
    elif isinstance(value, bool):
        attribute.b = value
    elif isinstance(value, int):
        attribute.i = value
    elif isinstance(value, tf.DType):
        attribute.type = value.as_datatype_enum
    elif isinstance(value, tf.compat.v1.NameAttrList):
        attribute.func.CopyFrom(value)
    else:
        attribute.tensor.CopyFrom(value)


def _extend(field, values):
    field.SetInParent()  # An empty list is a list, too.
    for value in values:
        if isinstance(value, tf.DType):
            field.type.append(value.as_datatype_enum)
        else:
            field.shape.add().CopyFrom(value)
