"""Blocks give what the whole gives."""

import numpy as np
import pytest
import tensorflow as tf

from fedlab.aggregators import coordinate_blocks
from fedlab.aggregators.coordinate_blocks import for_each_block


@pytest.mark.parametrize("size", [1, 3, 4, 5, 8, 11, 12])
def test_blocks_together_are_the_whole(monkeypatch, size):
    monkeypatch.setattr(coordinate_blocks, "BLOCK_SIZE", 4)
    numbers = np.random.default_rng(size).normal(size=(size, 2)).astype(np.float32)
    sizes = []

    def doubled(start, block_size):
        sizes.append(block_size)
        block = tf.slice(tf.constant(numbers.ravel()), [start], [block_size])
        return 2 * block, tf.math.count_nonzero(block > 0)

    whole, count = for_each_block(doubled, tf.TensorShape([size, 2]), tf.float32)
    np.testing.assert_array_equal(whole, 2 * numbers)
    assert count == np.count_nonzero(numbers > 0)
    assert max(sizes) <= 4


@pytest.mark.parametrize(("shape", "count"), [((), 1), ((0, 3), 0)])
def test_scalars_are_one_block_and_empty_tensors_none(shape, count):
    whole, ones = for_each_block(
        lambda start, size: (tf.ones([size]), tf.ones([], tf.int64)), shape, tf.float32
    )
    np.testing.assert_array_equal(whole, np.ones(shape))
    assert ones == count
