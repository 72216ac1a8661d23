"""Every factory in federated averaging: one round of a linear model, against NumPy."""

import collections

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff

from fedlab.aggregators import (
    ClientNormsFactory,
    CoordinateMedianFactory,
    ScaledSumFactory,
    TopKFactory,
    TrimmedMeanFactory,
    for_fed_avg,
)

RATE = 0.1
# A step of gradient descent on mean((weight * 1 - y)²), from weight 0, moves it by 2 * RATE * mean(y).
TARGETS = [[1.0, 1.0, 1.0, 1.0], [2.0, 2.0], [9.0]]
UPDATES = [2 * RATE * np.mean(targets) for targets in TARGETS]
NUM_EXAMPLES = [len(targets) for targets in TARGETS]


def model_fn():
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.build([None, 1])
    spec = (tf.TensorSpec([None, 1]), tf.TensorSpec([None, 1]))
    return tff.learning.models.from_keras_model(
        model, loss=tf.keras.losses.MeanSquaredError(), input_spec=spec
    )


def client_data():
    return [
        tf.data.Dataset.from_tensors((np.ones([len(y), 1], np.float32), np.float32(y)[:, None]))
        for y in TARGETS
    ]


def one_round(build, factory):
    process = build(
        model_fn,
        client_optimizer_fn=tff.learning.optimizers.build_sgdm(RATE),
        model_aggregator=factory,
    )
    output = process.next(process.initialize(), client_data())
    [kernel] = process.get_model_weights(output.state).trainable
    return kernel.item(), output.metrics["aggregator"]


Mean, UnweightedMean = tff.aggregators.MeanFactory, tff.aggregators.UnweightedMeanFactory
WEIGHTED_MEAN = np.average(UPDATES, weights=NUM_EXAMPLES)


@pytest.mark.parametrize(
    ("factory", "expected"),
    [
        (CoordinateMedianFactory(), np.median(UPDATES)),
        (TrimmedMeanFactory(0.34), np.median(UPDATES)),
        (ClientNormsFactory(Mean()), WEIGHTED_MEAN),
        (TopKFactory(Mean()), WEIGHTED_MEAN),
        (Mean(value_sum_factory=ScaledSumFactory()), WEIGHTED_MEAN),
        (
            tff.aggregators.clipping_factory(0.5, ClientNormsFactory(Mean())),
            np.average(np.minimum(UPDATES, 0.5), weights=NUM_EXAMPLES),
        ),
    ],
)
def test_weighted_federated_averaging(factory, expected):
    kernel, _ = one_round(tff.learning.algorithms.build_weighted_fed_avg, for_fed_avg(factory))
    assert kernel == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("factory", "expected"),
    [
        (CoordinateMedianFactory(), np.median(UPDATES)),
        (TrimmedMeanFactory(0.34), np.median(UPDATES)),
        (ClientNormsFactory(UnweightedMean()), np.mean(UPDATES)),
        (TopKFactory(UnweightedMean()), np.mean(UPDATES)),
        (ScaledSumFactory(UnweightedMean()), np.mean(UPDATES)),
    ],
)
def test_unweighted_federated_averaging(factory, expected):
    kernel, _ = one_round(
        tff.learning.algorithms.build_unweighted_fed_avg, for_fed_avg(factory, weighted=False)
    )
    assert kernel == pytest.approx(expected, rel=1e-5)


def test_measurements_are_among_the_metrics_of_the_round():
    factory = for_fed_avg(ClientNormsFactory(Mean()))
    _, measurements = one_round(tff.learning.algorithms.build_weighted_fed_avg, factory)
    assert isinstance(measurements, collections.OrderedDict)
    assert measurements["norm_median"] == pytest.approx(np.median(UPDATES), rel=1e-5)
