"""Ordering of clients' values, against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from fedlab.aggregators.sorting_network import exchange_pairs, fill_missing, sort_rows, value_of_rank


@tf.function(autograph=False)
def ordered(stack):
    """The rows of a stack, sorted and stacked again."""
    rows = tf.TensorArray(stack.dtype, tf.shape(stack)[0], element_shape=stack.shape[1:]).unstack(stack)
    return sort_rows(rows, exchange_pairs(tf.shape(stack)[0])).stack()


@pytest.mark.parametrize("num_rows", [1, 2, 3, 4, 5, 7, 8, 10, 16, 17, 33])
def test_any_number_of_rows_is_sorted(num_rows):
    stack = np.random.default_rng(num_rows).integers(-5, 5, (num_rows, 50)).astype(np.float32)
    stack[0, :3] = np.inf, -np.inf, 0
    np.testing.assert_array_equal(ordered(tf.constant(stack)), np.sort(stack, axis=0))


@pytest.mark.parametrize("num_rows", [2, 3, 6, 9])
def test_zeros_and_ones_in_any_order_are_sorted(num_rows):
    # A network that sorts these sorts everything (the 0-1 principle, Knuth 5.3.4).
    stack = (np.arange(2**num_rows) >> np.arange(num_rows)[:, np.newaxis]) & 1
    np.testing.assert_array_equal(ordered(tf.constant(stack)), np.sort(stack, axis=0))


def test_one_row_and_none_need_no_exchange():
    assert exchange_pairs(tf.constant(1)).shape == (0, 2)
    assert exchange_pairs(tf.constant(0)).shape == (0, 2)
    np.testing.assert_array_equal(exchange_pairs(tf.constant(3)), [[0, 2], [0, 1], [1, 2]])


@pytest.mark.parametrize(
    "dtype", [np.float16, np.float64, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16]
)
def test_order_is_numpys_for_every_dtype(dtype):
    stack = np.random.default_rng(1).integers(0, 100, (7, 6)).astype(dtype)
    np.testing.assert_array_equal(ordered(tf.constant(stack)), np.sort(stack, axis=0))


def test_smallest_and_largest_integers_keep_their_places():
    stack = tf.constant([[2**31 - 1], [-(2**31)], [0]], tf.int32)
    np.testing.assert_array_equal(ordered(stack), [[-(2**31)], [0], [2**31 - 1]])


@pytest.mark.parametrize(("rank", "expected"), [(1, [3, 5]), ([1, 0], [3, 1]), (2, [0, 0]), ([5, 1], [0, 5])])
def test_the_value_of_a_rank_is_taken_in_every_coordinate(rank, expected):
    @tf.function(autograph=False)
    def taken(stack):
        rows = tf.TensorArray(tf.float32, 2, element_shape=[2]).unstack(stack)
        return value_of_rank(rows, tf.constant(rank), tf.zeros([2]))

    np.testing.assert_array_equal(taken(tf.constant([[2.0, 1.0], [3.0, 5.0]])), expected)


def test_missing_is_0_without_clients_and_nan_where_all_sent_nan():
    no_values = tf.constant([0])
    assert float(fill_missing(tf.constant([5.0]), no_values, 0)[0]) == 0.0
    assert np.isnan(fill_missing(tf.constant([5.0]), no_values, 3)[0])
    assert float(fill_missing(tf.constant([5.0]), tf.constant([1]), 3)[0]) == 5.0
    assert int(fill_missing(tf.constant([5]), no_values, 0)[0]) == 0
