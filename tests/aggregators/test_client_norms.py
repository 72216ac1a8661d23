"""Norms of client updates, against NumPy; everything else is the inner factory's."""

import collections

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff
from odd_aggregation import OddFactory, WeightedOddFactory, run, signatures

from fedlab.aggregators import ClientNormsFactory, TopKFactory
from fedlab.aggregators.client_norms import describe_norms, norm_l2

NAN, INF = np.nan, np.inf
STATISTICS = ["norm_min", "norm_lower_quartile", "norm_median", "norm_upper_quartile", "norm_max"]


def test_a_norm_is_numpys_over_all_tensors():
    value = (tf.constant([[3.0, 0.0]]), [tf.constant(4, tf.int32), tf.constant([12.0], tf.float64)])
    assert float(norm_l2(value)) == 13.0
    assert float(norm_l2(())) == 0.0
    assert float(norm_l2(tf.constant([3e20, 4e20]))) == pytest.approx(5e20)
    assert float(norm_l2(tf.constant(-(2**31), tf.int32))) == 2.0**31


@pytest.mark.parametrize("num_clients", [1, 2, 3, 4, 10, 101])
def test_quartiles_are_numpys(num_clients):
    norms = np.random.default_rng(num_clients).exponential(size=num_clients).astype(np.float32)
    description = describe_norms(tf.constant(norms))
    given = [float(description[name]) for name in STATISTICS]
    np.testing.assert_allclose(given, np.quantile(norms, [0, 0.25, 0.5, 0.75, 1]), rtol=1e-5)
    assert float(description["norm_mean"]) == pytest.approx(norms.mean(), rel=1e-5)
    assert int(description["num_clients"]) == num_clients


def test_a_round_reports_what_the_function_says():
    clients = np.random.default_rng(5).normal(size=(5, 3)).astype(np.float32)
    output = run(ClientNormsFactory(), (np.float32, (3,)), list(clients))[0]
    np.testing.assert_allclose(output.result, clients.sum(axis=0), rtol=1e-6)
    norms = np.linalg.norm(clients, axis=1)
    given = [output.measurements[name] for name in STATISTICS]
    np.testing.assert_allclose(given, np.quantile(norms, [0, 0.25, 0.5, 0.75, 1]), rtol=1e-6)


def test_norms_that_are_not_finite_are_counted_and_left_out():
    measurements = run(ClientNormsFactory(), np.float32, [3.0, NAN, -5.0, INF])[0].measurements
    assert (measurements["num_clients"], measurements["num_not_finite"]) == (4, 2)
    assert [measurements[name] for name in STATISTICS] == [3.0, 3.5, 4.0, 4.5, 5.0]
    assert measurements["norm_mean"] == 4.0


@pytest.mark.parametrize(("clients", "num_not_finite"), [([], 0), ([NAN, INF], 2)])
def test_without_finite_norms_there_is_no_distribution(clients, num_not_finite):
    measurements = run(ClientNormsFactory(), np.float32, clients)[0].measurements
    assert measurements["num_clients"] == len(clients)
    assert measurements["num_not_finite"] == num_not_finite
    assert np.isnan([measurements[name] for name in [*STATISTICS, "norm_mean"]]).all()


def test_one_client_is_the_whole_distribution():
    output = run(ClientNormsFactory(), np.int32, [-6])[0]
    assert (output.result, output.result.dtype) == (-6, np.int32)
    assert [output.measurements[name] for name in STATISTICS] == [6.0] * 5


def test_an_empty_structure_has_norm_0():
    output = run(ClientNormsFactory(), (), [(), ()])[0]
    assert output.result == ()
    assert (output.measurements["num_clients"], output.measurements["norm_max"]) == (2, 0.0)


@pytest.mark.parametrize(
    ("factory", "weights", "totals"),
    [(OddFactory(), (), [6.0, 6.0]), (WeightedOddFactory(), ([1.0, 10.0],), [42.0, 42.0])],
)
def test_what_an_odd_factory_inside_does_comes_out(factory, weights, totals):
    outputs = run(ClientNormsFactory(factory), np.float32, [2.0, 4.0], *weights, num_rounds=2)
    assert [output.result for output in outputs] == [totals[0] + 7, totals[1] + 10]
    assert [output.measurements["client_norms"]["odd_state"] for output in outputs] == [b"7", b"10"]
    assert [output.measurements["norm_mean"] for output in outputs] == [3.0, 3.0]  # before weights
    assert [output.state for output in outputs] == [10, 13]


def test_it_measures_what_comes_in_and_what_goes_on():
    """Around and inside a compression: all of it, and what is left of it."""
    factory = ClientNormsFactory(TopKFactory(ClientNormsFactory(), upload_fraction=0.5, download_fraction=1))
    measurements = run(factory, (np.float32, (2,)), [[3.0, 4.0], [-4.0, 3.0]])[0].measurements
    assert measurements["norm_max"] == 5.0
    assert measurements["client_norms"]["top_k"]["norm_max"] == 4.0


def test_type_signatures():
    assert signatures(
        ClientNormsFactory(tff.aggregators.MeanFactory()), [(np.float32, (2,))], np.float32
    ) == (
        "( -> <value_sum_process=<>,weight_sum_process=<>>@SERVER)",
        "(<state=<value_sum_process=<>,weight_sum_process=<>>@SERVER,value={<float32[2]>}@CLIENTS,"
        "weight={float32}@CLIENTS> -> <state=<value_sum_process=<>,weight_sum_process=<>>@SERVER,"
        "result=<float32[2]>@SERVER,measurements=<num_clients=int32,num_not_finite=int32,norm_min=float32,"
        "norm_lower_quartile=float32,norm_median=float32,norm_upper_quartile=float32,norm_max=float32,"
        "norm_mean=float32,client_norms=<mean_value=<>,mean_weight=<>>>@SERVER>)",
    )
    _, unweighted = signatures(ClientNormsFactory(), collections.OrderedDict(a=np.int32))
    assert unweighted.startswith("(<state=<>@SERVER,value={<a=int32>}@CLIENTS> -> <state=<>@SERVER,")
