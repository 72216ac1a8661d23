"""What TFF's intrinsics mean when clients are entries of a Python list.

Each function here is one intrinsic, found by its name. It takes the call and the intrinsic's argument
(a Struct where there are several), and follows the definition in TFF's `intrinsic_defs`. Intrinsics
that TFF's compiler replaces by simpler ones (sums, means, minima, maxima, the secure ones) do not
appear.
"""

import time

import tensorflow as tf
from tensorflow_federated.python.common_libs import structure

from fedlab.runtime import values

# --- One value to another, where it is -----------------------------------------------------------


def federated_map(call, argument, result_type):
    """<(T->U), {T}@CLIENTS> -> {U}@CLIENTS"""
    function, value = argument
    members = values.at_each_client(value, call.cohort.size)
    return _at_all_clients(call, lambda index: function(call, members[index]), lambda index: members[index])


def federated_map_all_equal(call, argument, result_type):
    """<(T->U), T@CLIENTS> -> U@CLIENTS: all clients would compute the same, so it is computed once."""
    function, value = argument
    return values.SameAtClients(function(call, value.member))


def federated_apply(call, argument, result_type):
    """<(T->U), T@SERVER> -> U@SERVER"""
    function, value = argument
    return values.AtServer(function(call, value.member))


# --- Values placed -------------------------------------------------------------------------------


def federated_broadcast(call, value, result_type):
    """T@SERVER -> T@CLIENTS"""
    return values.SameAtClients(value.member)


def federated_value_at_clients(call, value, result_type):
    """T -> T@CLIENTS"""
    return values.SameAtClients(value)


def federated_value_at_server(call, value, result_type):
    """T -> T@SERVER"""
    return values.AtServer(value)


def federated_eval_at_clients(call, function, result_type):
    """(() -> T) -> {T}@CLIENTS"""
    return _at_all_clients(call, lambda _: function(call), lambda _: None)


def _at_all_clients(call, function, argument_of):
    """What a function of the client's index gives, for each client."""

    def at_client(index):
        started = time.perf_counter()
        result = function(index)
        call.announcer.client_finished(index, started, result, argument_of(index))
        return result

    return values.AtClients(list(call.cohort.for_each_client(at_client)))


def federated_eval_at_server(call, function, result_type):
    """(() -> T) -> T@SERVER"""
    return values.AtServer(function(call))


# --- Clients together ----------------------------------------------------------------------------


def federated_aggregate(call, argument, result_type):
    """<{T}@CLIENTS, U, (<U,T>->U), (<U,U>->U), (U->R)> -> R@SERVER

    Adds up client by client, in the cohort's order, as TFF's own runtime does on one machine: the same
    floating-point sum, whichever client finished first. `merge` joins sums of several machines; here
    is one.
    """
    value, accumulated, accumulate, _, report = argument
    for index, member in enumerate(values.at_each_client(value, call.cohort.size)):
        call.stop_signal.check()
        started = time.perf_counter()
        with call.cohort.blaming_client(index):
            accumulated = accumulate(call, structure.Struct.unnamed(accumulated, member))
        call.announcer.client_finished(index, started, accumulated, member)
    return values.AtServer(report(call, accumulated))


def federated_zip_at_clients(call, value, result_type):
    """<{T}@CLIENTS, {U}@CLIENTS> -> {<T,U>}@CLIENTS, for structures of any depth."""
    if all(isinstance(part, values.SameAtClients) for part in _placed_parts(value)):
        return values.SameAtClients(_map_placed(lambda part: part.member, value))
    listed = _map_placed(lambda part: values.at_each_client(part, call.cohort.size), value)
    return values.AtClients([_pick(listed, index) for index in range(call.cohort.size)])


def federated_zip_at_server(call, value, result_type):
    """<T@SERVER, U@SERVER> -> <T,U>@SERVER, for structures of any depth."""
    return values.AtServer(_map_placed(lambda part: part.member, value))


def _placed_parts(value):
    if not isinstance(value, structure.Struct):
        return [value]
    return [part for inner in value for part in _placed_parts(inner)]


