"""The coordinate-wise trimmed mean, against SciPy."""

import collections

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from odd_aggregation import run, signatures
from test_coordinate_median import OddStackFactory

from fedlab.aggregators import TrimmedMeanFactory
from fedlab.aggregators.trimmed_mean import trimmed_mean_of_clients

NAN, INF = np.nan, np.inf


def trimmed_mean(clients, trim_fraction, value_type=np.float32):
    return run(TrimmedMeanFactory(trim_fraction), value_type, clients)[0].result


@pytest.mark.parametrize("num_clients", [1, 2, 5, 10])
@pytest.mark.parametrize("trim_fraction", [0, 0.1, 0.3, 0.49])
def test_it_is_scipys_trimmed_mean(num_clients, trim_fraction):
    clients = np.random.default_rng(num_clients).normal(size=(num_clients, 3, 2)).astype(np.float32)
    expected = scipy.stats.trim_mean(clients, trim_fraction, axis=0)
    np.testing.assert_allclose(
        trimmed_mean_of_clients(tf.constant(clients), trim_fraction), expected, rtol=1e-5, atol=1e-7
    )


def test_a_round_gives_what_the_function_gives():
    clients = np.random.default_rng(3).normal(size=(7, 4)).astype(np.float32)
    result = trimmed_mean(list(clients), 0.3, (np.float32, (4,)))
    np.testing.assert_allclose(result, scipy.stats.trim_mean(clients, 0.3, axis=0), rtol=1e-5)


@pytest.mark.parametrize("num_clients", [10, 100, 1000])
@pytest.mark.parametrize("percent", [1, 7, 10, 29, 30, 45])
def test_as_many_are_trimmed_as_the_fraction_says(num_clients, percent):
    stack = np.random.default_rng(percent).exponential(size=num_clients).astype(np.float32)
    num_trimmed = num_clients * percent // 100
    expected = np.sort(stack)[num_trimmed : num_clients - num_trimmed].mean(dtype=np.float64)
    assert float(trimmed_mean_of_clients(tf.constant(stack), percent / 100)) == pytest.approx(expected)


def test_one_poisoned_client_of_four_is_trimmed():
    for poison in (1e30, -1e30, INF, -INF, NAN):
        assert 1.0 <= trimmed_mean([1.0, 2.0, 3.0, poison], 0.25) <= 3.0


def test_nan_is_left_out_before_trimming():
    output = run(
        TrimmedMeanFactory(0.25),
        (np.float32, (2,)),
        [[NAN, NAN]] + [[v, NAN] for v in (1.0, 2.0, 4.0, 900.0)],
    )[0]
    np.testing.assert_array_equal(output.result, [3.0, NAN])
    assert output.measurements["num_nan"] == 6


def test_infinite_values_that_are_left_are_seen():
    np.testing.assert_array_equal(trimmed_mean([1.0, 2.0, INF], 0.0), INF)
    np.testing.assert_array_equal(trimmed_mean([-INF, 2.0, INF], 0.0), NAN)


def test_no_clients_change_nothing_and_one_gives_its_value():
    np.testing.assert_array_equal(trimmed_mean([], 0.4, (np.float32, (2,))), [0.0, 0.0])
    assert trimmed_mean([7.0], 0.4) == 7.0


@pytest.mark.parametrize("num_clients", [0, 2])
def test_an_empty_structure_stays_empty(num_clients):
    assert trimmed_mean([()] * num_clients, 0.1, ()) == ()


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_dtypes_stay(dtype):
    result = trimmed_mean([dtype(1), dtype(2), dtype(6)], 0.0, dtype)
    assert (result, result.dtype) == (3, dtype)


def test_integers_are_refused():
    with pytest.raises(TypeError, match="cast the values to float32"):
        trimmed_mean([1, 2], 0.1, np.int32)


def test_type_signatures():
    value_type = collections.OrderedDict(a=(np.float32, (2,)), b=np.float64)
    assert signatures(TrimmedMeanFactory(), value_type) == (
        "( -> <>@SERVER)",
        "(<state=<>@SERVER,value={<a=float32[2],b=float64>}@CLIENTS> -> <state=<>@SERVER,"
        "result=<a=float32[2],b=float64>@SERVER,measurements=<num_nan=int64,trimmed_mean=<>>@SERVER>)",
    )


def test_what_an_odd_factory_inside_does_comes_out():
    outputs = run(TrimmedMeanFactory(0.4, OddStackFactory()), np.float32, [1.0, 2.0, 9.0], num_rounds=2)
    assert [output.result for output in outputs] == [20.0, 20.0]
    assert [output.measurements["trimmed_mean"] for output in outputs] == [7, 10]


@pytest.mark.parametrize("trim_fraction", [-0.1, 0.5, NAN])
def test_fractions_out_of_range_are_refused(trim_fraction):
    with pytest.raises(ValueError, match=r"from 0 to below 0\.5"):
        TrimmedMeanFactory(trim_fraction)


def test_a_factory_in_the_place_of_the_fraction_is_refused():
    with pytest.raises(TypeError, match="give a number"):
        TrimmedMeanFactory("0.1")
