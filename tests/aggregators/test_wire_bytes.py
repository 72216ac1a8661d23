"""Bytes counted by hand."""

import numpy as np
import pytest
import tensorflow as tf

from fedlab.aggregators.wire_bytes import count_bytes, count_uncompressed_bytes


@pytest.mark.parametrize(
    ("numbers", "dtype", "expected", "uncompressed"),
    [
        ([0, 0, 0, 7], np.float32, 8, 16),  # one number and its index
        ([0, 0, 7, 7], np.float32, 16, 16),  # two of each cost as much as all
        ([1, 2, 3, 4], np.float32, 16, 16),  # dense
        ([0, 0, 0, 7], np.float64, 12, 32),
        ([0, 0, 0, 7], np.int8, 4, 4),  # an index costs more than the numbers
        ([0, 0, 0, 0], np.float32, 0, 16),
        ([], np.float32, 0, 0),
        ([0, 0, np.nan, 0], np.float32, 8, 16),
        ([[0, np.inf], [-0.0, 0]], np.float32, 8, 16),
    ],
)
def test_bytes_of_a_tensor(numbers, dtype, expected, uncompressed):
    tensor = tf.constant(numbers, dtype)
    assert int(count_bytes(tensor)) == expected
    assert int(count_uncompressed_bytes(tensor)) == uncompressed


def test_bytes_of_a_structure_are_its_tensors_together():
    value = {"a": tf.constant([0.0, 0.0, 0.0, 7.0]), "b": (tf.constant(1, tf.int32), ())}
    assert int(count_bytes(value)) == 8 + 4
    assert int(count_uncompressed_bytes(value)) == 16 + 4
    assert int(count_bytes(())) == 0
