"""The largest numbers of tensors, small and large, with ties and NaN, against sorting in NumPy."""

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf

from fedlab.aggregators.largest_numbers import keep_largest, keep_largest_of_tensor

NAN, INF = np.nan, np.inf


def keep_largest_in_numpy(array, fraction):
    """The oracle: everything below the k-th largest absolute value goes."""
    num_kept = int(np.ceil(array.size * fraction))
    threshold = np.sort(np.abs(array).ravel())[array.size - num_kept]
    return np.where(np.abs(array) >= threshold, array, 0)


@pytest.mark.parametrize("fraction", [0.01, 0.25, 0.3, 0.999, 1.0])
def test_the_largest_stay_and_the_others_go(fraction):
    array = np.random.default_rng(2).normal(size=(5, 4)).astype(np.float32)
    kept = keep_largest(tf.constant(array), fraction)
    np.testing.assert_array_equal(kept, keep_largest_in_numpy(array, fraction))


@pytest.mark.parametrize("size", [10, 100, 1000])
@pytest.mark.parametrize("percent", [1, 7, 29, 70])
def test_as_many_stay_as_the_fraction_says(size, percent):
    kept = keep_largest(tf.random.stateless_normal([size], seed=(1, 2)), percent / 100)
    assert np.count_nonzero(kept) == -(-size * percent // 100)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float64, np.int8, np.int64, np.uint8])
def test_dtypes_stay(dtype):
    kept = keep_largest(tf.constant([1, 100, 3, 2], dtype), 0.5)
    np.testing.assert_array_equal(np.asarray(kept).astype(np.int64), [0, 100, 3, 0])
    assert kept.dtype == dtype


def test_the_smallest_integer_is_a_large_one():
    np.testing.assert_array_equal(keep_largest(tf.constant([100, -128], tf.int8), 0.5), [0, -128])


def test_nan_and_infinity_are_sent_first():
    np.testing.assert_array_equal(keep_largest(tf.constant([1e38, NAN, 5.0, -INF]), 0.5), [0, NAN, 0, -INF])


@pytest.mark.parametrize("fraction", [0.01, 0.25, 0.5])
def test_of_equal_numbers_the_first_are_kept(fraction):
    kept = keep_largest(tf.constant([1.0, -2.0, 2.0, 0.5, -2.0, 2.0, 1.0, 2.0]), fraction)
    expected = np.zeros(8)
    places = [1, 2, 4, 5][: int(np.ceil(8 * fraction))]
    expected[places] = np.array([0, -2, 2, 0, -2, 2, 0, 0])[places]
    np.testing.assert_array_equal(kept, expected)


def keep_largest_by_sorting(array, fraction):
    """The oracle where there are ties: of equal magnitudes the first; NaN is as large as infinity."""
    magnitude = np.where(np.isnan(array), np.inf, np.abs(array.astype(np.float64))).ravel()
    kept = np.argsort(-magnitude, kind="stable")[: int(np.ceil(array.size * fraction))]
    result = np.zeros_like(array).ravel()
    result[kept] = array.ravel()[kept]
    return result.reshape(array.shape)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int16, np.int64])
@pytest.mark.parametrize("fraction", [0.001, 0.1, 0.5, 0.9])
def test_ties_and_zeros_are_those_of_a_stable_sort(dtype, fraction):
    array = np.random.default_rng(5).integers(-4, 5, (40, 25)).astype(dtype)
    np.testing.assert_array_equal(
        keep_largest(tf.constant(array), fraction), keep_largest_by_sorting(array, fraction)
    )


@pytest.mark.parametrize("fraction", [0.01, 0.2, 0.4, 0.8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_infinities_and_numbers_that_differ_in_their_last_bits_are_told_apart(dtype, fraction):
    array = np.random.default_rng(6).normal(size=300).astype(dtype)
    array[:100] = 1 + np.arange(100)[::-1] * np.finfo(dtype).eps
    array[100:200:2] = np.tile([np.nan, np.inf, -np.inf, -np.nan, np.finfo(dtype).max], 10)
    array[1:20:4] = np.finfo(dtype).smallest_subnormal
    np.testing.assert_array_equal(
        keep_largest(tf.constant(array), fraction), keep_largest_by_sorting(array, fraction)
    )


def test_every_tensor_keeps_its_own_largest():
    kept = keep_largest([tf.constant([1.0, 2.0]), (tf.constant(0.1), tf.zeros([0, 3]))], 0.5)
    np.testing.assert_array_equal(kept[0], [0.0, 2.0])
    assert kept[1][0] == np.float32(0.1)
    assert kept[1][1].shape == (0, 3)


def spread(shape):
    """Numbers as updates have them."""
    return np.random.default_rng(7).normal(size=shape).astype(np.float32)


def large_where_it_is_looked_at_first(shape):
    numbers = spread(shape).ravel()
    numbers[::61] += 10
    return numbers.reshape(shape)


def small_where_it_is_looked_at_first(shape):
    numbers = spread(shape).ravel()
    numbers[::61] = 0
    return numbers.reshape(shape)


def mostly_zeros(shape):
    return np.where(np.random.default_rng(8).uniform(size=shape) < 0.03, spread(shape), 0).astype(np.float32)


def many_equals(shape):
    return np.round(2 * spread(shape))


def in_order(shape):
    return np.sort(spread(shape).ravel()).reshape(shape)


@pytest.mark.parametrize("fraction", [1e-6, 0.001, 0.1, 0.7])
@pytest.mark.parametrize(
    "make",
    [
        spread,
        large_where_it_is_looked_at_first,
        small_where_it_is_looked_at_first,
        mostly_zeros,
        many_equals,
        in_order,
        np.zeros,
    ],
)
def test_of_many_numbers_those_of_a_stable_sort_stay(make, fraction):
    array = make((300, 122)).astype(np.float32)
    kept, numbers = tf.function(keep_largest_of_tensor, autograph=False)(tf.constant(array), fraction)
    expected = keep_largest_by_sorting(array, fraction)
    np.testing.assert_array_equal(kept, expected)
    np.testing.assert_array_equal(numbers, expected[expected != 0])
