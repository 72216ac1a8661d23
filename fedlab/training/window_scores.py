"""Loss and hit of every character in windows of text, many windows side by side: all share the weights."""

import weakref
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from fedlab.datasets.sequences import BATCH_SIZE, split_input_target
from fedlab.models.layer_steps import ModelSteps, has_steps, tensorflow_steps
from fedlab.models.traced_forward import undisturbed
from fedlab.models.weights import assign_variables
from fedlab.training.any_batch_size import copy_for_any_batch_size

# With this many rows a step takes about as long per row as with more; with half as many, a tenth longer.
_STEP_ROWS = 128
# Keras keeps the outputs of every layer for all characters, some more than once: 13 MB each for 1024 units.
_KERAS_ROWS = 32

# Gone with their models.
_TRACED, _COPIES = weakref.WeakKeyDictionary(), weakref.WeakKeyDictionary()

Scores = tuple[np.ndarray, np.ndarray]


def score_windows(model: tf.keras.Model, windows: np.ndarray) -> Scores:
    """Loss and hit of every character; each window is read from a cleared state.

    The model's own state stays what it is, unless only the model itself can compute what it computes:
    when it has layers that are not Keras's own.

    Args:
      model: from int64 [batch, time] to logits [batch, time, vocabulary].
      windows: int64 [windows, time + 1], at least one window.

    Returns:
      (losses, hits): float32 and bool, both [windows, time].
    """
    if has_steps(model):
        return _score_batches(_traced(model, _trace_steps), _similar_batches(windows, _STEP_ROWS))
    copy = _copy_of(model)
    if copy is not None:
        return _score_batches(_traced(copy, _trace_forward), _similar_batches(windows, _KERAS_ROWS))
    return _score_by_itself(model, windows)


def _similar_batches(windows: np.ndarray, rows: int) -> list[np.ndarray]:
    """Splits windows into batches of `rows` to almost twice as many."""
    return np.array_split(windows, max(1, len(windows) // rows))


def _score_batches(score: Callable, batches: list[np.ndarray]) -> Scores:
    losses, hits = zip(*(score(batch) for batch in batches), strict=True)
    return np.concatenate(losses), np.concatenate(hits)


def _score_by_itself(model: tf.keras.Model, windows: np.ndarray) -> Scores:
    """In batches of the model's own size, the last one filled up with rows that do not count."""
    rows = model.input_shape[0] or BATCH_SIZE
    padded = np.pad(windows, [(0, -len(windows) % rows), (0, 0)])
    score = _traced(model, _trace_forward)

    def score_from_cleared_state(batch):
        with undisturbed():
            model.reset_states()
            return score(batch)

    batches = list(padded.reshape(-1, rows, windows.shape[1]))
    losses, hits = _score_batches(score_from_cleared_state, batches)
    return losses[: len(windows)], hits[: len(windows)]


def _copy_of(model: tf.keras.Model) -> tf.keras.Model | None:
    """The model's copy for any batch size, with the weights that the model has now; None if it has none."""
    with undisturbed():
        if model not in _COPIES:
            _COPIES[model] = copy_for_any_batch_size(model)
        copy = _COPIES[model]
        if copy is not None:
            # No bytes are copied: both variables hold the same tensor until one is given another.
            assign_variables(copy.weights, model.weights, model_name=copy.name, source=model.name)
        return copy


def _traced(model: tf.keras.Model, trace: Callable) -> Callable:
    """A function from windows to their scores, undisturbed; traced at the model's first call only."""
    if model not in _TRACED:
        traced = trace(model)

        @undisturbed()
        def score(windows):
            losses, hits = traced(windows)
            return losses.numpy(), hits.numpy()

        _TRACED[model] = score
    return _TRACED[model]


def _trace_forward(model: tf.keras.Model) -> Callable:
    # Weakly: a function that held the model would keep its own key alive for ever.
    reference = weakref.ref(model)

    @tf.function(input_signature=[tf.TensorSpec([model.input_shape[0], None], tf.int64)])
    def score(windows):
        inputs, targets = split_input_target(windows)
        logits = reference()(inputs, training=False)  # [rows, time, vocabulary]
        return _losses_and_hits(logits, targets)

    return score


def _trace_steps(model: tf.keras.Model) -> Callable:
    reference = weakref.ref(model)

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int64)])
    def score(windows):
        inputs, targets = split_input_target(windows)
        steps = tensorflow_steps(reference(), tf.shape(windows)[0])
        losses, hits = _score_steps(steps, tf.transpose(inputs), tf.transpose(targets))
        return tf.transpose(losses), tf.transpose(hits)

    return score


def _score_steps(steps: ModelSteps, inputs: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Scores by step: inputs and targets, losses and hits are [time, rows]."""
    length = tf.shape(inputs)[0]
    kept = [tf.TensorArray(dtype, length) for dtype in (tf.float32, tf.bool)]

    def read_one(time, states, kept):
        logits, states = steps.step(inputs[time], states)
        scores = _losses_and_hits(logits, targets[time])
        return time + 1, states, [array.write(time, score) for array, score in zip(kept, scores, strict=True)]

    # Steps wait for each other anyhow; with more at once TensorFlow keeps the memory of several.
    _, _, kept = tf.while_loop(
        lambda time, *_: time < length, read_one, [0, steps.start(), kept], parallel_iterations=1
    )
    return kept[0].stack(), kept[1].stack()


def _losses_and_hits(logits: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    losses = tf.keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    return losses, tf.equal(tf.argmax(logits, axis=-1), targets)
