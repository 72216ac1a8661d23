"""Numbers taken block by block: that needs memory for a few blocks, and they stay in caches."""

from collections.abc import Callable

import tensorflow as tf

BLOCK_SIZE = 2**18  # numbers; 1 MB in float32
_BLOCKS_AT_A_TIME = 4  # side by side, where there are so many processor cores


def concat_blocks(
    function: Callable, size: int, dtype: tf.DType, zeros=(), block_size: int = BLOCK_SIZE
) -> tuple:
    """Computes a row of numbers block by block, and adds something up on the way.

    Args:
      function: from the first coordinate of a block and the number of its coordinates, int32 scalars, to the
        block's part of the row, and a structure of tensors to add up.
      size: how many coordinates there are.
      dtype: of the row.
      zeros: structure of zeros, like what the function gives to add up.
      block_size: the most coordinates of a block.

    Returns:
      (the parts, one behind the other; the sums).
    """

    def add_block(block, state):
        parts, sums = state
        part, addends = function(*_place(block, size, block_size))
        return parts.write(block, part), _add(sums, addends)

    num_blocks = _count_blocks(size, block_size)
    parts = tf.TensorArray(dtype, num_blocks, element_shape=[None], infer_shape=False)
    parts, sums = _for_each_block(add_block, num_blocks, (parts, zeros))
    return parts.concat(), sums


def sum_blocks(function: Callable, size: int, zeros, block_size: int = BLOCK_SIZE):
    """Adds up what a function gives for every block; for the arguments see `concat_blocks`."""
    if size <= block_size:
        return function(tf.constant(0), tf.constant(size))

    def add_block(block, sums):
        return _add(sums, function(*_place(block, size, block_size)))

    return _for_each_block(add_block, _count_blocks(size, block_size), zeros)


def _for_each_block(step, num_blocks, state):
    return tf.while_loop(
        lambda block, _: block < num_blocks,
        lambda block, state: (block + 1, step(block, state)),
        (tf.constant(0), state),
        parallel_iterations=_BLOCKS_AT_A_TIME,
    )[1]


def _count_blocks(size, block_size):
    return max(-(-size // block_size), 1)  # a row of no coordinates is an empty block


def _place(block, size, block_size):
    start = block * block_size
    return start, tf.minimum(block_size, size - start)  # the last one may be smaller


def _add(sums, addends):
    return tf.nest.map_structure(tf.add, sums, addends)
