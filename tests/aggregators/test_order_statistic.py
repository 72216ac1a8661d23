"""Statistics of ordered values over many clients, blocks and dtypes, against NumPy."""

import warnings

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf

from fedlab.aggregators import order_statistic
from fedlab.aggregators.client_rows import flatten
from fedlab.aggregators.coordinate_median import median_of_ordered
from fedlab.aggregators.order_statistic import statistic_of_dataset, statistic_of_stack

BLOCK = 8


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(order_statistic, "BLOCK_SIZE", BLOCK)


def median_and_count(stack):
    return statistic_of_stack(median_of_ordered, stack)


def numpys_median(stack):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of coordinates that are NaN everywhere
        return np.nanmedian(stack, axis=0)


def with_nan(num_clients, size, share):
    generator = np.random.default_rng(num_clients)
    stack = generator.normal(size=(num_clients, size)).astype(np.float32)
    stack[generator.uniform(size=stack.shape) < share] = np.nan
    return stack


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("num_clients", [1, 2, 3, 10, 33])
def test_the_median_is_numpys_whatever_is_nan(num_clients, share):
    stack = with_nan(num_clients, 3 * BLOCK + 1, share)
    median, num_nan = median_and_count(tf.constant(stack))
    np.testing.assert_allclose(median, numpys_median(stack), rtol=1e-6)
    assert num_nan == np.isnan(stack).sum()


@pytest.mark.parametrize("size", [1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 3])
def test_nan_at_the_edges_of_blocks_are_counted_once(size):
    stack = np.random.default_rng(size).normal(size=(5, size)).astype(np.float32)
    stack[1, [0, -1]] = np.nan
    stack[3, ::BLOCK] = np.nan
    median, num_nan = median_and_count(tf.constant(stack))
    np.testing.assert_allclose(median, numpys_median(stack), rtol=1e-6)
    assert num_nan == np.isnan(stack).sum()


@pytest.mark.parametrize("num_clients", [0, 1, 2, 5])
def test_clients_of_a_dataset_give_what_a_stack_gives(num_clients):
    stack = with_nan(num_clients, 2 * BLOCK + 2, 0.2)
    tensors = stack.reshape(num_clients, 2, BLOCK + 1), stack.astype(np.float64)
    expected, num_nan = median_and_count(tensors)
    dataset = tf.data.Dataset.from_tensor_slices(tensors).map(lambda *value: flatten(value))
    specs = tuple(tf.TensorSpec(tensor.shape[1:], tensor.dtype) for tensor in tensors)
    found, same_num_nan = statistic_of_dataset(median_of_ordered, dataset, specs)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    assert num_nan == same_num_nan


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float64])
def test_nan_of_every_float_dtype_is_left_out(dtype):
    stack = np.array([[1, np.nan], [5, np.nan], [np.nan, np.nan], [3, 7]], dtype)
    median, num_nan = median_and_count(tf.constant(stack))
    assert (median.numpy().astype(float).tolist(), median.dtype, int(num_nan)) == ([3.0, 7.0], dtype, 4)


def test_a_structure_without_tensors_stays_so():
    median, num_nan = median_and_count(())
    assert (median, int(num_nan)) == ((), 0)
