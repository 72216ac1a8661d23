"""Optimizers and aggregators by name, with the rate to try first: what a simulation offers.

The adaptive server optimizers have the settings that the small Dickens model wants (notebook 04).
"""

import functools

import tensorflow_federated as tff

from fedlab.aggregators import CoordinateMedianFactory, TopKFactory, TrimmedMeanFactory
from fedlab.training.proximal_optimizer import build_proximal

_sgd, _adam, _yogi = (
    tff.learning.optimizers.build_sgdm,
    tff.learning.optimizers.build_adam,
    tff.learning.optimizers.build_yogi,
)
# Adaptive steps at the server: as small as a weight's change, with an epsilon that is not tiny.
_ADAPTIVE = dict(beta_2=0.99, epsilon=0.001)
PROXIMAL_STRENGTH = 0.3


def _fed_prox(rate):
    return build_proximal(_sgd(rate), PROXIMAL_STRENGTH)


# Name -> (learning rate to try first, function from a rate to a tff.learning.optimizers.Optimizer).
CLIENT_OPTIMIZERS = {
    "SGD": (0.3, _sgd),
    "SGD, momentum 0.9": (0.03, functools.partial(_sgd, momentum=0.9)),
    "Adam": (0.001, _adam),
    f"FedProx {PROXIMAL_STRENGTH} (SGD)": (0.3, _fed_prox),
}
SERVER_OPTIMIZERS = {
    "SGD": (1.0, _sgd),
    "SGD, momentum 0.5": (1.0, functools.partial(_sgd, momentum=0.5)),
    "Adam": (0.01, functools.partial(_adam, **_ADAPTIVE)),
    "Yogi": (0.01, functools.partial(_yogi, **_ADAPTIVE)),
}
# Name -> function without arguments that makes a factory, for `fedlab.aggregators.for_fed_avg`.
AGGREGATORS = {
    "mean": tff.aggregators.MeanFactory,
    "mean, clipped": functools.partial(tff.learning.robust_aggregator, zeroing=False),
    "mean, clipped, zeroed": tff.learning.robust_aggregator,
    "mean, 10% sent": lambda: TopKFactory(tff.aggregators.MeanFactory()),
    "median": CoordinateMedianFactory,
    "trimmed mean": functools.partial(TrimmedMeanFactory, 0.25),
}


def choose(kind, choices, name):
    """Takes one of the choices by name.

    Raises:
      ValueError: there is none of this name; lists those that there are.
    """
    if name not in choices:
        raise ValueError(f"{kind}={name!r}: choose from {', '.join(map(repr, choices))}.")
    return choices[name]
