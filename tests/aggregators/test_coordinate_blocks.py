"""Blocks give what the whole gives."""

import numpy as np
import pytest
import tensorflow as tf

from fedlab.aggregators import coordinate_blocks
from fedlab.aggregators.coordinate_blocks import for_each_coordinate


@pytest.mark.parametrize("size", [1, 3, 4, 5, 8, 11, 12])
def test_blocks_together_are_the_whole(monkeypatch, size):
    monkeypatch.setattr(coordinate_blocks, "BLOCK_SIZE", 4)
    stack = np.random.default_rng(size).normal(size=(3, size, 2)).astype(np.float32)
    sizes = []

    def largest(block):
        sizes.append(block.shape[1])
        return tf.reduce_max(block, axis=0)

    result = for_each_coordinate(largest, tf.constant(stack))
    np.testing.assert_array_equal(result, stack.max(axis=0))
    assert max(filter(None, sizes), default=0) <= 4


@pytest.mark.parametrize("shape", [(5,), (5, 0), (0, 3), (0, 2, 2)])
def test_scalars_and_empty_stacks_are_one_block(shape):
    result = for_each_coordinate(lambda block: tf.reduce_sum(block, axis=0), tf.ones(shape))
    np.testing.assert_array_equal(result, np.ones(shape).sum(axis=0))


def test_a_large_tensor_is_cut():
    blocks = []

    def first(block):
        blocks.append(block)
        return block[0]

    stack = tf.range(coordinate_blocks.BLOCK_SIZE + 5, dtype=tf.int32)[tf.newaxis]
    np.testing.assert_array_equal(for_each_coordinate(first, stack), stack[0])
    assert [int(tf.size(block)) for block in blocks] == [coordinate_blocks.BLOCK_SIZE] * 2
