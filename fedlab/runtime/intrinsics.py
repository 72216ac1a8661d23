"""What TFF's intrinsics mean when clients are entries of a Python list.

Each function here is one intrinsic, found by its name. It takes the run and the intrinsic's argument
(a Struct where there are several), and follows the definition in TFF's `intrinsic_defs`. Intrinsics
that TFF's compiler replaces by simpler ones (sums, means, minima, maxima) do not appear.
"""

from tensorflow_federated.python.common_libs import structure

from fedlab.runtime import values


def federated_map(run, argument):
    """<(T->U), {T}@CLIENTS> -> {U}@CLIENTS"""
    function, value = argument
    members = values.at_each_client(value, run.num_clients)
    return values.AtClients(run.for_each_client(lambda index, member: function(run, member), members))


def federated_map_all_equal(run, argument):
    """<(T->U), T@CLIENTS> -> U@CLIENTS: once is enough."""
    function, value = argument
    return values.SameAtClients(function(run, value.member))


def federated_apply(run, argument):
    """<(T->U), T@SERVER> -> U@SERVER"""
    function, value = argument
    return values.AtServer(function(run, value.member))


def federated_broadcast(run, value):
    """T@SERVER -> T@CLIENTS"""
    return values.SameAtClients(value.member)


def federated_value_at_clients(run, value):
    """T -> T@CLIENTS"""
    return values.SameAtClients(value)


def federated_value_at_server(run, value):
    """T -> T@SERVER"""
    return values.AtServer(value)


def federated_eval_at_clients(run, function):
    """(() -> T) -> {T}@CLIENTS"""
    return values.AtClients(run.for_each_client(lambda index, _: function(run), [None] * run.num_clients))


def federated_eval_at_server(run, function):
    """(() -> T) -> T@SERVER"""
    return values.AtServer(function(run))


def federated_aggregate(run, argument):
    """<{T}@CLIENTS, U, (<U,T>->U), (<U,U>->U), (U->R)> -> R@SERVER

    Adds up client by client, in the cohort's order, as TFF's own runtime does on one machine: the same
    floating-point sum, whatever ran first.
    """
    value, accumulated, accumulate, _, report = argument
    for member in values.at_each_client(value, run.num_clients):
        run.check()
        accumulated = accumulate(run, structure.Struct.unnamed(accumulated, member))
    return values.AtServer(report(run, accumulated))


def federated_zip_at_clients(run, value):
    """<{T}@CLIENTS, {U}@CLIENTS> -> {<T,U>}@CLIENTS, for structures of any depth."""
    if all(isinstance(part, values.SameAtClients) for part in _placed_parts(value)):
        return values.SameAtClients(_map_placed(lambda part: part.member, value))
    return values.AtClients(
        [
            _map_placed(lambda part, index=index: values.at_each_client(part, run.num_clients)[index], value)
            for index in range(run.num_clients)
        ]
    )


def federated_zip_at_server(run, value):
    """<T@SERVER, U@SERVER> -> <T,U>@SERVER, for structures of any depth."""
    return values.AtServer(_map_placed(lambda part: part.member, value))


def _placed_parts(value):
    if not isinstance(value, structure.Struct):
        return [value]
    return [part for inner in value for part in _placed_parts(inner)]


def _map_placed(function, value):
    if not isinstance(value, structure.Struct):
        return function(value)
    return values.struct(structure.name_list_with_nones(value), [_map_placed(function, part) for part in value])


BY_NAME = {
    function.__name__: function
    for function in (
        federated_map,
        federated_map_all_equal,
        federated_apply,
        federated_broadcast,
        federated_value_at_clients,
        federated_value_at_server,
        federated_eval_at_clients,
        federated_eval_at_server,
        federated_aggregate,
        federated_zip_at_clients,
        federated_zip_at_server,
    )
}
