"""The tutorial's example task: its numbers, its types, and what it does with odd values."""

import collections

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff
from odd_aggregation import OddFactory, run, signatures

from fedlab.aggregators import ScaledSumFactory
from fedlab.aggregators.scaled_sum import add_one, scale, unscale


def test_leaves_work_on_plain_tensors():
    np.testing.assert_array_equal(scale([tf.constant([1.0, 2.0]), tf.constant(3)], 2.0)[0], [2.0, 4.0])
    scaled = scale({"a": tf.constant(3)}, 2.0)["a"]
    assert (int(scaled), scaled.dtype) == (6, tf.int32)
    assert float(unscale(tf.constant(6.0), 4.0)) == 1.5
    assert int(unscale(tf.constant(7), 2.0)) == 3
    assert float(add_one(tf.constant(1.0))) == 2.0


def test_tutorials_numbers_with_a_sum_inside():
    outputs = run(ScaledSumFactory(), np.float32, [1.0, 2.0, 5.0], num_rounds=3)
    assert [output.result for output in outputs] == [8.0, 8.0, 8.0]
    assert [output.measurements["scaled_value"] for output in outputs] == [8.0, 16.0, 24.0]
    assert outputs[-1].measurements["scaled_sum"] == ()
    assert outputs[-1].state == (3.0, ())


def test_tutorials_numbers_with_itself_inside():
    outputs = run(ScaledSumFactory(ScaledSumFactory()), np.float32, [1.0, 2.0, 5.0], num_rounds=2)
    assert [output.result for output in outputs] == [8.0, 8.0]
    inner = collections.OrderedDict(scaled_value=32.0, scaled_sum=())
    assert outputs[1].measurements == collections.OrderedDict(scaled_value=16.0, scaled_sum=inner)
    assert outputs[0].measurements["scaled_sum"]["scaled_value"] == 8.0


def test_tutorials_numbers_of_a_structure():
    clients = [[[1.0, 2.0], [3.0, 4.0, 5.0]], [[1.0, 1.0], [3.0, 0.0, -5.0]]]
    result = run(ScaledSumFactory(), [(np.float32, (2,)), (np.float32, (3,))], clients)[0].result
    np.testing.assert_array_equal(result[0], [2.0, 3.0])
    np.testing.assert_array_equal(result[1], [6.0, 4.0, 0.0])


def test_type_signatures():
    assert signatures(ScaledSumFactory(), collections.OrderedDict(a=np.float32, b=(np.int32, (2,)))) == (
        "( -> <float32,<>>@SERVER)",
        "(<state=<float32,<>>@SERVER,value={<a=float32,b=int32[2]>}@CLIENTS> -> "
        "<state=<float32,<>>@SERVER,result=<a=float32,b=int32[2]>@SERVER,"
        "measurements=<scaled_value=<a=float32,b=int32[2]>,scaled_sum=<>>@SERVER>)",
    )


def test_what_an_odd_factory_inside_does_comes_out():
    outputs = run(ScaledSumFactory(OddFactory()), np.float32, [1.0, 2.0], num_rounds=2)
    # First 1 * 3 + 7, then 2 * 3 + 10; the second is divided by 2.
    assert [output.measurements["scaled_value"] for output in outputs] == [10.0, 16.0]
    assert [output.result for output in outputs] == [10.0, 8.0]
    assert [output.measurements["scaled_sum"]["odd_state"] for output in outputs] == [b"7", b"10"]
    assert [output.state for output in outputs] == [(1.0, 10), (2.0, 13)]


@pytest.mark.parametrize(("clients", "expected"), [([], 0.0), ([4.0], 4.0)])
def test_no_clients_give_0_and_one_gives_its_value(clients, expected):
    assert run(ScaledSumFactory(), np.float32, clients)[0].result == expected


def test_nan_and_infinity_spread_as_in_any_sum():
    result = run(ScaledSumFactory(), (np.float32, (3,)), [[np.nan, np.inf, np.inf], [1.0, 1.0, -np.inf]])[
        0
    ].result
    np.testing.assert_array_equal(result, [np.nan, np.inf, np.nan])


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.float16, np.float64])
def test_dtypes_stay(dtype):
    output = run(ScaledSumFactory(), dtype, [dtype(1), dtype(2), dtype(-6)], num_rounds=3)[-1]
    assert (output.result, output.result.dtype) == (-3, dtype)
    assert output.measurements["scaled_value"].dtype == dtype


def test_integers_wrap_around_beyond_their_dtype():
    outputs = run(ScaledSumFactory(), np.int32, [2**30], num_rounds=2)
    assert outputs[1].measurements["scaled_value"] == -(2**31)
    assert outputs[1].result == -(2**30)


def test_an_empty_structure_stays_empty():
    output = run(ScaledSumFactory(), (), [(), ()], num_rounds=2)[-1]
    assert output.result == ()
    assert output.state == (2.0, ())


def test_it_is_the_sum_inside_a_mean():
    mean = tff.aggregators.MeanFactory(value_sum_factory=ScaledSumFactory())
    output = run(mean, np.float32, [1.0, 5.0], [3.0, 1.0], num_rounds=2)[-1]
    assert output.result == 2.0
    assert output.measurements["mean_value"]["scaled_value"] == 16.0
