"""Accuracy of a character model: how often the likeliest next character is the right one."""

import tensorflow as tf


class FlattenedCategoricalAccuracy(tf.keras.metrics.SparseCategoricalAccuracy):
    """SparseCategoricalAccuracy over every position of every sequence, counted one by one.

    Targets int [batch, time] and logits [batch, time, vocabulary] are flattened first, so that the
    metric's count is characters and not windows.
    """

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds the characters of one batch; `sample_weight`, if any, has the shape of `y_true`."""
        y_pred = tf.convert_to_tensor(y_pred)
        weights = None if sample_weight is None else tf.reshape(sample_weight, [-1])
        logits = tf.reshape(y_pred, [-1, y_pred.shape[-1]])  # [batch * time, vocabulary]
        return super().update_state(tf.reshape(y_true, [-1, 1]), logits, weights)
