"""Cutting into blocks and putting together again."""

import numpy as np
import pytest
import tensorflow as tf

from fedlab.aggregators.coordinate_blocks import concat_blocks, sum_blocks

ZERO = tf.zeros([], tf.int64)


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 8, 11, 12])
@pytest.mark.parametrize("is_graph", [False, True])
def test_blocks_together_are_the_whole(size, is_graph):
    numbers = np.random.default_rng(size).normal(size=size).astype(np.float32)

    def doubled(start, block_size):
        tf.debugging.assert_less_equal(block_size, 4)
        block = tf.slice(tf.constant(numbers), [start], [block_size])
        return 2 * block, tf.math.count_nonzero(block > 0)

    def whole():
        row = concat_blocks(doubled, size, tf.float32, ZERO, block_size=4)
        return *row, sum_blocks(lambda *place: doubled(*place)[1], size, ZERO, block_size=4)

    row, count, same_count = tf.function(whole, autograph=False)() if is_graph else whole()
    np.testing.assert_array_equal(row, 2 * numbers)
    assert count == same_count == np.count_nonzero(numbers > 0)


def test_a_large_row_builds_the_graph_of_a_block_once():
    calls = []

    def ones(start, block_size):
        calls.append(start)
        return tf.ones([block_size]), tf.ones([], tf.int64)

    row, count = tf.function(
        lambda: concat_blocks(ones, 11, tf.float32, ZERO, block_size=4), autograph=False
    )()
    np.testing.assert_array_equal(row, np.ones(11))
    assert (count, len(calls)) == (3, 1)
