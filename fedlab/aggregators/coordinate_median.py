"""Coordinate-wise median of client updates (Yin et al. 2018, arXiv:1803.01498, definition 1)."""

import tensorflow as tf
import tensorflow_federated as tff

from fedlab.aggregators.factory_checks import check_unweighted
from fedlab.aggregators.order_statistic import statistic_of_stack
from fedlab.aggregators.sorting_network import value_of_rank
from fedlab.aggregators.stack import StackFactory
from fedlab.aggregators.statistic_process import make_statistic_process
from fedlab.aggregators.value_types import check_numbers


def median_of_clients(stack):
    """Takes the median over clients of every coordinate, in each tensor of a structure.

    Args:
      stack: structure of tensors of shape [clients, ...].

    Returns:
      Structure of tensors of shape [...], of the same dtypes.
    """
    return statistic_of_stack(median_of_ordered, stack)[0]


def median_of_ordered(ordered: tf.TensorArray, num_values: tf.Tensor, zeros: tf.Tensor) -> tf.Tensor:
    """Takes the median of rows in order; for the arguments see `statistic_of_stack`."""
    lower = value_of_rank(ordered, tf.maximum(num_values - 1, 0) // 2, zeros)
    upper = value_of_rank(ordered, num_values // 2, zeros)
    return _middle(lower, upper)


def _middle(lower, upper):
    if not lower.dtype.is_floating:
        return lower
    # Halved before they are added: the sum of two large floats may be infinite. But not a number by
    # itself, half of which may be too small for its dtype. (`==` of tensors compares Python objects in the
    # graphs that TFF builds, hence tf.equal.)
    return tf.where(tf.equal(lower, upper), lower, lower / 2 + upper / 2)


class CoordinateMedianFactory(tff.aggregators.UnweightedAggregationFactory):
    """Takes the median of the clients' values, each coordinate by itself.

    As long as fewer than half of the clients are faulty, every coordinate of the result lies within the
    values of the others, whatever the faulty ones send; a mean follows a single one anywhere.

    Of an even number of values it is the mean of the two in the middle; for integers the lower of the
    two, so that the dtype stays. NaN is left out, and a coordinate that is NaN at every client stays NaN.
    Infinite values are the largest or smallest. No clients give 0.

    There is no weighted median here: a weight is what a client says of itself, and one liar with a large
    weight would be the majority. `for_fed_avg` puts it into weighted algorithms; it ignores the weights.

    Privacy: the server sees the values of each client by itself (see `StackFactory`). Secure aggregation
    and robustness against single clients are at odds: what cannot be seen cannot be outvoted.

    State: the inner factory's.

    Measurements:
      num_nan: how many numbers were NaN, of all clients.
      coordinate_median: the inner factory's measurements.
    """

    def __init__(self, inner_factory=None):
        """Makes the factory.

        Args:
          inner_factory: unweighted factory that brings the values to the server, one below the other;
            default `StackFactory()`. `tff.aggregators.UnweightedReservoirSamplingFactory(100)` takes a random
            100 of a large cohort.

        Raises:
          TypeError: inner_factory is not an unweighted factory.
        """
        self.inner_factory = StackFactory() if inner_factory is None else inner_factory
        check_unweighted(self.inner_factory, "inner_factory", self)

    def create(self, value_type):
        """Makes the aggregation process for values of a type: integers and floats, in any structure."""
        value_type = check_numbers(value_type, self)
        return make_statistic_process(self, value_type, median_of_ordered, "coordinate_median")
