"""Large values are aggregated as small ones are, without being stacked."""

import collections

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff
from odd_aggregation import run

from fedlab.aggregators import CoordinateMedianFactory, TrimmedMeanFactory, stack_statistic

VALUE_TYPE = tff.to_type(collections.OrderedDict(kernel=(np.float32, (2, 3)), bias=[np.float64]))


def clients(count):
    generator = np.random.default_rng(count)
    values = [
        collections.OrderedDict(
            kernel=generator.normal(size=(2, 3)).astype(np.float32), bias=[generator.normal()]
        )
        for _ in range(count)
    ]
    for value in values[1:2]:
        value["kernel"][0] = np.nan, np.inf, -np.inf
    return values


@pytest.mark.parametrize("count", [0, 1, 2, 5])
@pytest.mark.parametrize("factory", [CoordinateMedianFactory(), TrimmedMeanFactory(0.3)])
def test_collected_values_give_what_stacked_ones_give(monkeypatch, factory, count):
    stacked = run(factory, VALUE_TYPE, clients(count))[0]
    monkeypatch.setattr(stack_statistic, "LARGE_BYTES", 0)
    monkeypatch.setattr("fedlab.aggregators.stack.append", None)  # nothing is stacked from here on
    collected = run(factory, VALUE_TYPE, clients(count))[0]
    tf.nest.assert_same_structure(collected, stacked)
    for one, other in zip(tf.nest.flatten(collected), tf.nest.flatten(stacked), strict=True):
        np.testing.assert_array_equal(one, other)
