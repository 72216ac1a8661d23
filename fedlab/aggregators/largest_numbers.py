"""Finds the largest numbers of a tensor, by absolute value: exactly, and without sorting millions."""

import math

import tensorflow as tf

# Of larger tensors every 61st number is looked at first: a prime, for rows are often multiples of 2 long.
_STRIDE = 61
_LARGE_SIZE = 2**14


def keep_largest(value, fraction):
    """Sets all but the largest numbers of every tensor to 0, by absolute value.

    Half of [1., -3., 2., 0.] -> [0., -3., 2., 0.].

    NaN and infinite values are the largest of all: compression shall not hide them. Of equal numbers
    the first is kept.

    Args:
      value: structure of tensors of known shape.
      fraction: how many numbers of each tensor to keep; rounded up, so at least one.

    Returns:
      Structure of the same shapes and dtypes.
    """
    return tf.nest.map_structure(lambda tensor: keep_largest_of_tensor(tensor, fraction)[0], value)


def keep_largest_of_tensor(tensor: tf.Tensor, fraction: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Does it for one tensor; see `keep_largest`.

    Returns:
      (tensor of the same shape; those of the numbers kept that are not 0, in their order).
    """
    size = tensor.shape.num_elements()
    num_kept = math.ceil(size * fraction - 1e-9)
    flat = tf.reshape(tensor, [size])
    if num_kept >= size:
        return tensor, flat
    kept, numbers = _keep_largest_of_row(flat, num_kept)
    return tf.reshape(kept, tensor.shape), numbers


def _keep_largest_of_row(flat, num_kept):
    bits = _magnitude_bits(flat)
    places = _candidates(bits, num_kept)
    found = tf.gather(bits, places)
    # A zero more: if fewer than num_kept are not 0, it is the smallest one kept.
    rank = tf.minimum(num_kept - 1, tf.size(found))
    smallest = tf.raw_ops.NthElement(input=tf.concat([found, [0]], axis=0), n=rank, reverse=True)
    num_equal_kept = num_kept - _count(found > smallest)

    def keep_all_equals():
        kept = tf.where(bits >= smallest, flat, tf.zeros([], flat.dtype))
        return kept, tf.gather(flat, tf.boolean_mask(places, found >= smallest))

    def keep_first_equals():
        is_equal = tf.equal(found, smallest)
        is_first = is_equal & (tf.cumsum(tf.cast(is_equal, tf.int32)) <= num_equal_kept)
        kept_places = tf.boolean_mask(places, (found > smallest) | is_first)
        numbers = tf.gather(flat, kept_places)
        return tf.scatter_nd(kept_places[:, tf.newaxis], numbers, flat.shape), numbers

    # Zeros are not among the places: there it does not matter which are kept.
    are_more_equal = _count(tf.equal(found, smallest)) > num_equal_kept
    return tf.cond(are_more_equal, keep_first_equals, keep_all_equals)


def _magnitude_bits(flat: tf.Tensor) -> tf.Tensor:
    """The bits of the absolute values as integers, which have the same order; NaN counts as infinite.

    int32 for floats of up to 32 bits, int64 for the rest and for integers.
    """
    is_small = flat.dtype.is_floating and flat.dtype.size <= 4
    numbers, bits = (tf.float32, tf.int32) if is_small else (tf.float64, tf.int64)
    # Cast before the sign goes: -128 has no absolute value in int8.
    magnitude = tf.bitwise.bitwise_and(tf.bitcast(tf.cast(flat, numbers), bits), bits.max)
    return tf.minimum(magnitude, tf.bitcast(tf.constant(float("inf"), numbers), bits))


def _candidates(bits: tf.Tensor, num_kept: int) -> tf.Tensor:
    """Where the numbers stand, without zeros, that may be among the largest: int64, ascending."""
    if bits.shape.num_elements() < _LARGE_SIZE:
        return _places(bits > 0)
    places = _places(bits >= _low_border(bits, num_kept))
    return tf.cond(tf.size(places) < num_kept, lambda: _places(bits > 0), lambda: places)


def _low_border(bits, num_kept):
    """A number, above 0, a little below the smallest one kept, guessed from a part of the numbers."""
    part = bits[::_STRIDE]
    rank = num_kept / _STRIDE
    rank = math.ceil(rank + 4 * math.sqrt(rank) + 4)  # four standard deviations on the safe side
    rank = min(rank, part.shape.num_elements() - 1)
    return tf.maximum(tf.raw_ops.NthElement(input=part, n=rank, reverse=True), 1)


def _places(flags):
    return tf.reshape(tf.where(flags), [-1])


def _count(flags):
    return tf.reduce_sum(tf.cast(flags, tf.int32))
