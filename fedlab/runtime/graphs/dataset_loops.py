"""Turns `Dataset.reduce` into a loop of the graph, which TensorFlow prepares once, not in every call.

TFF trains and evaluates a client with `dataset.reduce(state, step)`. TensorFlow's operation for that
optimizes the step's graph anew at every execution, 0.2 s for a GRU, for every client of every round.
A loop over an iterator does the same work, and is optimized together with the graph that it stands in.
(TFF can build such loops itself, with `LoopImplementation.DATASET_ITERATOR`; here they come unasked.)
"""

import tensorflow as tf

from fedlab.runtime.graphs.building import Function, function_named, references, set_attribute

_UNKNOWN_SHAPE = tf.TensorShape(None).as_proto()


def loop_over_datasets(graph_def):
    """Replaces every ReduceDataset of a graph and its functions by a loop, in place."""
    functions = {function.signature.name: function for function in graph_def.library.function}
    for node in graph_def.node:
        if node.op == "ReduceDataset":
            _replace(graph_def, node, functions[node.attr["f"].func.name])
    for caller in functions.values():
        for node in caller.node_def:
            if node.op == "ReduceDataset":
                _replace(graph_def, node, functions[node.attr["f"].func.name])
                _rename_outputs(caller, node.name)


def _replace(graph_def, node, step):
    """Makes the node call a function that loops: same inputs, same results."""
    state_types, other_types = (_types(node, name) for name in ("Tstate", "Targuments"))
    loop = _Loop(graph_def, step, state_types, other_types, list(node.attr["output_shapes"].list.shape))
    node.op = "StatefulPartitionedCall"
    node.attr.clear()
    set_attribute(node.attr["f"], function_named(loop.build()))
    set_attribute(node.attr["Tin"], [tf.variant, *state_types, *other_types])
    set_attribute(node.attr["Tout"], state_types)


def _types(node, name):
    return [tf.as_dtype(number) for number in node.attr[name].list.type]


def _rename_outputs(function, name):
    """The two operations call their outputs differently, and functions refer to outputs by name."""
    before, after = f"{name}:components:", f"{name}:output:"
    for reference, replace in references(function):
        if reference.startswith(before):
            replace(reference.replace(before, after, 1))


class _Loop:
    """Builds, for one reduction, the functions of its loop.

    All three pass on the same list: the next element (an optional), the iterator, the state and what
    else the step was given.
    """

    def __init__(self, graph_def, step, state_types, other_types, state_shapes):
        self._graph_def = graph_def
        self._step = step.signature.name
        self._name = f"{self._step}_loop_{len(graph_def.library.function)}"
        self._state_types, self._other_types = state_types, other_types
        self._passed_types = [tf.variant, tf.resource, *state_types, *other_types]
        scalar = tf.TensorShape([]).as_proto()
        others = [_UNKNOWN_SHAPE] * len(other_types)
        self._passed_shapes = [scalar, scalar, *state_shapes, *others]
        self._element = _element_of(step, len(state_types), len(other_types))

    def build(self):
        """Adds the functions to the graph's library; returns the name of the one to call."""
        function = Function(self._graph_def, self._name)
        (dataset,) = function.arguments([tf.variant], "dataset")
        state = function.arguments(self._state_types, "state")
        others = function.arguments(self._other_types, "other")
        nodes = function.nodes
        iterator = nodes.add("AnonymousIteratorV3", [], **self._element) + ":handle:0"
        started = nodes.add("MakeIterator", [dataset, iterator])
        first = self._get_next(nodes, iterator, f"^{started}")
        loop = nodes.add(
            "While",
            [first, iterator, *state, *others],
            T=self._passed_types,
            cond=function_named(self._build_condition()),
            body=function_named(self._build_body()),
            output_shapes=self._passed_shapes,
            parallel_iterations=10,
            # As control-flow operations, the loop is optimized together with its surroundings.
            _lower_using_switch_merge=True,
        )
        function.has_effect(loop)
        function.results([f"{loop}:output:{2 + index}" for index in range(len(state))], self._state_types)
        return function.name

    def _build_condition(self):
        function = Function(self._graph_def, f"{self._name}_condition")
        element, *_ = function.arguments(self._passed_types, "passed")
        more = function.nodes.add("OptionalHasValue", [element])
        function.results([f"{more}:has_value:0"], [tf.bool])
        return function.name

    def _build_body(self):
        function = Function(self._graph_def, f"{self._name}_body")
        passed = function.arguments(self._passed_types, "passed")
        element, iterator, state, others = passed[0], passed[1], *self._split(passed[2:])
        nodes, element_types = function.nodes, self._element["output_types"]
        parts = nodes.add("OptionalGetValue", [element], **self._element)
        step = nodes.add(
            "StatefulPartitionedCall",
            [*state, *(f"{parts}:components:{index}" for index in range(len(element_types))), *others],
            Tin=[*self._state_types, *element_types, *self._other_types],
            Tout=self._state_types,
            f=function_named(self._step),
        )
        function.has_effect(step)
        after = [f"{step}:output:{index}" for index in range(len(state))]
        results = [self._get_next(nodes, iterator), iterator, *after, *others]
        function.results(results, self._passed_types)
        return function.name

    def _split(self, values):
        border = len(self._state_types)
        return values[:border], values[border:]

    def _get_next(self, nodes, iterator, *control_inputs):
        node = nodes.add("IteratorGetNextAsOptional", [iterator, *control_inputs], **self._element)
        return f"{node}:optional:0"


def _element_of(step, num_states, num_others):
    """Types and shapes of an element's tensors: the step's arguments between state and the others."""
    arguments = step.signature.input_arg
    middle = range(num_states, len(arguments) - num_others)
    return {
        "output_types": [tf.as_dtype(arguments[index].type) for index in middle],
        "output_shapes": [_shape_of(step, index) for index in middle],
    }


def _shape_of(function, index):
    attributes = function.arg_attr[index].attr if index in function.arg_attr else {}
    shapes = attributes["_output_shapes"].list.shape if "_output_shapes" in attributes else []
    return shapes[0] if shapes else _UNKNOWN_SHAPE
