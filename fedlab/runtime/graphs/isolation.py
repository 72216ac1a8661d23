"""Makes a TensorFlow graph of TFF safe to run as a function, beside others and more than once.

TFF runs a graph in a TensorFlow session: names are the session's own, and variables are gone when it
closes. Here graphs run in one process, so each is rewritten once, as plain protocol buffers:

- library functions get a suffix, for two graphs may call different functions by one name;
- variables and lookup tables become anonymous: every call makes its own and frees them at the end;
- the initialisation is made to run before whatever uses what it initialises.
"""

import collections

# TensorFlow's name for "a new resource at every execution" (`ResourceHandle::ANONYMOUS_NAME`).
ANONYMOUS_NAME = b"cd2c89b7-88b7-44c8-ad83-06c2a9158347"

# Named tables and their anonymous twins, which keep every attribute but the three of naming.
_ANONYMOUS_TABLES = {
    "HashTable": "AnonymousHashTable",
    "HashTableV2": "AnonymousHashTable",
    "MutableHashTableV2": "AnonymousMutableHashTable",
    "MutableHashTableOfTensorsV2": "AnonymousMutableHashTableOfTensors",
    "MutableDenseHashTableV2": "AnonymousMutableDenseHashTable",
}
_NAMING = ("container", "shared_name", "use_node_name_sharing")


def node_name(reference):
    """The node that an input or tensor name refers to: "^a" and "a:1" are both "a"."""
    return reference.lstrip("^").split(":")[0]


def add_suffix_to_functions(graph_def, suffix):
    """Renames every library function of the graph, and all that refers to one, in place."""
    names = {
        function.signature.name: function.signature.name + suffix for function in graph_def.library.function
    }
    for function in graph_def.library.function:
        function.signature.name = names[function.signature.name]
        for node in function.node_def:
            _rename_functions(node, names)
        for attribute in function.attr.values():
            _rename_in_attribute(attribute, names)
    for node in graph_def.node:
        _rename_functions(node, names)
    for gradient in graph_def.library.gradient:
        gradient.function_name = names.get(gradient.function_name, gradient.function_name)
        gradient.gradient_func = names.get(gradient.gradient_func, gradient.gradient_func)


def _rename_functions(node, names):
    # A function can be called by naming it as the op.
    node.op = names.get(node.op, node.op)
    for attribute in node.attr.values():
        _rename_in_attribute(attribute, names)


def _rename_in_attribute(attribute, names):
    kind = attribute.WhichOneof("value")
    if kind == "func":
        functions = [attribute.func]
    elif kind == "list":
        functions = attribute.list.func
    else:
        return
    for function in functions:
        function.name = names.get(function.name, function.name)
        for inner in function.attr.values():
            _rename_in_attribute(inner, names)


def make_resources_anonymous(graph_def):
    """Gives every execution of the graph variables and tables of its own, in place.

    Nodes that share one variable by name are joined first: after that, a node is a variable.
    """
    _join_variables_of_one_name(graph_def)
    for node in graph_def.node:
        if node.op == "VarHandleOp":
            node.attr["shared_name"].s = ANONYMOUS_NAME
        elif node.op in _ANONYMOUS_TABLES:
            node.op = _ANONYMOUS_TABLES[node.op]
            for attribute in _NAMING:
                node.attr.pop(attribute, None)


def _join_variables_of_one_name(graph_def):
    first_of, stands_for = {}, {}
    for node in graph_def.node:
        name = node.attr["shared_name"].s if node.op == "VarHandleOp" else b""
        if name:
            first = first_of.setdefault((node.attr["container"].s, name), node.name)
            if first != node.name:
                stands_for[node.name] = first
    if not stands_for:
        return
    for node in graph_def.node:
        for index, reference in enumerate(node.input):
            name = node_name(reference)
            if name in stands_for:
                node.input[index] = reference.replace(name, stands_for[name], 1)


def run_initialisation_first(graph_def, init_op):
    """Makes what reads initialised state wait for `init_op`, in place.

    Only nodes that take an input directly from the initialisation's own part of the graph can reach
    a variable before it is set, so only they are made to wait. In that part, what reads a variable, to
    give another one its beginning, waits for that variable: TensorFlow reads nothing from one that is
    not yet set, and says no word.
    """
    inside = ancestors(graph_def, [init_op])
    _set_before_read(graph_def, inside)
    for node in graph_def.node:
        reaches_in = any(node_name(reference) in inside for reference in node.input)
        if reaches_in and node.name not in inside:
            node.input.append("^" + node_name(init_op))


def _set_before_read(graph_def, inside):
    """Makes the nodes `inside` that use a variable's value wait for what sets it, in place."""
    nodes = [node for node in graph_def.node if node.name in inside]
    setters = {node_name(node.input[0]): node.name for node in nodes if node.op == "AssignVariableOp"}
    for node in nodes:
        if node.op not in ("AssignVariableOp", "VarIsInitializedOp"):
            used = {setters.get(node_name(reference)) for reference in node.input} - {None}
            # A variable whose beginning is read from itself cannot wait for itself.
            node.input.extend(
                f"^{name}" for name in sorted(used) if node.name not in ancestors(graph_def, [name])
            )


def forget_control_by_feeds(graph_def, feed_names):
    """Lets no node wait for a placeholder, in place: an argument is there from the start.

    Colocation hints go as well; they may name nodes that are no longer part of the graph.
    """
    feeds = {"^" + node_name(name) for name in feed_names}
    for node in graph_def.node:
        node.attr.pop("_class", None)
        kept = [reference for reference in node.input if reference not in feeds]
        if len(kept) < len(node.input):
            del node.input[:]
            node.input.extend(kept)


def ancestors(graph_def, references):
    """Names of the nodes that the given tensors or operations need, themselves included."""
    inputs = {node.name: node.input for node in graph_def.node}
    found, waiting = set(), collections.deque(node_name(reference) for reference in references)
    while waiting:
        name = waiting.popleft()
        if name in found or name not in inputs:
            continue
        found.add(name)
        waiting.extend(node_name(reference) for reference in inputs[name])
    return found


def keep_only(graph_def, names):
    """Removes the nodes that are not named, in place."""
    kept = [node for node in graph_def.node if node.name in names]
    del graph_def.node[:]
    graph_def.node.extend(kept)
