"""Between structured values and a graph's flat feeds and fetches: TFF's bindings.

A binding is a tree that names, for every part of a TFF type, the tensor of the graph that holds it:
<a=int32,b=float32*> might be bound to <"a:0", "Placeholder:0">.
"""

import dataclasses

from tensorflow_federated.python.common_libs import structure

from fedlab.runtime import values


@dataclasses.dataclass(frozen=True)
class Leaf:
    """One tensor of the graph; `element_type` is set when it is the variant of a dataset."""

    tensor_name: str
    element_type: object = None


def read(binding, type_spec):
    """Turns a TFF binding into nested lists of leaves, in the order of the type.

    Args:
      binding: `pb.TensorFlow.Binding`.
      type_spec: the `tff.Type` that it binds.

    Returns:
      A Leaf, or a list of what this function returns, with the names beside: (names, parts).
    """
    kind = binding.WhichOneof("binding")
    if kind == "tensor":
        return Leaf(binding.tensor.tensor_name)
    if kind == "sequence":
        return Leaf(binding.sequence.variant_tensor_name, type_spec.element)
    if kind == "struct":
        named_types = structure.to_elements(type_spec)
        parts = [
            read(part, inner) for part, (_, inner) in zip(binding.struct.element, named_types, strict=True)
        ]
        return [name for name, _ in named_types], parts
    raise ValueError(f"TFF bound a value of type {type_spec} to nothing (binding {kind!r}).")


def tensor_names(bound):
    """Names of the tensors of a read binding, left to right."""
    if isinstance(bound, Leaf):
        return [bound.tensor_name]
    return [name for part in bound[1] for name in tensor_names(part)]


def flatten(value, bound):
    """The value's tensors, in the order of `tensor_names(bound)`."""
    if isinstance(bound, Leaf):
        return [value.variant() if bound.element_type is not None else value]
    return [tensor for part, inner in zip(value, bound[1], strict=True) for tensor in flatten(part, inner)]


def rebuild(bound, tensors):
    """The value whose tensors an iterator yields: the inverse of `flatten`."""
    if isinstance(bound, Leaf):
        tensor = next(tensors)
        return tensor if bound.element_type is None else values.VariantSequence(tensor, bound.element_type)
    names, parts = bound
    return values.struct(names, [rebuild(part, tensors) for part in parts])
