"""Statistics of the clients' values in order: of every coordinate by itself, NaN left out and counted."""

from collections.abc import Callable

import tensorflow as tf

from fedlab.aggregators.client_order import exchange_pairs, fill_missing, sort_rows
from fedlab.aggregators.client_rows import rows_of_dataset, rows_of_stack
from fedlab.aggregators.coordinate_blocks import for_each_block


def statistic_of_stack(statistic: Callable, stack) -> tuple:
    """Takes a statistic over the clients of every coordinate, in each tensor of a structure.

    Args:
      statistic: function of (ordered, num_values, zeros) that gives a tensor like zeros. ordered:
        `tf.TensorArray` of a row of [coordinates] for each client, the smallest values first; infinite in the
        place of NaN, at the end. num_values: how many are not NaN, int32, [coordinates], or [] where there is
        no NaN. zeros: a row in which everything is 0.
      stack: structure of tensors of shape [clients, ...]; only the number of clients may be unknown.

    Returns:
      (statistic, num_nan): a structure of tensors of shape [...], of the same dtypes, 0 where there are no
      clients, NaN where all clients sent NaN; how many numbers were NaN, an int64 scalar.
    """

    # A tf.function: arrays that are written twice and loops in loops are not for TFF's own kind of graph.
    @tf.function(autograph=False)
    def of_tensors(*tensors):
        return _statistic_of_rows(statistic, [rows_of_stack(tensor) for tensor in tensors])

    found, num_nan = of_tensors(*tf.nest.flatten(stack))
    return tf.nest.pack_sequence_as(stack, found), num_nan


def statistic_of_dataset(statistic: Callable, dataset: tf.data.Dataset, structure) -> tuple:
    """Takes a statistic over the clients of every coordinate; as `statistic_of_stack`.

    Args:
      statistic: see there.
      dataset: an element for each client, a tuple of the tensors of the structure, in the order of `tf.nest`.
      structure: of one client's value, of anything.
    """

    @tf.function(autograph=False)
    def of_clients(dataset):
        return _statistic_of_rows(statistic, rows_of_dataset(dataset))

    found, num_nan = of_clients(dataset)
    return tf.nest.pack_sequence_as(structure, found), num_nan


def _statistic_of_rows(statistic, rows_of_tensors):
    if not rows_of_tensors:
        return [], tf.zeros([], tf.int64)
    pairs = exchange_pairs(rows_of_tensors[0].num_clients)
    found = [_statistic_of_tensor(statistic, rows, pairs) for rows in rows_of_tensors]
    return [tensor for tensor, _ in found], tf.add_n([count for _, count in found])


def _statistic_of_tensor(statistic, rows, pairs):
    def of_ordered(values, num_values, size):
        found = statistic(sort_rows(values, pairs), num_values, tf.zeros([size], rows.dtype))
        return fill_missing(found, num_values, rows.num_clients)

    def of_block(start, size):
        values, some_nan = _read(rows, start, size)

        def of_all():
            return of_ordered(values, rows.num_clients, size), tf.zeros([], tf.int64)

        def of_those_left():
            without, num_nan = _replace_nan(values, rows, size)
            left = of_ordered(without, rows.num_clients - num_nan, size)
            return left, tf.reduce_sum(tf.cast(num_nan, tf.int64))

        return tf.cond(some_nan, of_those_left, of_all) if rows.dtype.is_floating else of_all()

    return for_each_block(of_block, rows.shape, rows.dtype)


def _read(rows, start, size):
    """Reads a block: an array of a row for each client, and whether there is NaN among them."""

    def read_client(client, values, some_nan):
        row = rows.read_block(client, start, size)
        if rows.dtype.is_floating:
            some_nan |= tf.reduce_any(tf.math.is_nan(row))
        return client + 1, values.write(client, row), some_nan

    return _for_each_client(rows, read_client, _empty(rows, size), tf.constant(False))


def _replace_nan(values, rows, size):
    """Puts infinity into the place of NaN, and counts them in each coordinate: int32, [size]."""
    infinity = tf.constant(float("inf"), rows.dtype)

    def replace(client, replaced, num_nan):
        row = values.read(client)
        is_nan = tf.math.is_nan(row)
        replaced = replaced.write(client, tf.where(is_nan, infinity, row))
        return client + 1, replaced, num_nan + tf.cast(is_nan, tf.int32)

    return _for_each_client(rows, replace, _empty(rows, size), tf.zeros([size], tf.int32))


def _for_each_client(rows, step, *start):
    return tf.while_loop(
        lambda client, *_: client < rows.num_clients, step, (tf.constant(0), *start), parallel_iterations=1
    )[1:]


def _empty(rows, size):
    return tf.TensorArray(rows.dtype, rows.num_clients, element_shape=[size])
