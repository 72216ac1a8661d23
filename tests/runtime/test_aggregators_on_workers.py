"""Every aggregator gives on TFF's workers, on one and on two that share a cohort, what it gives here."""

import collections

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff
from runtime_workers import needs_worker
from tensorflow_federated.python.core.impl.context_stack import context_stack_impl

from fedlab.aggregators import (
    ClientNormsFactory,
    CoordinateMedianFactory,
    ScaledSumFactory,
    TopKFactory,
    TrimmedMeanFactory,
    statistic_process,
)
from fedlab.runtime import tff_workers, worker_process

pytestmark = [needs_worker, pytest.mark.slow]

VALUE_TYPE = tff.to_type(collections.OrderedDict(kernel=(np.float32, (3,)), bias=[np.float64]))
CASES = {
    "scaled sum": (ScaledSumFactory(), []),
    "median": (CoordinateMedianFactory(), []),
    "trimmed mean": (TrimmedMeanFactory(0.3), []),
    "norms": (ClientNormsFactory(tff.aggregators.MeanFactory()), [1.0, 2.0, 3.0, 4.0, 5.0]),
    "top k": (TopKFactory(upload_fraction=0.5, download_fraction=0.3), []),
}


@pytest.fixture(scope="module")
def two_workers_context(worker_context):
    """Two workers that share every cohort."""
    binary = worker_process.find_binary()
    started = [
        worker_process.WorkerProcess(binary, deadline_s=120, reachable_from_network=True) for _ in range(2)
    ]
    yield tff_workers.RemoteWorkersContext(
        [worker.target for worker in started], on_lost="raise", connect_s=60, default_num_clients=0
    )
    for worker in started:
        worker.stop()


def clients(count):
    """Values with a NaN and an infinite number among them."""
    generator = np.random.default_rng(3)
    values = [
        collections.OrderedDict(kernel=generator.normal(size=3).astype(np.float32), bias=[generator.normal()])
        for _ in range(count)
    ]
    for value in values[2:3]:
        value["kernel"][:2] = np.nan, np.inf
    return values


def two_rounds(process, *arguments):
    first = process.next(process.initialize(), *arguments)
    return first, process.next(first.state, *arguments)


@pytest.mark.parametrize("count", [0, 1, 5])
@pytest.mark.parametrize("name", CASES)
def test_aggregators_are_the_same_on_workers(worker_context, two_workers_context, in_process, name, count):
    factory, weights = CASES[name]
    process = factory.create(VALUE_TYPE, *[tff.TensorType(np.float32)] * bool(weights))
    arguments = [clients(count), weights[:count]][: 1 + bool(weights)]
    expected = two_rounds(process, *arguments)
    for context in (worker_context, two_workers_context):
        with context_stack_impl.context_stack.install(context):
            assert_close(two_rounds(process, *arguments), expected)


def test_values_that_are_not_stacked_are_the_same_on_workers(
    monkeypatch, worker_context, two_workers_context, in_process
):
    monkeypatch.setattr(statistic_process, "LARGE_BYTES", 0)
    test_aggregators_are_the_same_on_workers(worker_context, two_workers_context, in_process, "median", 5)
    test_aggregators_are_the_same_on_workers(worker_context, two_workers_context, in_process, "median", 0)


def assert_close(actual, expected):
    tf.nest.assert_same_structure(actual, expected)
    for one, other in zip(tf.nest.flatten(actual), tf.nest.flatten(expected), strict=True):
        # To rounding: sums of two workers' sums are not rounded as one sum is.
        np.testing.assert_allclose(one, other, rtol=1e-5)
