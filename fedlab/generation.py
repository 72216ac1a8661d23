"""Text from a character model, one sampled character at a time."""

import math
import typing
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from fedlab.models.layer_steps import ModelSteps, keeps_its_state, numpy_steps
from fedlab.models.traced_forward import reset_states, traced_forward
from fedlab.vocabulary import decode, encode


class SampledCharacter(typing.NamedTuple):
    """A character that was drawn.

    Attributes:
      character: str of length 1.
      probability: what the model gave it, from 0 to 1: softmax(logits), at temperature 1. So texts of
        several temperatures can be compared, and what only a high temperature could draw stands out.
    """

    character: str
    probability: float


def generate_text(model, start, length=200, *, temperature=1.0, seed=None):
    """Continues `start` by `length` sampled characters.

    Args:
      model: stateful character model built for batch size 1; its state is reset first.
      start: str of at least one character of the vocabulary.
      length: number of characters to add, 0 or more.
      temperature: divides the logits: below 1 plays safe, above 1 takes risks.
      seed: int for a repeatable text, None for another one each time.

    Returns:
      str: `start` and its continuation.

    Raises:
      UnknownCharacterError: `start` holds a character outside the vocabulary.
      ValueError: empty start, negative length, temperature not above 0, a model for other batch
        sizes, or one whose weights have become NaN.
    """
    return start + "".join(stream_text(model, start, length, temperature=temperature, seed=seed))


def stream_text(model, start, length=200, *, temperature=1.0, seed=None):
    """Yields the continuation that `generate_text` returns, a character at a time.

    The arguments are checked at the call, before the first character is asked for.
    """
    sampled = stream_characters(model, start, length, temperature=temperature, seed=seed)
    return (character for character, _ in sampled)


def stream_characters(model, start, length=200, *, temperature=1.0, seed=None):
    """Yields what `stream_text` yields, each character with its probability, as `SampledCharacter`.

    The arguments are checked at the call, before the first character is asked for. The weights of a stateful
    model of Embedding, GRU, LSTM and Dense layers (see `fedlab.models.layer_steps`) are read with the first
    character, and then the model is left alone: the text has a state of its own. The state of any other
    model is the text's memory: whoever uses the model before the stream has ended changes what it writes.
    """
    _check_arguments(model, start, length, temperature)
    return _stream(model, encode(start), length, temperature, np.random.default_rng(seed))


def _stream(
    model: tf.keras.Model, ids: np.ndarray, length: int, temperature: float, rng: np.random.Generator
) -> Iterator[SampledCharacter]:
    read = _start_reading(model)
    for _ in range(length):
        logits = read(ids)
        drawn = sample_id(logits, temperature, rng)
        ids = np.array([drawn])
        yield SampledCharacter(decode(ids), float(softmax(logits)[drawn]))


def _start_reading(model: tf.keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Makes a function that reads on from where it stopped: ids int64 [length] -> logits after the last."""
    steps = numpy_steps(model) if keeps_its_state(model) else None
    return _read_by_keras(model) if steps is None else _read_by_steps(steps)


def _read_by_steps(steps: ModelSteps) -> Callable[[np.ndarray], np.ndarray]:
    states = steps.start()

    def read(ids):
        nonlocal states
        # Weights that diverged overflow here; what comes of it is looked at in `sample_id`.
        with np.errstate(all="ignore"):
            for index in ids:
                logits, states = steps.step(index, states)
        return logits

    return read


def _read_by_keras(model: tf.keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    reset_states(model)
    forward = traced_forward(model)
    return lambda ids: forward(ids[None, :])[0, -1].numpy()


def sample_id(logits: np.ndarray, temperature: float, rng: np.random.Generator) -> int:
    """Draws an id with probability softmax(logits / temperature).

    Args:
      logits: float array of shape [vocabulary].
      temperature: above 0.
      rng: numpy.random.Generator.
    """
    if not np.isfinite(logits).all():
        raise ValueError(
            "The model's logits are NaN or infinite: its weights diverged in training. Load the weights "
            "again and train with a smaller learning rate."
        )
    # What `rng.choice(p=...)` draws, without its checks of p, which take longer than all the rest.
    cumulative = softmax(logits, temperature).cumsum()
    return int((cumulative / cumulative[-1]).searchsorted(rng.random(), side="right"))


def softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probabilities from logits, which may be huge: exp(logits / temperature), normalised."""
    scaled = logits.astype(np.float64) / temperature
    exponentials = np.exp(scaled - scaled.max())
    return exponentials / exponentials.sum()


def _check_arguments(model, start, length, temperature):
    if not isinstance(start, str):
        raise TypeError(f"start={start!r}: give the text to begin with as str.")
    if not start:
        raise ValueError("start is empty: give at least one character to begin with, for example 'The '.")
    if isinstance(length, bool) or not isinstance(length, (int, np.integer)) or length < 0:
        raise ValueError(f"length={length!r}: give the number of characters to add, 0 or more.")
    if not isinstance(temperature, (int, float)) or not math.isfinite(temperature) or temperature <= 0:
        raise ValueError(f"temperature={temperature!r}: give a number above 0, for example 0.3 or 1.0.")
    batch_size = model.input_shape[0]
    if batch_size not in (1, None):
        raise ValueError(
            f"The model {model.name!r} takes batches of {batch_size}, and text is generated one row at a "
            "time: use fedlab.models.char_rnn.with_batch_size(model, 1)."
        )
