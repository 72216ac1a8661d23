"""Rewriting of graphs as protocol buffers."""

import tensorflow as tf

from fedlab.runtime.graphs import isolation


def graph_of(*nodes):
    """A GraphDef of (name, op, inputs) or (name, op, inputs, shared name)."""
    graph = tf.compat.v1.GraphDef()
    for name, op, inputs, *shared in nodes:
        node = graph.node.add(name=name, op=op, input=inputs)
        if op == "VarHandleOp":
            node.attr["shared_name"].s = (shared or [b""])[0]
    return graph


def inputs_of(graph):
    return {node.name: list(node.input) for node in graph.node}


def test_ancestors_follow_data_and_control_and_stop_at_what_is_not_there():
    graph = graph_of(("a", "X", []), ("b", "X", ["a:1"]), ("c", "X", ["^b", "missing:0"]), ("d", "X", ["c"]))
    assert isolation.ancestors(graph, ["c:0"]) == {"a", "b", "c"}


def test_readers_wait_for_initialisation_and_its_own_parts_do_not():
    graph = graph_of(
        ("variable", "VarHandleOp", []),
        ("assign", "AssignVariableOp", ["variable"]),
        ("init", "NoOp", ["^assign"]),
        ("read", "ReadVariableOp", ["variable"]),
        ("double", "Mul", ["read", "read"]),
    )
    isolation.run_initialisation_first(graph, "init")
    assert inputs_of(graph) == {
        "variable": [],
        "assign": ["variable"],
        "init": ["^assign"],
        "read": ["variable", "^init"],
        "double": ["read", "read"],
    }


def test_what_another_variable_begins_with_is_read_when_it_is_set():
    graph = graph_of(
        ("first", "VarHandleOp", []),
        ("number", "Const", []),
        ("set_first", "AssignVariableOp", ["first", "number"]),
        ("asked", "VarIsInitializedOp", ["first"]),
        ("read", "ReadVariableOp", ["first"]),
        ("second", "VarHandleOp", []),
        ("set_second", "AssignVariableOp", ["second", "read"]),
        ("init", "NoOp", ["^set_first", "^set_second", "^asked"]),
    )
    before = inputs_of(graph)
    isolation.run_initialisation_first(graph, "init")
    assert inputs_of(graph) == before | {"read": ["first", "^set_first"]}


def test_a_variable_that_begins_with_itself_does_not_wait_for_ever():
    graph = graph_of(
        ("variable", "VarHandleOp", []),
        ("read", "ReadVariableOp", ["variable"]),
        ("set", "AssignVariableOp", ["variable", "read"]),
        ("init", "NoOp", ["^set"]),
    )
    before = inputs_of(graph)
    isolation.run_initialisation_first(graph, "init")
    assert inputs_of(graph) == before


def test_functions_are_renamed_wherever_they_are_named():
    graph = graph_of(("call", "PartitionedCall", []), ("direct", "inner", []))
    graph.node[0].attr["f"].func.name = "inner"
    graph.node[0].attr["branches"].list.func.add(name="outer")
    outer = graph.library.function.add()
    outer.signature.name = "outer"
    outer.node_def.add(name="n", op="inner")
    graph.library.function.add().signature.name = "inner"
    graph.library.gradient.add(function_name="inner", gradient_func="outer")

    isolation.add_suffix_to_functions(graph, "_7")

    assert sorted(f.signature.name for f in graph.library.function) == ["inner_7", "outer_7"]
    assert graph.node[0].attr["f"].func.name == "inner_7"
    assert graph.node[0].attr["branches"].list.func[0].name == "outer_7"
    assert graph.node[0].op == "PartitionedCall"
    assert graph.node[1].op == "inner_7"
    assert graph.library.function[0].node_def[0].op == "inner_7"
    assert graph.library.gradient[0].gradient_func == "outer_7"


def test_variables_that_share_a_name_become_one_before_they_lose_it():
    graph = graph_of(
        ("v1", "VarHandleOp", [], b"shared"),
        ("v2", "VarHandleOp", [], b"shared"),
        ("v3", "VarHandleOp", [], b"other"),
        ("read", "ReadVariableOp", ["v2"]),
        ("wait", "NoOp", ["^v2", "v3:0"]),
    )
    isolation.make_resources_anonymous(graph)
    assert inputs_of(graph)["read"] == ["v1"]
    assert inputs_of(graph)["wait"] == ["^v1", "v3:0"]
    handles = [node.attr["shared_name"].s for node in graph.node if node.op == "VarHandleOp"]
    assert set(handles) == {isolation.ANONYMOUS_NAME}


def test_nothing_waits_for_an_argument():
    graph = graph_of(("x", "Placeholder", []), ("y", "X", ["x:0", "^x", "^z"]))
    isolation.forget_control_by_feeds(graph, ["x:0"])
    assert inputs_of(graph)["y"] == ["x:0", "^z"]
