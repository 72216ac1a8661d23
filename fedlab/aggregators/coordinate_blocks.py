"""A statistic of every coordinate, computed block by block: memory for one block, not for a whole model."""

import tensorflow as tf

BLOCK_SIZE = 2**17  # coordinates; of 10 clients, 5 MB in float32


def for_each_coordinate(statistic, stack):
    """Takes a statistic over clients of every coordinate of a tensor.

    Args:
      statistic: function from a tensor of shape [clients, coordinates] to one of [coordinates], same dtype.
      stack: tensor of shape [clients, ...]; only the number of clients may be unknown.

    Returns:
      Tensor of shape [...].
    """
    size = stack.shape[1:].num_elements()
    flat = tf.reshape(stack, [tf.shape(stack)[0], size])
    result = statistic(flat) if size <= BLOCK_SIZE else _in_blocks(statistic, flat, size)
    return tf.reshape(result, stack.shape[1:])


def _in_blocks(statistic, flat, size):
    # The last block ends where the tensor ends, and so overlaps with the one before it.
    starts = [*range(0, size - BLOCK_SIZE, BLOCK_SIZE), size - BLOCK_SIZE]
    blocks = tf.map_fn(
        lambda start: statistic(flat[:, start : start + BLOCK_SIZE]),
        tf.constant(starts),
        fn_output_signature=tf.TensorSpec([BLOCK_SIZE], flat.dtype),
        parallel_iterations=1,  # several at a time would need memory for several
    )
    num_new = size - BLOCK_SIZE * (len(starts) - 1)  # of the last block
    return tf.concat([tf.reshape(blocks[:-1], [-1]), blocks[-1, BLOCK_SIZE - num_new :]], axis=0)
