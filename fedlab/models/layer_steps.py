"""Character models one character at a time: the arithmetic of Keras's own layers, without Keras around it.

A Keras model goes through a text in a loop of its own, whose parts are made for any layer. For the layers
that character models consist of, a step is a few products and little else. The formulas stand here once;
NumPy computes them with one row, to write text (`generation.py`), and TensorFlow with many rows, to
evaluate (`training/evaluation.py`).
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from fedlab.models.traced_forward import undisturbed

# NumPy's BLAS splits a product of more numbers than this among threads, which then wait for each other:
# on a machine that is busy otherwise, a hundred times as long as the product takes.
_NUMBERS_OF_ONE_THREAD = 2**17

# For vocabularies up to this size the product of each character's embedding is kept in a table.
_LARGEST_TABLE_ROWS = 512


State = tuple  # What a layer remembers: arrays of shape [units] or [rows, units]; () for one that does not.


@dataclasses.dataclass(frozen=True)
class _Library:
    """What the formulas need besides `+`, `*` and slices."""

    product: Callable
    lookup: Callable
    sigmoid: Callable
    tanh: Callable
    zeros: Callable


def thin_product(row: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """`row @ matrix`, in pieces that are too small for NumPy's BLAS to use threads.

    Args:
      row: float array of shape [inputs].
      matrix: of shape [inputs, outputs].

    Returns:
      array of shape [outputs].
    """
    if matrix.size <= _NUMBERS_OF_ONE_THREAD:
        return row @ matrix
    inputs, outputs = matrix.shape
    height = max(1, min(inputs, _NUMBERS_OF_ONE_THREAD // outputs))
    whole = inputs // height * height
    pieces = matrix[:whole].reshape(-1, height, outputs)
    partial = row[:whole].reshape(-1, 1, height) @ pieces  # [pieces, 1, outputs]
    total = partial.sum(axis=(0, 1))
    return total if whole == inputs else total + row[whole:] @ matrix[whole:]


def _sigmoid(inputs: np.ndarray) -> np.ndarray:
    # By tanh, because exp overflows where the inputs are large.
    return 0.5 * np.tanh(0.5 * inputs) + 0.5


_NUMPY = _Library(
    product=thin_product,
    lookup=lambda table, index: table[index],
    sigmoid=_sigmoid,
    tanh=np.tanh,
    zeros=lambda units: np.zeros(units, np.float32),
)


@dataclasses.dataclass(frozen=True)
class _Lookup:
    table: Any  # [vocabulary, outputs]

    def step(self, library: _Library, ids: Any, state: State) -> tuple[Any, State]:
        return library.lookup(self.table, ids), state


@dataclasses.dataclass(frozen=True)
class _Affine:
    kernel: Any  # [inputs, outputs]
    bias: Any  # [outputs], or 0.0

    def step(self, library: _Library, inputs: Any, state: State) -> tuple[Any, State]:
        return library.product(inputs, self.kernel) + self.bias, state


@dataclasses.dataclass(frozen=True)
class _Tanh:
    def step(self, library: _Library, inputs: Any, state: State) -> tuple[Any, State]:
        return library.tanh(inputs), state


@dataclasses.dataclass(frozen=True)
class _GRU:
    """A GRU whose inputs are multiplied already; `reset_after` as in Keras (cuDNN's form)."""

    kernel: Any  # [units, 3 * units]: update gate, reset gate, candidate
    bias: Any  # [3 * units], or 0.0
    units: int

    def step(self, library: _Library, inputs: Any, state: State) -> tuple[Any, State]:
        (hidden,) = state
        recurrent = library.product(hidden, self.kernel) + self.bias
        split = 2 * self.units
        gates = library.sigmoid(inputs[..., :split] + recurrent[..., :split])
        update, reset = gates[..., : self.units], gates[..., self.units :]
        candidate = library.tanh(inputs[..., split:] + reset * recurrent[..., split:])
        hidden = candidate + update * (hidden - candidate)
        return hidden, (hidden,)

    def start(self, zeros: Callable) -> State:
        return (zeros(self.units),)


@dataclasses.dataclass(frozen=True)
class _GRUResetBefore:
    """A GRU in its first form (Cho et al. 2014): the reset gate acts before the product."""

    gates_kernel: Any  # [units, 2 * units]: update gate, reset gate
    candidate_kernel: Any  # [units, units]
    units: int

    def step(self, library: _Library, inputs: Any, state: State) -> tuple[Any, State]:
        (hidden,) = state
        split = 2 * self.units
        gates = library.sigmoid(inputs[..., :split] + library.product(hidden, self.gates_kernel))
        update, reset = gates[..., : self.units], gates[..., self.units :]
        recurrent = library.product(reset * hidden, self.candidate_kernel)
        candidate = library.tanh(inputs[..., split:] + recurrent)
        hidden = candidate + update * (hidden - candidate)
        return hidden, (hidden,)

    def start(self, zeros: Callable) -> State:
        return (zeros(self.units),)


@dataclasses.dataclass(frozen=True)
class _LSTM:
    """An LSTM whose inputs are multiplied already."""

    kernel: Any  # [units, 4 * units]: input gate, forget gate, candidate, output gate
    units: int

    def step(self, library: _Library, inputs: Any, state: State) -> tuple[Any, State]:
        hidden, carry = state
        summed = inputs + library.product(hidden, self.kernel)
        first, second, third, fourth = (
            summed[..., gate * self.units : (gate + 1) * self.units] for gate in range(4)
        )
        kept = library.sigmoid(second) * carry
        carry = kept + library.sigmoid(first) * library.tanh(third)
        hidden = library.sigmoid(fourth) * library.tanh(carry)
        return hidden, (hidden, carry)

    def start(self, zeros: Callable) -> State:
        return (zeros(self.units), zeros(self.units))


@dataclasses.dataclass(frozen=True)
class ModelSteps:
    """A model as a list of steps, which the model's Keras layers are made of."""

    _library: _Library
    _steps: tuple

    def start(self) -> list:
        """The state before the first character: zeros, as `reset_states()` makes them."""
        return [step.start(self._library.zeros) if hasattr(step, "start") else () for step in self._steps]

    def step(self, ids: Any, states: Sequence) -> tuple[Any, list]:
        """Reads a character.

        Args:
          ids: one id for NumPy, int64 [rows] for TensorFlow.
          states: from `start` or the step before.

        Returns:
          (logits, states): logits of the next character, float32 [vocabulary] or [rows, vocabulary].
        """
        values, after = ids, []
        for step, state in zip(self._steps, states, strict=True):
            values, state = step.step(self._library, values, state)
            after.append(state)
        return values, after


def numpy_steps(model: tf.keras.Model) -> ModelSteps | None:
    """The model's steps for one row of NumPy arrays, with the weights that it has now.

    Returns:
      ModelSteps, or None where the model's layers are not all known here (see `has_steps`).
    """
    if not has_steps(model):
        return None
    with undisturbed():
        # The first product has 86 rows: TensorFlow's business.
        steps = _folded(_steps_of(model))
        return ModelSteps(_NUMPY, tuple(_with_numpy_arrays(step) for step in steps))


def tensorflow_steps(model: tf.keras.Model, rows: Any) -> ModelSteps:
    """The model's steps for many rows, as part of the graph that is being built; for models of `has_steps`.

    Args:
      model: its variables are read when the graph runs.
      rows: number of rows, int or scalar tensor.
    """
    library = _Library(
        product=lambda inputs, kernel: inputs @ kernel,
        lookup=tf.gather,
        sigmoid=tf.sigmoid,
        tanh=tf.tanh,
        zeros=lambda units: tf.zeros([rows, units]),
    )
    return ModelSteps(library, tuple(_folded(_steps_of(model))))


def has_steps(model: tf.keras.Model) -> bool:
    """Whether the model is a plain chain of Keras's Embedding, GRU, LSTM, Dense and Dropout layers.

    GRU and LSTM have Keras's usual activations and `return_sequences=True`, Dense has none or tanh, and all
    compute in float32. Other models are called through Keras, which is slower and gives the same numbers.
    """
    layers = _chain(model)
    return bool(layers) and type(layers[0]) is tf.keras.layers.Embedding and all(map(_is_known, layers))


def keeps_its_state(model: tf.keras.Model) -> bool:
    """Whether every GRU and LSTM of a model of `has_steps` goes on from call to call."""
    return all(getattr(layer, "stateful", True) for layer in _chain(model) if hasattr(layer, "cell"))


def _chain(model: tf.keras.Model) -> list[tf.keras.layers.Layer]:
    """The model's layers in their order; empty where it is no chain, or has a `call` of its own."""
    from tf_keras.src.engine.functional import Functional

    layers = [layer for layer in model.layers if not isinstance(layer, tf.keras.layers.InputLayer)]
    if type(model) is tf.keras.Sequential:
        return layers
    return layers if type(model) is Functional and _is_linear(model, layers) else []


def _is_linear(model: tf.keras.Model, layers: list[tf.keras.layers.Layer]) -> bool:
    try:
        tensors = [model.input, *(layer.output for layer in layers)]
        inputs = [*(layer.input for layer in layers), model.output]
    except AttributeError:  # A layer that is used twice has no single input.
        return False
    return all(tensor is given for tensor, given in zip(tensors, inputs, strict=True))


def _is_known(layer: tf.keras.layers.Layer) -> bool:
    kind, activations = type(layer), tf.keras.activations
    if any(variable.dtype != tf.float32 for variable in layer.weights) or layer.compute_dtype != "float32":
        return False
    if kind is tf.keras.layers.Embedding:
        return not layer.mask_zero
    if kind is tf.keras.layers.Dense:
        return layer.activation in (activations.linear, activations.tanh)
    if kind in (tf.keras.layers.GRU, tf.keras.layers.LSTM):
        usual = layer.activation is activations.tanh and layer.recurrent_activation is activations.sigmoid
        plain = layer.return_sequences and not (layer.go_backwards or layer.return_state or layer.time_major)
        return usual and plain
    return kind is tf.keras.layers.Dropout


def _steps_of(model: tf.keras.Model) -> list:
    return [step for layer in _chain(model) for step in _STEPS_OF_KIND[type(layer).__name__](layer)]


def _steps_of_embedding(layer: tf.keras.layers.Layer) -> list:
    return [_Lookup(layer.embeddings)]


def _steps_of_dense(layer: tf.keras.layers.Layer) -> list:
    affine = _Affine(layer.kernel, layer.bias if layer.use_bias else 0.0)
    return [affine, _Tanh()] if layer.activation is tf.keras.activations.tanh else [affine]


def _steps_of_gru(layer: tf.keras.layers.Layer) -> list:
    cell, units = layer.cell, layer.units
    biases = cell.bias if cell.use_bias else 0.0
    if cell.reset_after:
        of_inputs, recurrent = (biases[0], biases[1]) if cell.use_bias else (0.0, 0.0)
        return [_Affine(cell.kernel, of_inputs), _GRU(cell.recurrent_kernel, recurrent, units)]
    gates, candidate = cell.recurrent_kernel[:, : 2 * units], cell.recurrent_kernel[:, 2 * units :]
    return [_Affine(cell.kernel, biases), _GRUResetBefore(gates, candidate, units)]


def _steps_of_lstm(layer: tf.keras.layers.Layer) -> list:
    cell = layer.cell
    affine = _Affine(cell.kernel, cell.bias if cell.use_bias else 0.0)
    return [affine, _LSTM(cell.recurrent_kernel, layer.units)]


_STEPS_OF_KIND = {
    "Embedding": _steps_of_embedding,
    "Dense": _steps_of_dense,
    "GRU": _steps_of_gru,
    "LSTM": _steps_of_lstm,
    "Dropout": lambda layer: [],  # Only training drops.
}


def _folded(steps: list) -> list:
    """Looks up products instead of multiplying what was looked up: the vocabulary has few characters."""
    # No `match`: AutoGraph, which reads this when TensorFlow evaluates, does not know it.
    if len(steps) < 2 or not isinstance(steps[0], _Lookup) or not isinstance(steps[1], _Affine):
        return steps
    (lookup, affine), rest = steps[:2], steps[2:]
    if lookup.table.shape[0] > _LARGEST_TABLE_ROWS:
        return steps
    return [_Lookup(tf.matmul(lookup.table, affine.kernel) + affine.bias), *rest]


def _with_numpy_arrays(step: Any) -> Any:
    parts = {field.name: getattr(step, field.name) for field in dataclasses.fields(step)}
    return type(step)(
        **{name: getattr(part, "numpy", lambda part=part: part)() for name, part in parts.items()}
    )
