"""A copy of a Keras model that takes any number of rows: without the state that fixes the batch size."""

from typing import Any

import tensorflow as tf

from fedlab.training.keras_adapter import without_cached_weights

# Their copies could compute something else: code or tables that a config does not hold whole.
_NOT_COPIED = ("Lambda", "Wrapper")


def copy_for_any_batch_size(model: tf.keras.Model) -> tf.keras.Model | None:
    """Builds the model again, not stateful, for batches of any size; its weights are to be assigned.

    Args:
      model: Sequential or functional model.

    Returns:
      tf.keras.Model that starts every call from a cleared state; None for a model that is not made of
      Keras's own layers alone: what others compute may hang on more than their weights and their config.
    """
    if not _is_all_keras(model):
        return None
    try:
        return type(model).from_config(_freed(without_cached_weights(model.get_config())))
    except (NotImplementedError, TypeError, ValueError):
        return None  # A batch size that is part of a layer, for instance.


def _is_all_keras(model: tf.keras.Model) -> bool:
    return all(
        type(part).__module__.startswith("tf_keras.src.")
        and type(part).__name__ not in _NOT_COPIED
        and not type(part).__module__.startswith("tf_keras.src.layers.preprocessing")
        for part in [model, *model.submodules]
        if isinstance(part, tf.keras.layers.Layer)
    )


def _freed(config: Any) -> Any:
    """Returns a copy of a Keras config without batch sizes and without `stateful`."""
    if isinstance(config, (list, tuple)):
        return type(config)(map(_freed, config))
    if not isinstance(config, dict):
        return config
    freed = {key: _freed(value) for key, value in config.items() if key != "build_config"}
    if freed.get("batch_input_shape"):
        freed["batch_input_shape"] = (None, *freed["batch_input_shape"][1:])
    if "stateful" in freed:
        freed["stateful"] = False
    return freed
