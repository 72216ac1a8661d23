"""Large values are aggregated as small ones are, without being stacked."""

import collections

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff
from odd_aggregation import run

from fedlab.aggregators import CoordinateMedianFactory, TrimmedMeanFactory, statistic_process
from fedlab.aggregators.value_types import count_bytes_of

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
    monkeypatch.setattr(statistic_process, "LARGE_BYTES", 0)
    monkeypatch.setattr("fedlab.aggregators.stack.append", None)  # nothing is stacked from here on
    collected = run(factory, VALUE_TYPE, clients(count))[0]
    tf.nest.assert_same_structure(collected, stacked)
    for one, other in zip(tf.nest.flatten(collected), tf.nest.flatten(stacked), strict=True):
        np.testing.assert_array_equal(one, other)


def numpys_median(values):
    return np.nanmedian(values, axis=0)


def numpys_trimmed_mean(values):
    """Without one of five values on either side; NaN stands at the end, infinite values before it."""
    counts = np.sum(~np.isnan(values), axis=0)
    trimmed = (counts * 0.3).astype(int)
    rank = np.arange(len(values)).reshape(-1, *[1] * (values.ndim - 1))
    kept = (rank >= trimmed) & (rank < counts - trimmed)
    return np.mean(np.sort(values, axis=0), axis=0, where=kept, dtype=np.float64)


@pytest.mark.parametrize(
    ("factory", "oracle"),
    [(CoordinateMedianFactory(), numpys_median), (TrimmedMeanFactory(0.3), numpys_trimmed_mean)],
)
def test_large_values_give_what_numpy_gives(factory, oracle):
    shapes = (300, 600), (600,), (2, 3, 20_000)
    generator = np.random.default_rng(3)
    values = [tuple(generator.normal(size=shape).astype(np.float32) for shape in shapes) for _ in range(5)]
    values[2][0][:, ::7] = np.nan
    values[4][2][1, :] = np.inf
    value_type = tff.to_type([(np.float32, shape) for shape in shapes])
    assert count_bytes_of(value_type) >= statistic_process.LARGE_BYTES
    output = run(factory, value_type, values)[0]
    for found, of_clients in zip(output.result, zip(*values, strict=True), strict=True):
        np.testing.assert_allclose(found, oracle(np.stack(of_clients)), rtol=1e-5)
    assert output.measurements["num_nan"] == np.isnan(values[2][0]).sum()
