"""Coordinates taken block by block: that needs memory for a few blocks, and they stay in caches."""

from collections.abc import Callable

import tensorflow as tf

BLOCK_SIZE = 2**15  # coordinates; of 10 clients, 1.3 MB in float32
_BLOCKS_AT_A_TIME = 4  # side by side, where there are so many processor cores


def for_each_block(function: Callable, shape: tf.TensorShape, dtype: tf.DType) -> tuple[tf.Tensor, tf.Tensor]:
    """Computes a tensor block by block, and counts something on the way.

    Args:
      function: from the first coordinate of a block, an int32 scalar tensor, and the number of its
        coordinates, an int, to the block's part of the tensor, [coordinates], and an int64 scalar.
      shape: of the tensor, fully known; coordinates are counted in row order.
      dtype: of the tensor.

    Returns:
      (tensor of that shape, sum of the int64 scalars).
    """
    num_blocks, size_of_rest = divmod(tf.TensorShape(shape).num_elements(), BLOCK_SIZE)
    parts, counts = _whole_blocks(function, num_blocks, dtype)
    if size_of_rest:
        part, count = function(tf.constant(num_blocks * BLOCK_SIZE), size_of_rest)
        parts, counts = [*parts, part], [*counts, count]
    tensor = parts[0] if len(parts) == 1 else tf.concat([tf.zeros([0], dtype), *parts], axis=0)
    return tf.reshape(tensor, shape), tf.add_n([tf.zeros([], tf.int64), *counts])


def _whole_blocks(function, num_blocks, dtype):
    if not num_blocks:
        return [], []
    parts, counts = tf.map_fn(
        lambda start: function(start, BLOCK_SIZE),
        tf.range(num_blocks) * BLOCK_SIZE,
        fn_output_signature=(tf.TensorSpec([BLOCK_SIZE], dtype), tf.TensorSpec([], tf.int64)),
        parallel_iterations=_BLOCKS_AT_A_TIME,
    )
    return [tf.reshape(parts, [-1])], [tf.reduce_sum(counts)]
