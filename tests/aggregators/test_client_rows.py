"""Structures as rows of numbers and back, and the rows of many clients."""

import collections

import numpy as np
import pytest
import tensorflow as tf

from fedlab.aggregators.client_rows import flatten, rows_of_dataset, rows_of_stack, unflatten

VALUE = collections.OrderedDict(
    kernel=tf.constant([[1.0, 2.0], [3.0, 4.0]]),
    counts=(tf.constant(7), tf.zeros([0, 2], tf.int32)),
    bias=(tf.constant(5.0), tf.constant([8.0], tf.float64)),
)
ROWS = [5.0, 1.0, 2.0, 3.0, 4.0], [8.0], [7]  # tf.nest sorts the names


def test_numbers_are_in_one_row_for_each_dtype_in_the_order_of_appearance():
    rows = flatten(VALUE)
    assert [row.dtype for row in rows] == [tf.float32, tf.float64, tf.int32]
    for row, expected in zip(rows, ROWS, strict=True):
        np.testing.assert_array_equal(row, expected)


def test_a_structure_comes_back_of_its_rows():
    back = unflatten(flatten(VALUE), tf.nest.map_structure(tf.TensorSpec.from_tensor, VALUE))
    tf.nest.assert_same_structure(back, VALUE)
    for one, other in zip(tf.nest.flatten(back), tf.nest.flatten(VALUE), strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("num_clients", [0, 1, 3])
def test_stacked_clients_and_a_dataset_of_them_have_the_same_rows(num_clients):
    scales = np.arange(1, num_clients + 1)
    stack = tf.nest.map_structure(
        lambda tensor: tf.constant(
            np.multiply.outer(scales, tensor.numpy()).astype(tensor.dtype.as_numpy_dtype)
        ),
        VALUE,
    )

    @tf.function(autograph=False)
    def both():
        rows = rows_of_stack(stack)
        dataset = tf.data.Dataset.from_tensor_slices(stack).map(flatten)
        return [row.stack() for row in rows], [row.stack() for row in rows_of_dataset(dataset)]

    for one, other, expected in zip(*both(), ROWS, strict=True):
        np.testing.assert_array_equal(one, np.multiply.outer(scales, expected))
        np.testing.assert_array_equal(other, one)
