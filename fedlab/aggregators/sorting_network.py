"""Clients' values in order, coordinate by coordinate: what a median and a trimmed mean begin with.

How many clients there are is known only when the graph runs, so the graph holds a loop over the exchanges of
a sorting network: merge exchange, Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M. Every
exchange is a minimum and a maximum of two rows, which processors compute for many coordinates at once.
"""

import tensorflow as tf


def exchange_pairs(num_rows: tf.Tensor) -> tf.Tensor:
    """Lists which pairs of rows to compare, one after the other, to sort that many rows.

    3 rows -> [[0, 2], [0, 1], [1, 2]].

    Args:
      num_rows: int32 scalar tensor.

    Returns:
      int32 [pairs, 2]: indices of two rows, of which the first is to hold the smaller value.
    """
    largest_power = _power_of_two_below(num_rows)

    def one_pass(p, q, r, distance, pairs):
        first = tf.range(num_rows - distance)
        first = tf.boolean_mask(first, tf.equal(tf.bitwise.bitwise_and(first, p), r))
        pairs = tf.concat([pairs, tf.stack([first, first + distance], axis=1)], axis=0)
        is_last = tf.equal(q, p)  # of the passes that merge lists whose members are p apart
        next_p = tf.where(is_last, p // 2, p)
        return (
            next_p,
            tf.where(is_last, largest_power, q // 2),
            tf.where(is_last, 0, p),
            tf.where(is_last, next_p, q - p),
            pairs,
        )

    start = (largest_power, largest_power, tf.constant(0), largest_power, tf.zeros([0, 2], tf.int32))
    shapes = (*[tf.TensorShape([])] * 4, tf.TensorShape([None, 2]))
    return tf.while_loop(lambda p, *_: p > 0, one_pass, start, shapes, parallel_iterations=1)[-1]


def _power_of_two_below(number):
    """The largest power of two that is smaller than a number; 0 where there is none."""
    power = tf.while_loop(lambda power: 2 * power < number, lambda power: [2 * power], [tf.constant(1)])[0]
    return tf.where(number > 1, power, 0)


def sort_rows(rows: tf.TensorArray, pairs: tf.Tensor) -> tf.TensorArray:
    """Sorts rows coordinate by coordinate.

    Rows [3., 1.], [2., 5.] -> [2., 1.], [3., 5.].

    Args:
      rows: one for each client, all of the same shape, without NaN.
      pairs: what `exchange_pairs` gives for their number.

    Returns:
      The same number of rows; the first holds the smallest values.
    """

    def exchange(index, rows):
        first, second = pairs[index, 0], pairs[index, 1]
        one, other = rows.read(first), rows.read(second)
        rows = rows.write(first, tf.minimum(one, other)).write(second, tf.maximum(one, other))
        return index + 1, rows

    num_pairs = tf.shape(pairs)[0]
    return tf.while_loop(lambda index, _: index < num_pairs, exchange, (0, rows), parallel_iterations=1)[1]


def value_of_rank(ordered: tf.TensorArray, rank: tf.Tensor, zeros: tf.Tensor) -> tf.Tensor:
    """Takes the value of a rank, from 0, in every coordinate; 0 where there is no row of that rank.

    Rows [2., 1.], [3., 5.] with ranks [1, 0] -> [3., 1.].

    Args:
      ordered: rows in order.
      rank: int32, one for all coordinates, [], or one for each, [coordinates].
      zeros: a row in which everything is 0.
    """
    end = tf.minimum(tf.reduce_max(rank) + 1, ordered.size())
    return tf.while_loop(
        lambda index, _: index < end,
        lambda index, found: (index + 1, tf.where(tf.equal(rank, index), ordered.read(index), found)),
        (tf.reduce_min(rank), zeros),
        parallel_iterations=1,
    )[1]


def fill_missing(statistic: tf.Tensor, num_values: tf.Tensor, num_clients: tf.Tensor) -> tf.Tensor:
    """Says what a statistic is where there are no values: 0 if there are no clients, NaN if all sent NaN.

    A round without clients shall change nothing. A coordinate that no client could compute shall be seen.

    Args:
      statistic: [coordinates].
      num_values: int32, [coordinates], or [] where all have the same number.
      num_clients: scalar, int32.
    """
    if not statistic.dtype.is_floating:
        return tf.where(num_values > 0, statistic, tf.zeros_like(statistic))
    missing = tf.where(num_clients > 0, float("nan"), 0.0)
    return tf.where(num_values > 0, statistic, tf.cast(missing, statistic.dtype))
