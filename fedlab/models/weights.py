"""Keras weights on disk and between models, in safetensors files, which cannot run code."""

import os
import pathlib
import tempfile

import numpy as np
import safetensors
import safetensors.numpy

from fedlab.interrupts import uninterrupted

# Storage may be narrower than the model's float32: half the size, and the values are rounded once.
_STORED_TYPES = {"float32": np.float32, "float16": np.float16}


class WeightsError(ValueError):
    """Weights do not fit the model, or a weights file cannot be read."""


def save_weights(model, path, *, dtype="float32", metadata=None):
    """Writes the weights of a Keras model; a file that is there is replaced whole or not at all.

    Args:
      model: tf.keras.Model.
      path: where to write.
      dtype: "float32", or "float16" for half the size.
      metadata: {str: str} to keep in the file's header.
    """
    write_weights(model.get_weights(), path, dtype=dtype, metadata=metadata)


def write_weights(arrays, path, *, dtype="float32", metadata=None):
    """Writes arrays in the order of `model.get_weights()`; see `save_weights`."""
    if dtype not in _STORED_TYPES:
        raise ValueError(f"dtype={dtype!r}: choose one of {', '.join(map(repr, _STORED_TYPES))}.")
    stored = {f"{i:03}": np.ascontiguousarray(a, _STORED_TYPES[dtype]) for i, a in enumerate(arrays)}
    if not all(np.isfinite(array).all() for array in stored.values()):
        raise WeightsError(f"The weights hold NaN or infinite values (as {dtype}); {path} was not written.")
    path = pathlib.Path(path)
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=".partial-")
    os.close(handle)
    try:
        safetensors.numpy.save_file(stored, partial, metadata=metadata)
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    finally:
        pathlib.Path(partial).unlink(missing_ok=True)


def read_weights(path):
    """Reads the arrays of a weights file, as float32, in the order of `model.get_weights()`.

    Raises:
      FileNotFoundError: there is no such file.
      WeightsError: the file is damaged or of another kind.
    """
    path = pathlib.Path(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no weights file {path}.")
    try:
        stored = safetensors.numpy.load_file(path)
    except safetensors.SafetensorError as error:
        raise WeightsError(
            f"{path} is not a complete safetensors file ({error}); write or fetch it again."
        ) from error
    return [stored[name].astype(np.float32) for name in sorted(stored)]


def load_weights(path, model):
    """Puts the weights of a file into a Keras model of the same architecture."""
    set_weights(model, read_weights(path), source=str(path))


def copy_weights(source, target):
    """Copies the weights of one Keras model into another, whatever batch size each was built for."""
    set_weights(target, source.get_weights(), source=source.name)


def set_weights(model, arrays, *, source="the given weights"):
    """Puts arrays, in the order of `model.get_weights()`, into a Keras model; see `assign_variables`."""
    assign_variables(model.weights, arrays, model_name=model.name, source=source)


@uninterrupted()
def assign_variables(variables, arrays, *, model_name, source):
    """Assigns arrays to variables, all of them or none.

    Raises:
      WeightsError: numbers or shapes differ; nothing was assigned.
    """
    wanted = [tuple(variable.shape) for variable in variables]
    given = [tuple(np.shape(array)) for array in arrays]
    if wanted != given:
        raise WeightsError(
            f"The weights of {source} do not fit the model {model_name!r}: "
            f"it has {wanted}, they have {given}."
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
