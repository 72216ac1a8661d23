"""Sparse updates and error feedback, against NumPy."""

import collections

import numpy as np
import pytest
import tensorflow_federated as tff
from odd_aggregation import OddFactory, WeightedOddFactory, run, signatures

from fedlab.aggregators import StackFactory, TopKFactory

NAN, INF = np.nan, np.inf


def keep_largest_in_numpy(array, fraction):
    """The oracle: everything below the k-th largest absolute value goes."""
    num_kept = int(np.ceil(array.size * fraction))
    threshold = np.sort(np.abs(array).ravel())[array.size - num_kept]
    return np.where(np.abs(array) >= threshold, array, 0)


def test_what_the_server_does_not_send_now_it_sends_later():
    clients = list(np.random.default_rng(4).normal(size=(3, 8)).astype(np.float32))
    factory = TopKFactory(upload_fraction=1, download_fraction=0.25)
    outputs = run(factory, (np.float32, (8,)), clients, num_rounds=6)
    residual, total = np.zeros(8, np.float32), np.sum(clients, axis=0)
    for output in outputs:
        expected = keep_largest_in_numpy(residual + total, 0.25)
        residual = residual + total - expected
        np.testing.assert_allclose(output.result, expected, rtol=1e-5)
        np.testing.assert_allclose(output.state["residual"], residual, rtol=1e-4, atol=1e-6)
    sent = np.sum([output.result for output in outputs], axis=0)
    np.testing.assert_allclose(sent + outputs[-1].state["residual"], 6 * total, rtol=1e-4)


def test_what_a_client_does_not_send_is_lost():
    outputs = run(TopKFactory(upload_fraction=0.5), (np.float32, (2,)), [[1.0, 2.0]], num_rounds=3)
    sent = np.sum([output.result for output in outputs], axis=0) + outputs[-1].state["residual"]
    np.testing.assert_array_equal(sent, [0.0, 6.0])
    assert outputs[0].measurements["upload_kept"] == pytest.approx(4 / 5)


def test_bytes_are_those_of_all_clients_up_and_of_one_result_down():
    factory = TopKFactory(upload_fraction=0.25, download_fraction=0.25)
    clients = [[9.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0], [0.0] * 8]
    measurements = run(factory, (np.float32, (8,)), clients)[0].measurements
    assert measurements["upload_bytes"] == 2 * 8  # two numbers and indices, and nothing
    assert measurements["upload_uncompressed_bytes"] == 2 * 8 * 4
    assert measurements["download_bytes"] == 2 * 8
    assert measurements["download_uncompressed_bytes"] == 8 * 4
    assert measurements["upload_kept"] == pytest.approx(82 / 84)


def test_outside_a_mean_it_is_weighted():
    factory = TopKFactory(tff.aggregators.MeanFactory(), upload_fraction=0.5, download_fraction=1)
    output = run(factory, (np.float32, (2,)), [[4.0, 1.0], [1.0, 8.0]], [1.0, 3.0])[0]
    np.testing.assert_array_equal(output.result, [1.0, 6.0])


def test_inside_a_mean_it_is_the_sum():
    inside = TopKFactory(upload_fraction=0.5, download_fraction=1.0)
    mean = tff.aggregators.MeanFactory(value_sum_factory=inside)
    output = run(mean, (np.float32, (2,)), [[4.0, 1.0], [1.0, 8.0]], [1.0, 3.0])[0]
    np.testing.assert_array_equal(output.result, [1.0, 6.0])
    assert output.measurements["mean_value"]["upload_bytes"] == 16


@pytest.mark.parametrize(
    ("factory", "weights", "total"), [(OddFactory(), (), 6.0), (WeightedOddFactory(), ([1.0, 10.0],), 42.0)]
)
def test_what_an_odd_factory_inside_does_comes_out(factory, weights, total):
    outputs = run(TopKFactory(factory), np.float32, [2.0, 4.0], *weights, num_rounds=2)
    assert [output.result for output in outputs] == [total + 7, total + 10]
    assert [output.measurements["top_k"]["odd_state"] for output in outputs] == [b"7", b"10"]
    assert [output.state["top_k"] for output in outputs] == [10, 13]


