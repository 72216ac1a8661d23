"""Where a tensor inside one function of a graph's library comes from, across the calls between functions.

The forward pass and the gradient of a layer are functions of their own, and what the gradient needs of the
forward pass goes through calls of several others. `TensorOrigins` follows a tensor back to the operation that
made it.
"""

from __future__ import annotations

import collections
import typing

from fedlab.runtime.graphs.functional_loops import through_identities
from fedlab.runtime.graphs.isolation import node_name

_CALLS = ("PartitionedCall", "StatefulPartitionedCall")


class TensorOrigins:
    """Follows tensors through the functions of a graph's library."""

    def __init__(self, graph_def) -> None:
        """Reads the calls between the functions of a GraphDef."""
        self._functions = {function.signature.name: function for function in graph_def.library.function}
        self._callers = collections.defaultdict(list)  # By name of the function called: (caller, node).
        for caller in graph_def.library.function:
            for node in caller.node_def:
                for attribute in node.attr.values():
                    for called in [attribute.func, *attribute.list.func]:
                        self._callers[called.name].append((caller, node))

    def find(self, function, reference: str) -> tuple[typing.Any, str] | None:
        """Follows a tensor to where it was made.

        Args:
          function: FunctionDef that holds the tensor.
          reference: to the tensor, in that function.

        Returns:
          (FunctionDef, reference in it) of an operation that is neither a copy nor a call; None where there
          are several callers, or another kind of caller than a plain call.
        """
        for _ in range(len(self._functions) * 2):  # A call of itself would never end.
            nodes = {node.name: node for node in function.node_def}
            reference, _ = through_identities(reference, nodes)
            node = nodes.get(node_name(reference))
            if node is None:
                found = self._in_caller(function, reference)
            elif node.op in _CALLS:
                found = self._in_called(node, reference)
            else:
                return function, reference
            if found is None:
                return None
            function, reference = found
        return None

    def _in_caller(self, function, argument):
        callers = self._callers[function.signature.name]
        names = [each.name for each in function.signature.input_arg]
        if len(callers) != 1 or callers[0][1].op not in _CALLS or argument not in names:
            return None
        caller, node = callers[0]
        return caller, node.input[names.index(argument)]

    def _in_called(self, node, reference):
        called = self._functions.get(node.attr["f"].func.name)
        number = int(reference.rsplit(":", 1)[1])
        return (called, called.ret[called.signature.output_arg[number].name]) if called is not None else None
