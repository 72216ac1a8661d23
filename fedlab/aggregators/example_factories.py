"""Factories to explore: one for each idea, with settings that show it on values of about 1 to 10."""

import tensorflow_federated as tff

from fedlab.aggregators.coordinate_median import CoordinateMedianFactory
from fedlab.aggregators.scaled_sum import ScaledSumFactory
from fedlab.aggregators.top_k import TopKFactory
from fedlab.aggregators.trimmed_mean import TrimmedMeanFactory

_aggregators = tff.aggregators


def mean():
    """The weighted mean: the sum of value times weight, divided by the sum of the weights."""
    return _aggregators.MeanFactory()


def clipped_mean():
    """Values whose norm is above 3 are shortened to 3 at their client; then the weighted mean."""
    return _aggregators.clipping_factory(3.0, _aggregators.MeanFactory())


def adaptively_clipped_mean():
    """Clips at a norm that goes from round to round towards the clients' median: watch the state."""
    median_norm = _aggregators.PrivateQuantileEstimationProcess.no_noise(
        initial_estimate=1.0, target_quantile=0.5, learning_rate=1.0
    )
    return _aggregators.clipping_factory(median_norm, _aggregators.MeanFactory())


def zeroed_mean():
    """A value with a number above 5 or below -5 becomes 0 at its client, and still counts in the mean."""
    return _aggregators.zeroing_factory(5.0, _aggregators.MeanFactory())


def plain_sum():
    """The sum, and nothing else."""
    return _aggregators.SumFactory()


def scaled_sum():
    """The sum of notebook 06: scaled at the clients, unscaled at the server by the number of the round."""
    return ScaledSumFactory()


def secure_sum():
    """Clips to -8 to 8, makes whole numbers of a fine grid, and sums these. Secrecy is simulated."""
    return _aggregators.SecureSumFactory(upper_bound_threshold=8.0)


def median():
    """The median of each number: one client cannot pull it far, and the server sees every value."""
    return CoordinateMedianFactory()


def trimmed_mean():
    """The mean of each number without the largest and the smallest third."""
    return TrimmedMeanFactory(0.34)


def top_half():
    """Of each tensor only the larger half of the numbers travels; the server sends the rest later."""
    return TopKFactory(_aggregators.MeanFactory(), upload_fraction=0.5, download_fraction=0.5)


def noised_mean():
    """Differential privacy: norms clipped to 1, noise on the sum, divided by 3 clients, whoever comes."""
    return _aggregators.DifferentiallyPrivateFactory.gaussian_fixed(
        noise_multiplier=0.5, clients_per_round=3, clip=1.0
    )


FACTORIES = {
    "mean": mean,
    "mean, clipped at 3": clipped_mean,
    "mean, clipped adaptively": adaptively_clipped_mean,
    "mean, zeroed above 5": zeroed_mean,
    "median": median,
    "trimmed mean": trimmed_mean,
    "sum": plain_sum,
    "scaled sum": scaled_sum,
    "secure sum (simulated)": secure_sum,
    "top half, with a residual": top_half,
    "mean with noise (differential privacy)": noised_mean,
}
