"""Ordering of clients' values, against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from fedlab.aggregators.client_order import count_nan, fill_missing, order_clients


def test_every_coordinate_is_ordered_by_itself_and_nan_comes_last():
    ordered, num_values = order_clients(tf.constant([[3.0, np.nan], [1.0, 5.0], [-np.inf, 2.0]]))
    np.testing.assert_array_equal(ordered, [[-np.inf, 1.0, 3.0], [2.0, 5.0, np.inf]])
    np.testing.assert_array_equal(num_values, [3, 2])


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int8, np.int32, np.int64, np.uint8])
def test_order_is_numpys_for_every_dtype(dtype):
    stack = np.random.default_rng(1).integers(0, 100, (7, 6)).astype(dtype)
    ordered, num_values = order_clients(tf.constant(stack))
    np.testing.assert_array_equal(ordered, np.sort(stack, axis=0).T)
    np.testing.assert_array_equal(num_values, [7] * 6)


def test_smallest_and_largest_integers_keep_their_places():
    ordered, _ = order_clients(tf.constant([[2**31 - 1], [-(2**31)], [0]], tf.int32))
    np.testing.assert_array_equal(ordered, [[-(2**31), 0, 2**31 - 1]])


def test_missing_is_0_without_clients_and_nan_where_all_sent_nan():
    no_values = tf.constant([0])
    assert float(fill_missing(tf.constant([5.0]), no_values, 0)[0]) == 0.0
    assert np.isnan(fill_missing(tf.constant([5.0]), no_values, 3)[0])
    assert float(fill_missing(tf.constant([5.0]), tf.constant([1]), 3)[0]) == 5.0
    assert int(fill_missing(tf.constant([5]), no_values, 0)[0]) == 0


def test_nan_are_counted_over_all_tensors():
    stack = [tf.constant([np.nan, 1.0]), (tf.constant([[np.nan, np.nan]], tf.float16), tf.constant([3]))]
    assert int(count_nan(stack)) == 3
    assert int(count_nan(())) == 0
