"""From a Keras model to TFF's `model_fn`, and back, without the RNN trap.

Keras RNN cells that were built eagerly remember `enable_caching_device=True`. A clone made of them
inside TFF's graph reads its weights through a cache, and nothing makes the cache wait for the server's
weights: they arrive in the embedding and the output layer, while the RNN may compute with the clone's
own random ones. Models are rebuilt here without that cache.
"""

import tensorflow as tf
import tensorflow_federated as tff

from fedlab.datasets.preprocessing import TUTORIAL
from fedlab.models.metrics import FlattenedCategoricalAccuracy
from fedlab.models.weights import assign_variables

_CACHE_KEY = "enable_caching_device"


def make_model_fn(keras_model, *, input_spec=None, loss=None, metrics=None, preprocessing=None):
    """Makes the `model_fn` that TFF's learning algorithms ask for.

    Args:
      keras_model: a Keras model with a config (Sequential or functional), of which each call makes a
        fresh copy, without its weights; or a function without arguments that builds a model.
      input_spec: (inputs, targets) tf.TensorSpec of a batch; default that of `preprocessing`.
      loss: function without arguments that makes a tf.keras.losses.Loss; default cross-entropy from logits.
      metrics: list of functions without arguments that make metrics; default accuracy per character.
      preprocessing: Preprocessing that makes the batches; default the tutorial's, int64 [8, 100].

    Returns:
      function without arguments -> tff.learning.models.VariableModel.

    Raises:
      TypeError: `keras_model` is neither, or is a model of Keras 3.
      ValueError: a function that clones an eager RNN: its copy would not receive the server's weights.
    """
    build = _builder(keras_model)
    input_spec = (preprocessing or TUTORIAL).element_spec if input_spec is None else input_spec
    loss = loss or (lambda: tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    metrics = [FlattenedCategoricalAccuracy] if metrics is None else metrics

    def model_fn():
        model = build()
        _check_no_cached_weights(model)
        return tff.learning.models.from_keras_model(
            model, loss=loss(), input_spec=input_spec, metrics=[metric() for metric in metrics]
        )

    return model_fn


def _builder(keras_model):
    if isinstance(keras_model, tf.keras.Model):
        _config_of(keras_model)  # a model without one is an error here, not when TFF calls
        return lambda: copy_without_cached_weights(keras_model)
    if callable(keras_model) and not _is_keras_3_model(keras_model):
        return keras_model
    raise TypeError(
        f"keras_model={keras_model!r}: give a tf.keras model (with fedlab imported first, "
        "tf.keras is Keras 2), or a function that builds one."
    )


def _is_keras_3_model(value):
    return any(cls.__module__.split(".")[0] == "keras" for cls in type(value).__mro__)


def copy_without_cached_weights(model):
    """Builds the model again, with weights of its own, in the graph that is current."""
    return type(model).from_config(without_cached_weights(_config_of(model)))


def _config_of(model):
    try:
        return model.get_config()
    except NotImplementedError as error:
        raise TypeError(
            f"The model {model.name!r} is a subclass without get_config; "
            "give a function that builds it instead."
        ) from error


def without_cached_weights(config):
    """Returns a copy of a Keras config in which no RNN cell caches its weights."""
    if isinstance(config, dict):
        cleaned = {key: without_cached_weights(value) for key, value in config.items()}
        if _CACHE_KEY in cleaned:
            cleaned[_CACHE_KEY] = False
        return cleaned
    if isinstance(config, (list, tuple)):
        return type(config)(without_cached_weights(value) for value in config)
    return config


def _check_no_cached_weights(model):
    for layer in model.submodules:
        if getattr(layer, f"_{_CACHE_KEY}", False):
            raise ValueError(
                f"The RNN layer {layer.name!r} of {model.name!r} was cloned from a model built eagerly: "
                "it caches its random initial weights and would never receive the server's. "
                "Give make_model_fn the Keras model itself, or build the model from new layers inside "
                "the function."
            )


def weights_of(keras_model):
    """The weights of a Keras model as tff.learning.models.ModelWeights of NumPy arrays."""
    return tff.learning.models.ModelWeights(
        trainable=[variable.numpy() for variable in keras_model.trainable_variables],
        non_trainable=[variable.numpy() for variable in keras_model.non_trainable_variables],
    )


def assign_weights(model_weights, keras_model):
    """Puts ModelWeights (for example `process.get_model_weights(state)`) into a Keras model.

    The model may be built for another batch size than the one that was trained.

    Raises:
      WeightsError: the shapes differ; the model is left as it was.
    """
    assign_variables(
        [*keras_model.trainable_variables, *keras_model.non_trainable_variables],
        [*model_weights.trainable, *model_weights.non_trainable],
        model_name=keras_model.name,
        source="the server",
    )
