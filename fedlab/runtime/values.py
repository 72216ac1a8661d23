"""Values as the in-process runtime holds them between two steps.

A tensor is an eager `tf.Tensor`, a structure a `tff.structure.Struct`, a function anything that can be
called with a run and an argument. This file holds the rest: sequences and placed values.
"""

import dataclasses

import tensorflow as tf
from tensorflow_federated.python.common_libs import structure
from tensorflow_federated.python.core.impl.types import computation_types, type_conversions
from tensorflow_federated.python.core.impl.utils import tensorflow_utils


def struct(names, parts):
    """A structure of the given parts; a name may be None."""
    return structure.Struct(zip(names, parts, strict=True))


@dataclasses.dataclass(frozen=True, eq=False)
class AtServer:
    """One value, at the server."""

    member: object


@dataclasses.dataclass(frozen=True, eq=False)
class AtClients:
    """One value for each client of the cohort, in the cohort's order."""

    members: list


@dataclasses.dataclass(frozen=True, eq=False)
class SameAtClients:
    """One value that all clients hold: TFF's `all_equal`."""

    member: object


def at_each_client(value, num_clients):
    """The clients' values as a list, whichever way they are held."""
    if isinstance(value, SameAtClients):
        return [value.member] * num_clients
    return value.members


@dataclasses.dataclass(frozen=True, eq=False)
class VariantSequence:
    """A dataset as graphs pass it: a variant tensor, and the `tff.Type` of one element."""

    tensor: tf.Tensor
    element_type: computation_types.Type

    def variant(self):
        """Scalar tensor of dtype variant."""
        return self.tensor

    def dataset(self):
        """The `tf.data.Dataset`."""
        with tf.device("/device:CPU:0"):
            return tf.data.experimental.from_variant(
                self.tensor, structure=type_conversions.type_to_tf_structure(self.element_type)
            )

    def elements(self):
        """Yields the elements as values of this runtime."""
        for element in self.dataset():
            yield from_element(element, self.element_type)


@dataclasses.dataclass(frozen=True, eq=False)
class ListSequence:
    """A sequence whose elements are in memory: what mapping a sequence or selecting slices gives."""

    items: list
    element_type: computation_types.Type

    def variant(self):
        """Scalar tensor of dtype variant."""
        return tf.data.experimental.to_variant(self.dataset())

    def dataset(self):
        """The `tf.data.Dataset`; its elements may differ in shape."""
        elements = [to_element(item, self.element_type) for item in self.items]
        return tensorflow_utils.make_data_set_from_elements(None, elements, self.element_type)

    def elements(self):
        """Yields the elements as values of this runtime."""
        yield from self.items


def from_element(element, type_spec):
    """Turns an element of a dataset, in Python containers, into a value of this runtime."""
    if not isinstance(type_spec, computation_types.StructType):
        return element
    named_types = structure.to_elements(type_spec)
    names = [name for name, _ in named_types]
    parts = _parts(element, names)
    return struct(
        names, [from_element(part, inner) for part, (_, inner) in zip(parts, named_types, strict=True)]
    )


def _parts(element, names):
    if hasattr(element, "_fields"):
        return list(element)
    if isinstance(element, dict):
        # By name: TensorFlow sorts the keys of a dict, TFF's type keeps the order of the program.
        return [element[name] for name in names]
    if isinstance(element, (list, tuple)):
        return list(element)
    return [getattr(element, name) for name in names]


def to_element(value, type_spec):
    """Turns a value of this runtime into the Python containers that a dataset yields."""
    return type_conversions.type_to_py_container(value, type_spec)
