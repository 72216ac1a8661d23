"""The types that factories here aggregate: tensors of known shape, and structures of such tensors."""

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff


def check_numbers(value_type, factory):
    """Refuses a value type that does not consist of integers and floats.

    Args:
      value_type: what was given to `create`.
      factory: the factory that asks, named in the error.

    Returns:
      The same type, with a Python container for every structure, which `tf.nest` needs to look inside.

    Raises:
      TypeError: not a type, already federated, a shape that is not known, names for some parts only, or
        tensors of something else than real numbers.
    """
    for tensor_type in tensor_types(value_type, factory):
        dtype = tf.as_dtype(tensor_type.dtype)
        if not (dtype.is_integer or dtype.is_floating):
            raise TypeError(
                f"{_name(factory)} aggregates integers and floats, not {dtype.name}: cast the values first. "
                f"The value type was {value_type}."
            )
    return with_containers(value_type)


def check_floats(value_type, factory):
    """Refuses a value type that does not consist of floats; otherwise as `check_numbers`."""
    for tensor_type in tensor_types(value_type, factory):
        dtype = tf.as_dtype(tensor_type.dtype)
        if not dtype.is_floating:
            raise TypeError(
                f"{_name(factory)} divides and so needs floats, not {dtype.name}: cast the values to float32 "
                f"first. The value type was {value_type}."
            )
    return with_containers(value_type)


def check_tensors(value_type, factory):
    """Refuses a value type that does not consist of tensors of known shape; otherwise as `check_numbers`."""
    tensor_types(value_type, factory)
    return with_containers(value_type)


def with_containers(value_type):
    """Gives every structure without one a Python container: a tuple, or an OrderedDict if it has names."""
    return tff.to_type(tff.types.structure_from_tensor_type_tree(lambda part: part, value_type))


def tensor_types(value_type, factory):
    """Lists the tensor types in a value type, in order; errors as in `check_numbers`."""
    if isinstance(value_type, tff.FederatedType):
        raise TypeError(
            f"{_name(factory)}.create wants the type of one client's value, without a placement: give it "
            f"{value_type.member}, not {value_type}."
        )
    if not isinstance(value_type, tff.TensorType | tff.StructType):
        raise TypeError(
            f"{_name(factory)}.create wants a tff.Type of tensors, such as tff.TensorType(np.float32), not "
            f"{value_type!r}."
        )
    if isinstance(value_type, tff.StructType):
        _check_names(value_type, factory)
        return [leaf for part in value_type.children() for leaf in tensor_types(part, factory)]
    if not tff.types.is_shape_fully_defined(value_type.shape):
        raise TypeError(f"{_name(factory)} needs to know the shape of every tensor, but got {value_type}.")
    return [value_type]


def _check_names(struct_type, factory):
    named = len(tff.structure.name_list(struct_type))
    if named not in (0, len(struct_type)):
        raise TypeError(
            f"{_name(factory)} cannot aggregate {struct_type}: TFF has no Python container with names for "
            "some parts only. Name all parts or none."
        )


def stacked_type(value_type):
    """The type of any number of values in one: float32[3] -> float32[?,3], in each tensor of a structure."""

    def stack(part):
        is_tensor = isinstance(part, tff.TensorType)
        return (tff.TensorType(part.dtype, (None, *part.shape)) if is_tensor else part), is_tensor

    return tff.types.type_transformations.transform_type_postorder(value_type, stack)[0]


def zeros(value_type):
    """A value of the given type, in Python containers, in which every number is 0 and every text empty.

    Dimensions of unknown size get size 0: float32[?,3] -> zeros of shape [0, 3].
    """
    return tff.types.structure_from_tensor_type_tree(
        lambda part: np.zeros([size or 0 for size in part.shape], part.dtype), value_type
    )


def zeros_in_graph(value_type):
    """A value of a type of numbers, of known shapes, in which all are 0, made when the graph runs.

    `zeros` of millions of numbers would be stored in the graph, one by one.
    """
    return tff.types.structure_from_tensor_type_tree(
        lambda part: tf.zeros(part.shape, tf.as_dtype(part.dtype)), value_type
    )


def count_bytes_of(value_type):
    """Counts the bytes of one value of a type in memory."""
    return sum(
        spec.shape.num_elements() * spec.dtype.size for spec in tf.nest.flatten(tensor_specs(value_type))
    )


def tensor_specs(value_type):
    """For each tensor in a value type, its `tf.TensorSpec`."""
    return tff.types.structure_from_tensor_type_tree(
        lambda part: tf.TensorSpec(part.shape, tf.as_dtype(part.dtype)), value_type
    )


def _name(factory):
    return type(factory).__name__
