"""Python values into the runtime, and results out of it.

What TFF accepts, refuses and returns is decided by TFF's own serialization. Arrays and datasets that
need no conversion go past it without a copy; everything else goes through it, so that conversions and
error messages are TFF's.
"""

import numpy as np
import tensorflow as tf
from tensorflow_federated.python.common_libs import structure
from tensorflow_federated.python.core.impl.compiler import array
from tensorflow_federated.python.core.impl.executors import value_serialization
from tensorflow_federated.python.core.impl.types import computation_types, placements
from tensorflow_federated.python.core.impl.utils import tensorflow_utils

from fedlab.runtime import values


def embed(value, type_spec):
    """Turns a Python value into a value of this runtime.

    Args:
      value: what a TFF computation accepts as a value of `type_spec`.
      type_spec: a `tff.Type` without functions.

    Raises:
      TypeError: the value is not of this type, in TFF's words.
    """
    if isinstance(type_spec, computation_types.TensorType):
        return _embed_tensor(value, type_spec)
    if isinstance(type_spec, computation_types.SequenceType):
        return _embed_sequence(value, type_spec)
    if isinstance(type_spec, computation_types.StructType):
        return _embed_struct(value, type_spec)
    if isinstance(type_spec, computation_types.FederatedType):
        return _embed_federated(value, type_spec)
    raise ValueError(f"A value of type {type_spec} cannot be an argument of a computation.")


def _through_tff(value, type_spec):
    proto, _ = value_serialization.serialize_value(value, type_spec)
    converted, _ = value_serialization.deserialize_value(proto, type_spec)
    return converted


def _embed_tensor(value, type_spec):
    if not _is_ready(value, type_spec):
        value = _through_tff(value, type_spec)
    return tf.convert_to_tensor(value, tf.as_dtype(type_spec.dtype.type))


def _is_ready(value, type_spec):
    if not isinstance(value, (np.ndarray, np.generic)) or value.dtype.kind in "OSU":
        return False
    return value.dtype.type is type_spec.dtype.type and array.is_compatible_shape(value, type_spec.shape)


def _embed_sequence(value, type_spec):
    if isinstance(value, list):
        value = tensorflow_utils.make_data_set_from_elements(None, value, type_spec.element)
    if not _is_readable_as(value, type_spec):
        value = _through_tff(value, type_spec)
    variant = tf.data.experimental.to_variant(_without_autotuning(value))
    if _remembers_earlier_use(value):
        variant = _as_if_new(variant)
    return values.VariantSequence(variant, type_spec.element)


def _is_readable_as(value, type_spec):
    if not isinstance(value, tf.data.Dataset):
        return False
    found = computation_types.SequenceType(computation_types.tensorflow_to_type(value.element_spec))
    # TFF's own check: TensorFlow sorts the keys of some containers and not of others, so a dataset whose
    # fields might be read in another order is refused, not misread.
    value_serialization._check_container_compat_with_tf_nest(found.element)
    return type_spec.is_assignable_from(found)


def _without_autotuning(dataset):
    """Lets no thread tune the dataset, unless its maker asked for that.

    The thread's end is waited for when the data is read, and it may sleep through being told to end: for
    as long again as reading took, up to seconds for every client.
    """
    if dataset.options().autotune.enabled is not None:
        return dataset
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _remembers_earlier_use(dataset):
    """Whether some stage of the dataset keeps a state of random numbers between two passes."""
    name = type(dataset).__name__
    return "Shuffle" in name or "Random" in name or any(map(_remembers_earlier_use, dataset._inputs()))


def _as_if_new(variant):
    """The dataset with its random numbers at their beginning.

    TFF sends a dataset's recipe to its worker, so a seeded shuffle begins anew in every call. So must it
    here: else a round could not be repeated, and clients that share a dataset would disturb each other.
    """
    recipe = tf.compat.v1.GraphDef.FromString(tf.raw_ops.DatasetToGraphV2(input_dataset=variant).numpy())
    for node in recipe.node:
        handles = node.attr["value"].tensor.resource_handle_val if node.op == "Const" else ()
        if any("SeedGenerator" in handle.maybe_type_name for handle in handles):
            node.op = "DummySeedGenerator"
            node.attr.clear()
    return tf.raw_ops.DatasetFromGraph(graph_def=recipe.SerializeToString())


def _embed_struct(value, type_spec):
    given = structure.from_container(value)
    if len(given) != len(type_spec):
        return _through_tff(value, type_spec)  # Raises, in TFF's words.
    named_types = structure.to_elements(type_spec)
    parts = [embed(part, inner) for part, (_, inner) in zip(given, named_types, strict=True)]
    return values.struct([name for name, _ in named_types], parts)


def _embed_federated(value, type_spec):
    if type_spec.all_equal:
        member = embed(value, type_spec.member)
        at_server = type_spec.placement is placements.SERVER
        return values.AtServer(member) if at_server else values.SameAtClients(member)
    if not isinstance(value, list):
        return _through_tff(value, type_spec)  # Raises, in TFF's words.
    return values.AtClients([embed(member, type_spec.member) for member in value])


def extract(value, type_spec):
    """Turns a value of this runtime into what TFF's executors return.

    Args:
      value: a value of this runtime.
      type_spec: its `tff.Type`.

    Returns:
      NumPy arrays and scalars, bytes, `tf.data.Dataset`s, lists of clients' values, and Structs, whose
      Python containers TFF fills in afterwards.
    """
    if isinstance(value, values.AtServer):
        return extract(value.member, type_spec.member)
    if isinstance(value, values.SameAtClients):
        return extract(value.member, type_spec.member)
    if isinstance(value, values.AtClients):
        return [extract(member, type_spec.member) for member in value.members]
    if isinstance(type_spec, computation_types.StructType):
        named_types = structure.to_elements(type_spec)
        parts = [extract(part, inner) for part, (_, inner) in zip(value, named_types, strict=True)]
        return values.struct([name for name, _ in named_types], parts)
    if isinstance(type_spec, computation_types.SequenceType):
        return _extract_sequence(value, type_spec)
    return _as_numpy(value)


def _as_numpy(tensor):
    array = tensor.numpy()
    # TensorFlow gives a scalar now as np.float32, now as an array of shape (), as its memory lies.
    return array[()] if isinstance(array, np.ndarray) and array.ndim == 0 else array


def _extract_sequence(value, type_spec):
    graph = tf.raw_ops.DatasetToGraphV2(input_dataset=value.variant()).numpy()
    # TFF's own reading of a dataset, for it restores the containers of the elements.
    return value_serialization._deserialize_dataset_from_graph_def(graph, type_spec.element)
