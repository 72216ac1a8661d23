"""Values of all clients, ordered coordinate by coordinate: what a median and a trimmed mean begin with."""

import tensorflow as tf


def order_clients(stack):
    """Sorts the values of every coordinate; NaN, which has no place in an order, goes to the end.

    [[3., nan], [1., 5.]] of 2 clients -> ordered [[1., 3.], [5., inf]], num_values [2, 1].

    Args:
      stack: tensor of shape [clients, coordinates].

    Returns:
      (ordered, num_values): ordered of shape [coordinates, clients], ascending in each row, inf in
      the place of NaN; num_values of shape [coordinates], int32: how many are not NaN.
    """
    num_clients, num_coordinates = tf.unstack(tf.shape(stack))
    by_coordinate = tf.transpose(stack)  # [coordinates, clients]
    if not stack.dtype.is_floating:
        return tf.sort(by_coordinate), tf.fill([num_coordinates], num_clients)
    is_nan = tf.math.is_nan(by_coordinate)
    ordered = tf.sort(tf.where(is_nan, tf.constant(float("inf"), stack.dtype), by_coordinate))
    return ordered, num_clients - tf.math.count_nonzero(is_nan, axis=1, dtype=tf.int32)


def fill_missing(statistic, num_values, num_clients):
    """Says what a statistic is where there are no values: 0 if there are no clients, NaN if all sent NaN.

    A round without clients shall change nothing. A coordinate that no client could compute shall be seen.

    Args:
      statistic: [coordinates].
      num_values: [coordinates], int32.
      num_clients: scalar, int32.
    """
    if not statistic.dtype.is_floating:
        return tf.where(num_values > 0, statistic, tf.zeros_like(statistic))
    missing = tf.where(num_clients > 0, float("nan"), 0.0)
    return tf.where(num_values > 0, statistic, tf.cast(missing, statistic.dtype))


def count_nan(stack):
    """Counts the NaN in all tensors of a structure; int64."""
    floats = [tensor for tensor in tf.nest.flatten(stack) if tensor.dtype.is_floating]
    return tf.add_n(
        [tf.zeros([], tf.int64)] + [tf.math.count_nonzero(tf.math.is_nan(tensor)) for tensor in floats]
    )
