"""Bytes of a value on the wire, where numbers that are 0 need not be sent."""

import tensorflow as tf

BYTES_PER_INDEX = 4  # an int32 says where in its tensor a number stands


def count_bytes(value):
    """Counts the bytes of a value on the wire, int64: for each tensor the cheaper of two ways to write it.

    All numbers one after the other, or those that are not 0, each with its index.

    float32 [0., 0., 0., 7.] -> one number of 4 bytes and one index of 4 bytes: 8, instead of 16.
    """
    sizes = [bytes_of_nonzero(count_nonzero(tensor), tensor) for tensor in tf.nest.flatten(value)]
    return tf.add_n([tf.zeros([], tf.int64), *sizes])


def bytes_of_nonzero(num_nonzero, tensor):
    """Counts the bytes on the wire of a tensor in which so many numbers are not 0; int64."""
    return tf.minimum(num_nonzero * (tensor.dtype.size + BYTES_PER_INDEX), _count_dense_bytes(tensor))


def count_uncompressed_bytes(value):
    """Counts the bytes of a value with all its numbers, int64."""
    return tf.constant(sum(_count_dense_bytes(tensor) for tensor in tf.nest.flatten(value)), tf.int64)


def _count_dense_bytes(tensor):
    return tensor.shape.num_elements() * tensor.dtype.size


def is_nonzero(tensor):
    """Says of every number whether it is not 0; NaN is not 0."""
    # Not `!=`: in the graphs that TFF builds it compares Python objects.
    return tf.not_equal(tensor, tf.zeros([], tensor.dtype))


def count_nonzero(tensor):
    """Counts the numbers that are not 0; int64."""
    # Not tf.math.count_nonzero: it would make an int64 of every flag.
    return tf.cast(tf.reduce_sum(tf.cast(is_nonzero(tensor), tf.int32)), tf.int64)
