import pytest
import tensorflow as tf

from fedlab.models.metrics import FlattenedCategoricalAccuracy


def test_accuracy_counts_characters_not_windows():
    targets = tf.constant([[0, 1, 2], [2, 2, 2]])
    logits = tf.one_hot([[0, 1, 0], [2, 0, 0]], depth=3)  # right: 2 of 3, then 1 of 3
    metric = FlattenedCategoricalAccuracy()
    metric.update_state(targets, logits)
    assert metric.result().numpy() == pytest.approx(3 / 6)
    metric.update_state([[1]], tf.one_hot([[1]], depth=3))
    assert metric.result().numpy() == pytest.approx(4 / 7)


def test_weights_count_characters():
    metric = FlattenedCategoricalAccuracy()
    metric.update_state([[0, 1]], tf.one_hot([[0, 0]], depth=2), sample_weight=[[3.0, 1.0]])
    assert metric.result().numpy() == pytest.approx(0.75)
