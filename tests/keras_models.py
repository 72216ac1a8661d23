"""Character models of many shapes, small, each for one batch size: what learners bring."""

import numpy as np
import tensorflow as tf

VOCABULARY = 86


def _chain(batch_size, *layers, **embedding):
    first = tf.keras.layers.Embedding(VOCABULARY, 6, batch_input_shape=[batch_size, None], **embedding)
    return tf.keras.Sequential([first, *layers, tf.keras.layers.Dense(VOCABULARY)])


def _gru(**options):
    return tf.keras.layers.GRU(5, return_sequences=True, **({"stateful": True} | options))


def _lstm(**options):
    return tf.keras.layers.LSTM(5, return_sequences=True, stateful=True, **options)


def _functional(batch_size):
    ids = tf.keras.Input([None], batch_size=batch_size, dtype=tf.int64)
    hidden = _gru()(tf.keras.layers.Embedding(VOCABULARY, 6)(ids))
    return tf.keras.Model(ids, tf.keras.layers.Dense(VOCABULARY)(hidden))


def _with_a_shortcut(batch_size):
    ids = tf.keras.Input([None], batch_size=batch_size, dtype=tf.int64)
    embedded = tf.keras.layers.Embedding(VOCABULARY, 5)(ids)
    both = tf.keras.layers.Add()([embedded, _gru()(embedded)])
    return tf.keras.Model(ids, tf.keras.layers.Dense(VOCABULARY)(both))


def _with_one_layer_twice(batch_size):
    ids = tf.keras.Input([None], batch_size=batch_size, dtype=tf.int64)
    hidden = _gru()(tf.keras.layers.Embedding(VOCABULARY, 5)(ids))
    dense = tf.keras.layers.Dense(5)
    return tf.keras.Model(ids, tf.keras.layers.Dense(VOCABULARY)(dense(dense(hidden))))


class Doubled(tf.keras.layers.Layer):
    """A layer that Keras does not know."""

    def call(self, inputs):
        return 2.0 * inputs


class DoubledSequential(tf.keras.Sequential):
    """A model whose layers do not tell what it computes."""

    def call(self, inputs, training=None, mask=None):
        return 2.0 * super().call(inputs, training=training, mask=mask)


# Those whose steps `layer_steps` knows, and that go on from call to call.
WITH_STEPS = {
    "GRU": lambda rows: _chain(rows, _gru()),
    "GRU that resets before": lambda rows: _chain(rows, _gru(reset_after=False)),
    "GRU without biases": lambda rows: _chain(rows, _gru(use_bias=False)),
    "resets before, no biases": lambda rows: _chain(rows, _gru(use_bias=False, reset_after=False)),
    "LSTM": lambda rows: _chain(rows, _lstm()),
    "LSTM without biases": lambda rows: _chain(rows, _lstm(use_bias=False)),
    "two GRUs": lambda rows: _chain(rows, _gru(), _gru()),
    "dense layers": lambda rows: _chain(
        rows,
        tf.keras.layers.Dense(7, "tanh"),
        _lstm(),
        tf.keras.layers.Dropout(0.5),
        tf.keras.layers.Dense(7, use_bias=False),
    ),
    "functional": _functional,
}
# Those that Keras computes.
WITHOUT_STEPS = {
    "shortcut": _with_a_shortcut,
    "one layer twice": _with_one_layer_twice,
    "simple RNN": lambda rows: _chain(
        rows, tf.keras.layers.SimpleRNN(5, return_sequences=True, stateful=True)
    ),
    "other activation": lambda rows: _chain(rows, _gru(activation="relu")),
    "masked": lambda rows: _chain(rows, _gru(), mask_zero=True),
    "convolution": lambda rows: _chain(rows, tf.keras.layers.Conv1D(7, 3, padding="causal"), _gru()),
    "normalised": lambda rows: _chain(rows, _gru(), tf.keras.layers.LayerNormalization()),
    "backwards": lambda rows: _chain(rows, _gru(go_backwards=True)),
    "both ways": lambda rows: _chain(rows, tf.keras.layers.Bidirectional(_gru())),
    "lambda": lambda rows: _chain(rows, _gru(), tf.keras.layers.Lambda(lambda hidden: 2.0 * hidden)),
    "own layer": lambda rows: _chain(rows, _gru(), Doubled()),
    "own call": lambda rows: DoubledSequential(_chain(rows, _gru()).layers),
}


def build(kind, batch_size, seed=0):
    """Builds a model with weights large enough that its predictions differ from character to character."""
    model = (WITH_STEPS | WITHOUT_STEPS)[kind](batch_size)
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(0, 0.7, weights.shape) for weights in model.get_weights()])
    return model
