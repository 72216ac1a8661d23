"""Coordinate-wise trimmed mean of client updates (Yin et al. 2018, arXiv:1803.01498, definition 2)."""

import functools
import numbers

import tensorflow as tf
import tensorflow_federated as tff

from fedlab.aggregators.factory_checks import check_unweighted
from fedlab.aggregators.order_statistic import statistic_of_stack
from fedlab.aggregators.stack import StackFactory
from fedlab.aggregators.statistic_process import make_statistic_process
from fedlab.aggregators.value_types import check_floats


def trimmed_mean_of_clients(stack, trim_fraction):
    """Takes the mean over clients of every coordinate, without the smallest and the largest values.

    Trimming 0.25 of [1., 2., 4., 900.] on either side leaves 2. and 4.: 3.

    Args:
      stack: structure of float tensors of shape [clients, ...].
      trim_fraction: how much to leave out on either side, as a fraction of the values; rounded down to
        whole values.

    Returns:
      Structure of tensors of shape [...], of the same dtypes.
    """
    return statistic_of_stack(functools.partial(trimmed_mean_of_ordered, trim_fraction=trim_fraction), stack)[
        0
    ]


def trimmed_mean_of_ordered(
    ordered: tf.TensorArray, num_values: tf.Tensor, zeros: tf.Tensor, trim_fraction: float
) -> tf.Tensor:
    """Takes the trimmed mean of rows in order; for the arguments see `statistic_of_stack`."""
    first = _count_trimmed(num_values, trim_fraction)
    end = num_values - first

    def add(rank, total):
        # Selected, not multiplied by 0: an infinite value that is trimmed would leave NaN.
        kept = tf.where((rank >= first) & (rank < end), ordered.read(rank), zeros)
        return rank + 1, total + tf.cast(kept, tf.float64)

    # In float64: of a thousand values, a sum in float32 would lose digits.
    _, total = tf.while_loop(
        lambda rank, _: rank < tf.reduce_max(end),
        add,
        (tf.reduce_min(first), tf.cast(zeros, tf.float64)),
        parallel_iterations=1,
    )
    return tf.cast(total / tf.cast(tf.maximum(end - first, 1), tf.float64), zeros.dtype)


def _count_trimmed(num_values, trim_fraction):
    # A tenth of ten values is one, also where 0.1 * 10 comes out a little below.
    return tf.cast(tf.floor(tf.cast(num_values, tf.float64) * trim_fraction + 1e-9), tf.int32)


class TrimmedMeanFactory(tff.aggregators.UnweightedAggregationFactory):
    """Takes the mean of the clients' values without the extremes, each coordinate by itself.

    With `trim_fraction` above the fraction of faulty clients, every coordinate of the result lies within
    the values of the others; of honest clients it loses less than a median. 0 is the plain mean.

    NaN is left out before trimming, and a coordinate that is NaN at every client stays NaN. Infinite values
    are trimmed first; one that is left makes the result infinite, and NaN if both signs are left. No
    clients give 0. Integers are refused, as by TFF's means. It is unweighted, for the reason that
    `CoordinateMedianFactory` gives.

    Privacy: the server sees the values of each client by itself (see `StackFactory`).

    State: the inner factory's.

    Measurements:
      num_nan: how many numbers were NaN, of all clients.
      trimmed_mean: the inner factory's measurements.
    """

    def __init__(self, trim_fraction=0.1, inner_factory=None):
        """Makes the factory.

        Args:
          trim_fraction: fraction of the values to leave out on either side, from 0 to below 0.5. Whole
            values are left out: 0.1 of 9 clients is none.
          inner_factory: unweighted factory that brings the values to the server, one below the other; see
            `CoordinateMedianFactory`.

        Raises:
          TypeError: inner_factory is not an unweighted factory; trim_fraction is not a number.
          ValueError: trim_fraction is out of range.
        """
        self.trim_fraction = _check_fraction(trim_fraction)
        self.inner_factory = StackFactory() if inner_factory is None else inner_factory
        check_unweighted(self.inner_factory, "inner_factory", self)

    def create(self, value_type):
        """Makes the aggregation process for values of a type: floats, in any structure."""
        value_type = check_floats(value_type, self)
        statistic = functools.partial(trimmed_mean_of_ordered, trim_fraction=self.trim_fraction)
        return make_statistic_process(self, value_type, statistic, "trimmed_mean")


def _check_fraction(trim_fraction):
    if not isinstance(trim_fraction, numbers.Real):
        raise TypeError(f"trim_fraction={trim_fraction!r}: give a number, such as 0.1.")
    if not 0 <= trim_fraction < 0.5:
        raise ValueError(
            f"trim_fraction={trim_fraction!r}: give a number from 0 to below 0.5; at 0.5 nothing is left of "
            "the values, and the median is CoordinateMedianFactory."
        )
    return float(trim_fraction)