def test_integers_are_compressed_and_remembered():
    outputs = run(
        TopKFactory(upload_fraction=1, download_fraction=0.5), (np.int32, (2,)), [[3, 2]], num_rounds=2
    )
    np.testing.assert_array_equal(outputs[0].result, [3, 0])
    np.testing.assert_array_equal(outputs[1].result, [0, 4])
    assert outputs[1].state["residual"].dtype == np.int32


def test_no_clients_send_nothing_and_the_residual_goes_on():
    process = TopKFactory(upload_fraction=1, download_fraction=0.5).create(tff.TensorType(np.float32, (2,)))
    first = process.next(process.initialize(), [[3.0, 2.0]])
    second = process.next(first.state, [])
    np.testing.assert_array_equal(second.result, [0.0, 2.0])
    assert (second.measurements["upload_bytes"], second.measurements["upload_kept"]) == (0, 1.0)


def test_nan_does_not_stay_in_the_residual():
    process = TopKFactory(upload_fraction=1, download_fraction=0.5).create(tff.TensorType(np.float32, (4,)))
    first = process.next(process.initialize(), [[NAN, INF, 5.0, 1.0]])
    np.testing.assert_array_equal(first.result, [NAN, INF, 0.0, 0.0])
    np.testing.assert_array_equal(first.state["residual"], [0.0, 0.0, 5.0, 1.0])
    assert np.isnan(first.measurements["upload_kept"])


@pytest.mark.parametrize("num_clients", [0, 1, 2])
def test_an_empty_structure_costs_nothing(num_clients):
    output = run(TopKFactory(), (), [()] * num_clients)[0]
    assert (output.result, output.state["residual"]) == ((), ())
    assert (output.measurements["upload_bytes"], output.measurements["download_bytes"]) == (0, 0)


def test_structures_keep_their_names():
    value_type = collections.OrderedDict(a=(np.float32, (2,)), b=[np.int32])
    output = run(TopKFactory(), value_type, [{"a": [1.0, 2.0], "b": [3]}])[0]
    np.testing.assert_array_equal(output.result["a"], [0.0, 2.0])
    assert output.result["b"] == [3]
    bare = tff.StructType([("a", tff.TensorType(np.float32, (2,))), ("b", tff.StructType([np.int32]))])
    assert run(TopKFactory(), bare, [{"a": [1.0, 2.0], "b": (3,)}])[0].result["b"] == (3,)


def test_type_signatures():
    measurements = (
        "upload_bytes=int64,upload_uncompressed_bytes=int64,upload_kept=float32,"
        "download_bytes=int64,download_uncompressed_bytes=int64"
    )
    assert signatures(TopKFactory(), [(np.float32, (2,)), np.int32]) == (
        "( -> <residual=<float32[2],int32>,top_k=<>>@SERVER)",
        "(<state=<residual=<float32[2],int32>,top_k=<>>@SERVER,value={<float32[2],int32>}@CLIENTS> -> "
        "<state=<residual=<float32[2],int32>,top_k=<>>@SERVER,result=<float32[2],int32>@SERVER,"
        f"measurements=<{measurements},top_k=<>>@SERVER>)",
    )
    assert (
        "weight={float32}@CLIENTS> -> "
        in signatures(TopKFactory(tff.aggregators.MeanFactory()), np.float32, np.float32)[1]
    )


@pytest.mark.parametrize("fraction", [0, -0.1, 1.1, NAN])
@pytest.mark.parametrize("name", ["upload_fraction", "download_fraction"])
def test_fractions_out_of_range_are_refused(name, fraction):
    with pytest.raises(ValueError, match=f"{name}=.*: give a number above 0 and at most 1"):
        TopKFactory(**{name: fraction})


def test_results_that_cannot_be_remembered_are_refused():
    with pytest.raises(
        TypeError, match=r"must be of the value type, float32, but inner_factory=StackFactory"
    ):
        TopKFactory(StackFactory()).create(tff.TensorType(np.float32))
