"""The coordinate-wise median, against NumPy."""

import collections

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff
from odd_aggregation import run, signatures

from fedlab.aggregators import CoordinateMedianFactory, StackFactory
from fedlab.aggregators.coordinate_median import median_of_clients

NAN, INF = np.nan, np.inf


def median(clients, value_type=np.float32, factory=None):
    return run(factory or CoordinateMedianFactory(), value_type, clients)[0].result


@pytest.mark.parametrize("num_clients", [1, 2, 3, 8, 9])
def test_it_is_numpys_median(num_clients):
    clients = np.random.default_rng(num_clients).normal(size=(num_clients, 3, 2)).astype(np.float32)
    result = median(list(clients), (np.float32, (3, 2)))
    np.testing.assert_allclose(result, np.median(clients, axis=0), rtol=1e-6)
    np.testing.assert_allclose(median_of_clients(tf.constant(clients)), np.median(clients, axis=0), rtol=1e-6)


def test_median_ignores_one_poisoned_client():
    honest = [[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]
    for poison in ([1e30, -1e30], [INF, -INF], [NAN, NAN]):
        result = median([*honest, poison], (np.float32, (2,)))
        assert 1.0 <= result[0] <= 3.0 and 10.0 <= result[1] <= 30.0


def test_nan_is_left_out_and_counted():
    output = run(CoordinateMedianFactory(), (np.float32, (2,)), [[NAN, NAN], [4.0, NAN], [8.0, NAN]])[0]
    np.testing.assert_array_equal(output.result, [6.0, NAN])
    assert output.measurements["num_nan"] == 4


def test_infinite_values_are_the_largest_and_smallest():
    clients = [[INF, INF, -INF], [INF, 1.0, -INF], [0.0, 2.0, INF]]
    np.testing.assert_array_equal(median(clients, (np.float32, (3,))), [INF, 2.0, -INF])
    np.testing.assert_array_equal(median([INF, INF]), INF)
    np.testing.assert_array_equal(median([-INF, INF]), NAN)


def test_two_large_values_do_not_overflow():
    assert median([3e38, 3e38]) == np.float32(3e38)
    assert median([2e38, 3e38]) == np.float32(2.5e38)


def test_the_smallest_numbers_do_not_vanish():
    tiny = np.finfo(np.float16).smallest_subnormal
    assert median([tiny, tiny, np.float16(1)], np.float16) == tiny


@pytest.mark.parametrize(
    ("clients", "expected"), [([], 0), ([5], 5), ([4, 9], 4), ([9, 4, -1], 4), ([1, 4, 9, 16], 4)]
)
def test_integers_keep_their_dtype_and_take_the_lower_of_two(clients, expected):
    result = median(clients, np.int32)
    assert (result, result.dtype) == (expected, np.int32)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float64, np.int8, np.int64, np.uint8])
def test_dtypes_stay(dtype):
    result = median([dtype(5), dtype(1), dtype(3)], dtype)
    assert (result, result.dtype) == (3, dtype)


def test_no_clients_change_nothing():
    np.testing.assert_array_equal(median([], (np.float32, (2,))), [0.0, 0.0])


@pytest.mark.parametrize("num_clients", [0, 1, 2])
def test_an_empty_structure_stays_empty(num_clients):
    assert median([()] * num_clients, ()) == ()


def test_tensors_without_elements_stay_so():
    assert median([np.zeros((0, 2), np.float32)] * 3, (np.float32, (0, 2))).shape == (0, 2)


def test_structures_keep_their_names():
    value_type = collections.OrderedDict(kernel=(np.float32, (1, 2)), more=[np.int32])
    clients = [dict(kernel=[[float(number), -1.0 * number]], more=[number]) for number in (1, 5, 2)]
    result = median(clients, value_type)
    np.testing.assert_array_equal(result["kernel"], [[2.0, -2.0]])
    assert result["more"] == [2]
    bare = tff.StructType(
        [("kernel", tff.TensorType(np.float32, (1, 2))), ("more", tff.StructType([np.int32]))]
    )
    assert median([{"kernel": [[7.0, 8.0]], "more": (3,)}], bare)["more"] == (3,)


def test_type_signatures():
    assert signatures(CoordinateMedianFactory(), [(np.float32, (2,)), np.int32]) == (
        "( -> <>@SERVER)",
        "(<state=<>@SERVER,value={<float32[2],int32>}@CLIENTS> -> <state=<>@SERVER,"
        "result=<float32[2],int32>@SERVER,measurements=<num_nan=int64,coordinate_median=<>>@SERVER>)",
    )


class OddStackFactory(tff.aggregators.UnweightedAggregationFactory):
    """Stacks 10 * value, has a state of 7, 10, ..., and reports it."""

    def create(self, value_type):
        stack = StackFactory().create(value_type)

        @tff.federated_computation
        def initialize_fn():
            return tff.federated_value(np.int32(7), tff.SERVER)

        @tff.federated_computation(
            tff.FederatedType(np.int32, tff.SERVER), tff.FederatedType(value_type, tff.CLIENTS)
        )
        def next_fn(state, value):
            tenfold = tff.federated_map(tff.tensorflow.computation(lambda number: number * 10.0), value)
            output = stack.next(tff.federated_value((), tff.SERVER), tenfold)
            new_state = tff.federated_map(tff.tensorflow.computation(lambda number: number + 3), state)
            return tff.templates.MeasuredProcessOutput(new_state, output.result, state)

        return tff.templates.AggregationProcess(initialize_fn, next_fn)


def test_what_an_odd_factory_inside_does_comes_out():
    outputs = run(CoordinateMedianFactory(OddStackFactory()), np.float32, [1.0, 2.0, 9.0], num_rounds=2)
    assert [output.result for output in outputs] == [20.0, 20.0]
    assert [output.measurements["coordinate_median"] for output in outputs] == [7, 10]
    assert [output.state for output in outputs] == [10, 13]


def test_tffs_sample_of_a_cohort_can_stand_in_for_all_of_it():
    sampling = tff.aggregators.UnweightedReservoirSamplingFactory(sample_size=3)
    output = run(CoordinateMedianFactory(sampling), np.float32, [1.0, 2.0, 9.0])[0]
    assert output.result == 2.0
    sampled = run(CoordinateMedianFactory(sampling), np.float32, [float(number) for number in range(20)])[0]
    assert sampled.result in range(20)


def test_inside_that_does_not_stack_is_refused():
    with pytest.raises(
        TypeError, match=r"SumFactory\(...\) gives float32: use fedlab.aggregators.StackFactory"
    ):
        CoordinateMedianFactory(tff.aggregators.SumFactory()).create(tff.TensorType(np.float32))
    with pytest.raises(TypeError, match="inner_factory=MeanFactory"):
        CoordinateMedianFactory(tff.aggregators.MeanFactory())
