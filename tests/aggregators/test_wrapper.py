"""Factories around others are weighted if those are."""

import numpy as np
import pytest
import tensorflow_federated as tff

from fedlab.aggregators import ClientNormsFactory, TopKFactory
from fedlab.aggregators.wrapper import WrapperFactory

Weighted = tff.aggregators.WeightedAggregationFactory
Unweighted = tff.aggregators.UnweightedAggregationFactory


@pytest.mark.parametrize("wrapper", [ClientNormsFactory, TopKFactory])
def test_weightedness_is_taken_from_inside(wrapper):
    weighted = wrapper(tff.aggregators.MeanFactory())
    unweighted = wrapper(inner_factory=tff.aggregators.UnweightedMeanFactory())
    assert isinstance(weighted, Weighted) and not isinstance(weighted, Unweighted)
    assert isinstance(unweighted, Unweighted) and not isinstance(unweighted, Weighted)
    assert isinstance(wrapper(), Unweighted)
    assert isinstance(wrapper(wrapper(tff.aggregators.MeanFactory())), Weighted)


@pytest.mark.parametrize("wrapper", [ClientNormsFactory, TopKFactory])
def test_all_are_of_the_class_and_bear_its_name(wrapper):
    for inner_factory in (tff.aggregators.MeanFactory(), None):
        factory = wrapper(inner_factory)
        assert isinstance(factory, wrapper) and isinstance(factory, WrapperFactory)
        assert type(factory).__name__ == wrapper.__name__
        assert type(factory).__doc__ == wrapper.__doc__


def test_what_is_inside_must_be_a_factory():
    with pytest.raises(TypeError, match=r"MeanFactory is its class: write MeanFactory\(\)"):
        ClientNormsFactory(tff.aggregators.MeanFactory)
    process = tff.aggregators.SumFactory().create(tff.TensorType(np.float32))
    with pytest.raises(TypeError, match="not the process"):
        TopKFactory(process)
    with pytest.raises(TypeError, match=r"such as tff.aggregators.MeanFactory\(\), not 0.1"):
        TopKFactory(0.1)
