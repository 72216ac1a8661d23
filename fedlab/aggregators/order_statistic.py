"""Statistics of the clients' values in order: of every coordinate by itself, NaN left out and counted."""

from collections.abc import Callable

import tensorflow as tf

from fedlab.aggregators.client_rows import rows_of_dataset, rows_of_stack, unflatten
from fedlab.aggregators.coordinate_blocks import concat_blocks
from fedlab.aggregators.sorting_network import exchange_pairs, fill_missing, sort_rows

BLOCK_SIZE = 2**15  # coordinates; of 10 clients, 1.3 MB in float32


def statistic_of_stack(statistic: Callable, stack) -> tuple:
    """Takes a statistic over the clients of every coordinate, in each tensor of a structure.

    Args:
      statistic: function of (ordered, num_values, zeros) that gives a tensor like zeros. ordered:
        `tf.TensorArray` of a row of [coordinates] for each client, the smallest values first; infinite in the
        place of NaN, at the end. num_values: how many are not NaN, int32, [coordinates], or [] for integers.
        zeros: a row in which everything is 0.
      stack: structure of tensors of shape [clients, ...]; only the number of clients may be unknown.

    Returns:
      (statistic, num_nan): a structure of tensors of shape [...], of the same dtypes, 0 where there are no
      clients, NaN where all clients sent NaN; how many numbers were NaN, an int64 scalar.
    """
    specs = tf.nest.map_structure(lambda tensor: tf.TensorSpec(tensor.shape[1:], tensor.dtype), stack)
    if not tf.nest.flatten(stack):
        return stack, tf.zeros([], tf.int64)

    # A tf.function: arrays that are written twice and loops in loops are not for TFF's own kind of graph.
    @tf.function(autograph=False)
    def of_stack(stack):
        return _statistic_of_rows(statistic, rows_of_stack(stack))

    rows, num_nan = of_stack(stack)
    return unflatten(rows, specs), num_nan


def statistic_of_dataset(statistic: Callable, dataset: tf.data.Dataset, specs) -> tuple:
    """Takes a statistic over the clients of every coordinate; as `statistic_of_stack`.

    Args:
      statistic: see there.
      dataset: an element for each client: its value, flattened by `client_rows.flatten`.
      specs: structure of `tf.TensorSpec`, of one client's value.
    """

    @tf.function(autograph=False)
    def of_clients(dataset):
        return _statistic_of_rows(statistic, rows_of_dataset(dataset))

    rows, num_nan = of_clients(dataset)
    return unflatten(rows, specs), num_nan


def _statistic_of_rows(statistic, rows_of_dtypes):
    pairs = exchange_pairs(rows_of_dtypes[0].size())
    found = [_statistic_of_dtype(statistic, rows, pairs) for rows in rows_of_dtypes]
    return [row for row, _ in found], tf.add_n([num_nan for _, num_nan in found])


def _statistic_of_dtype(statistic, rows, pairs):
    num_clients = rows.size()

    def of_block(start, size):
        values, num_nan = _read_without_nan(rows, start, size)
        num_values = num_clients - num_nan
        found = statistic(sort_rows(values, pairs), num_values, tf.zeros([size], rows.dtype))
        return fill_missing(found, num_values, num_clients), tf.reduce_sum(tf.cast(num_nan, tf.int64))

    size = rows.element_shape.num_elements()
    row, num_nan = concat_blocks(of_block, size, rows.dtype, tf.zeros([], tf.int64), BLOCK_SIZE)
    return tf.ensure_shape(row, [size]), num_nan


def _read_without_nan(rows, start, size):
    """Reads a block of each client, infinity in the place of NaN, and counts NaN in each coordinate."""
    num_clients, is_float = rows.size(), rows.dtype.is_floating

    def read_client(client, values, num_nan):
        row = tf.slice(rows.read(client), [start], [size])
        if is_float:
            is_nan = tf.math.is_nan(row)
            row = tf.where(is_nan, tf.constant(float("inf"), rows.dtype), row)
            num_nan += tf.cast(is_nan, tf.int32)
        return client + 1, values.write(client, row), num_nan

    values = tf.TensorArray(rows.dtype, num_clients, element_shape=[None])
    num_nan = tf.zeros([size] if is_float else [], tf.int32)
    return tf.while_loop(
        lambda client, *_: client < num_clients,
        read_client,
        (tf.constant(0), values, num_nan),
        parallel_iterations=1,
    )[1:]
