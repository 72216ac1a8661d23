"""Short plain records of values, for events, traces and widgets: never a tensor, never a copy of one."""

import dataclasses

import numpy as np
import tensorflow as tf
from tensorflow_federated.python.common_libs import structure

from fedlab.runtime import values

MOST_NUMBERS = 16
MOST_PARTS = 64


@dataclasses.dataclass(frozen=True)
class Summary:
    """What can be said of a value in a line.

    Attributes:
      text: the value itself where it is small, else its type, shape and size.
      dtype: name of the element type, or "" for what is not a tensor.
      shape: of a tensor; None for what is not one.
      numbers: all elements, in row order, where there are at most 16; else None.
      norm: Euclidean norm over all elements of a numeric tensor or structure; else None.
      parts: for a structure, its first 64 parts by name or position.
    """

    text: str
    dtype: str = ""
    shape: tuple | None = None
    numbers: tuple | None = None
    norm: float | None = None
    parts: dict | None = None

    def __str__(self):
        return self.text


def summarize(value):
    """Summarizes a value of the runtime."""
    if isinstance(value, values.AtServer | values.SameAtClients):
        return summarize(value.member)
    if isinstance(value, values.AtClients):
        return Summary(f"{len(value.members)} clients' values")
    if isinstance(value, structure.Struct):
        return _summarize_struct(value)
    if isinstance(value, tf.Tensor):
        return _summarize_tensor(value)
    if isinstance(value, values.ListSequence):
        return Summary(f"sequence of {len(value.items)}")
    if isinstance(value, values.VariantSequence):
        return Summary(f"dataset of {value.element_type.compact_representation()}")
    return Summary("function")


def _summarize_tensor(tensor):
    if tensor.dtype == tf.variant:
        return Summary("dataset")
    dtype, shape = tensor.dtype.name, tuple(tensor.shape.as_list())
    array = np.asarray(tensor.numpy())
    norm = _norm(array) if array.dtype.kind in "iufb" else None
    if array.size > MOST_NUMBERS:
        size = "" if norm is None else f", norm {norm:.4g}"
        return Summary(f"{dtype}{list(shape)}{size}", dtype, shape, None, norm)
    numbers = tuple(array.ravel().tolist())
    text = np.array2string(array, precision=4, separator=", ") if shape else _scalar_text(numbers[0])
    return Summary(text, dtype, shape, numbers, norm)


def _norm(array):
    # One pass and no copy: the same-typed dot product of the flat view with itself.
    flat = array.ravel()
    flat = flat if flat.dtype.kind == "f" and flat.dtype.itemsize >= 4 else flat.astype(np.float64)
    return float(np.sqrt(np.dot(flat, flat)))


def _scalar_text(number):
    return f"{number:.6g}" if isinstance(number, float) else str(number)


def _summarize_struct(value):
    named = list(enumerate(structure.to_elements(value)))[:MOST_PARTS]
    parts = {name or str(index): summarize(part) for index, (name, part) in named}
    more = ", …" if len(value) > len(named) else ""
    text = ", ".join(f"{name}={part.text}" for name, part in parts.items())
    norms = [part.norm for part in parts.values()]
    complete = len(value) == len(named) and norms and all(norm is not None for norm in norms)
    norm = float(np.sqrt(sum(norm**2 for norm in norms))) if complete else None
    return Summary(f"<{text}{more}>", norm=norm, parts=parts)