def _map_placed(function, value):
    if not isinstance(value, structure.Struct):
        return function(value)
    return values.struct(
        structure.name_list_with_nones(value), [_map_placed(function, part) for part in value]
    )


def _pick(listed, index):
    return _map_placed(lambda members: members[index], listed)


# --- Slices of the server's value, for clients that name them ------------------------------------


def federated_select(call, argument, result_type):
    """<{int32[n]}@CLIENTS, int32@SERVER, T@SERVER, (<T,int32>->U)> -> {U*}@CLIENTS

    Raises:
      ValueError: a client asks for a key that is not from 0 to max_key.
    """
    keys, max_key, server_value, select = argument
    wanted = [members.numpy().tolist() for members in values.at_each_client(keys, call.cohort.size)]
    _check_keys(wanted, int(max_key.member))
    # One slice for each key that anyone asks for, as TFF does.
    slices = {
        key: select(call, structure.Struct.unnamed(server_value.member, tf.constant(key, tf.int32)))
        for key in sorted({key for client_keys in wanted for key in client_keys})
    }
    element_type = result_type.member.element
    return values.AtClients(
        [values.ListSequence([slices[key] for key in client_keys], element_type) for client_keys in wanted]
    )


def _check_keys(wanted, max_key):
    for index, client_keys in enumerate(wanted):
        outside = [key for key in client_keys if not 0 <= key <= max_key]
        if outside:
            raise ValueError(
                f"federated_select: client {index} asks for key {outside[0]}, but its keys run from 0 "
                f"to max_key, which is {max_key}."
            )


# --- Sequences -----------------------------------------------------------------------------------


def sequence_map(call, argument, result_type):
    """<(T->U), T*> -> U*"""
    function, sequence = argument
    return values.ListSequence([function(call, item) for item in sequence.elements()], result_type.element)


def sequence_reduce(call, argument, result_type):
    """<T*, U, (<U,T>->U)> -> U"""
    sequence, accumulated, function = argument
    for item in sequence.elements():
        call.stop_signal.check()
        accumulated = function(call, structure.Struct.unnamed(accumulated, item))
    return accumulated


def sequence_sum(call, sequence, result_type):
    """T* -> T"""
    total = _zeros(result_type)
    for item in sequence.elements():
        call.stop_signal.check()
        total = _add(total, item)
    return total


def _zeros(type_spec):
    if not isinstance(type_spec, structure.Struct):
        shape = [size or 0 for size in type_spec.shape]
        return tf.zeros(shape, tf.as_dtype(type_spec.dtype.type))
    named_types = structure.to_elements(type_spec)
    return values.struct([name for name, _ in named_types], [_zeros(inner) for _, inner in named_types])


def _add(left, right):
    if not isinstance(left, structure.Struct):
        return tf.add(left, right)
    names = structure.name_list_with_nones(left)
    return values.struct(names, [_add(*parts) for parts in zip(left, right, strict=True)])


def data_of(argument):
    """What of an intrinsic's argument is data at one place: neither a function nor clients' values."""
    if isinstance(argument, structure.Struct) and any(callable(part) for part in argument):
        data = [part for part in argument if not callable(part)]
        return data_of(data[0]) if len(data) == 1 else None
    return None if callable(argument) or isinstance(argument, values.AtClients) else argument


# Everything that a compiled computation may name, and where it happens.
PLACEMENTS = {
    federated_map: "clients",
    federated_map_all_equal: "clients",
    federated_eval_at_clients: "clients",
    federated_broadcast: "clients",
    federated_value_at_clients: "clients",
    federated_zip_at_clients: "clients",
    federated_select: "clients",
    federated_apply: "server",
    federated_eval_at_server: "server",
    federated_value_at_server: "server",
    federated_zip_at_server: "server",
    federated_aggregate: "server",
    sequence_map: "",
    sequence_reduce: "",
    sequence_sum: "",
}
BY_NAME = {function.__name__: function for function in PLACEMENTS}
