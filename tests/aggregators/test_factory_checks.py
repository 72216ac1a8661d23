"""Which factories federated averaging takes, and what is said of the others."""

import numpy as np
import pytest
import tensorflow_federated as tff

from fedlab.aggregators import (
    ClientNormsFactory,
    CoordinateMedianFactory,
    ScaledSumFactory,
    TopKFactory,
    TrimmedMeanFactory,
    for_fed_avg,
)

Weighted = tff.aggregators.WeightedAggregationFactory
Unweighted = tff.aggregators.UnweightedAggregationFactory


def test_matching_factories_are_handed_on():
    weighted, unweighted = ClientNormsFactory(tff.aggregators.MeanFactory()), CoordinateMedianFactory()
    assert for_fed_avg(weighted) is weighted
    assert for_fed_avg(unweighted, weighted=False) is unweighted


def test_an_unweighted_factory_goes_on_without_the_weights():
    factory = for_fed_avg(CoordinateMedianFactory())
    assert isinstance(factory, Weighted)
    process = factory.create(tff.TensorType(np.float32), tff.TensorType(np.float32))
    output = process.next(process.initialize(), [1.0, 2.0, 9.0], [1.0, 1.0, 1e6])
    assert output.result == 2.0


def test_a_weighted_factory_for_an_unweighted_algorithm_is_refused_with_the_way_out():
    with pytest.raises(TypeError, match="MeanFactory wants a weight.*build_weighted_fed_avg.*UnweightedMean"):
        for_fed_avg(tff.aggregators.MeanFactory(), weighted=False)


@pytest.mark.parametrize(
    ("factory", "name"),
    [
        (tff.aggregators.SumFactory(), "SumFactory"),
        (tff.aggregators.SecureSumFactory(1.0), "SecureSumFactory"),
        (ScaledSumFactory(), "ScaledSumFactory, around SumFactory,"),
        (TopKFactory(ClientNormsFactory()), "TopKFactory, around SumFactory,"),
    ],
)
@pytest.mark.parametrize(("weighted", "mean"), [(True, "MeanFactory"), (False, "UnweightedMeanFactory")])
def test_sums_are_refused_with_the_way_out(factory, name, weighted, mean):
    with pytest.raises(
        TypeError, match=rf"^{name} adds .* tff\.aggregators\.{mean}\(value_sum_factory="
    ) as error:
        for_fed_avg(factory, weighted)
    assert "number of clients" in str(error.value)


@pytest.mark.parametrize(
    "factory",
    [
        ScaledSumFactory(tff.aggregators.UnweightedMeanFactory()),
        TopKFactory(tff.aggregators.MeanFactory()),
        tff.aggregators.MeanFactory(value_sum_factory=TopKFactory()),
        TrimmedMeanFactory(),
    ],
)
def test_averages_are_no_sums(factory):
    assert isinstance(for_fed_avg(factory), Weighted)


def test_what_is_no_factory_is_refused():
    with pytest.raises(TypeError, match=r"write CoordinateMedianFactory\(\)"):
        for_fed_avg(CoordinateMedianFactory)
    with pytest.raises(TypeError, match="not None"):
        for_fed_avg(None)


def test_weighted_factories_inside_a_sum_are_refused():
    with pytest.raises(
        TypeError, match=r"ScaledSumFactory has no weights to give to inner_factory=MeanFactory"
    ):
        ScaledSumFactory(tff.aggregators.MeanFactory())
