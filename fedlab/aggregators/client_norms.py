"""Reports how large the clients' updates were: the distribution of their norms, round by round."""

import collections

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

from fedlab.aggregators.coordinate_blocks import sum_blocks
from fedlab.aggregators.stack import StackFactory
from fedlab.aggregators.value_types import check_numbers
from fedlab.aggregators.wrapper import WrapperFactory, next_computation

_QUANTILES = {"min": 0.0, "lower_quartile": 0.25, "median": 0.5, "upper_quartile": 0.75, "max": 1.0}


def sum_of_squares(value):
    """Adds up the squares of all numbers of a structure; a float64 scalar, 0 for an empty one.

    In float64, for squares overflow early: a float32 of 1e20 has a norm, and its square would have none.
    """
    squares = [_sum_block_by_block(tensor) for tensor in tf.nest.flatten(value)]
    return tf.add_n([tf.zeros([], tf.float64), *squares])


def _sum_block_by_block(tensor):
    # All in float64 would be two copies of twice the size.
    size = tensor.shape.num_elements()
    flat = tf.reshape(tensor, [size])

    def of_block(start, block_size):
        return sum_squares_of_block(tf.slice(flat, [start], [block_size]))

    return sum_blocks(of_block, size, tf.zeros([], tf.float64))


def sum_squares_of_block(block):
    """Adds up the squares of some thousand numbers; a float64 scalar."""
    return 2 * tf.nn.l2_loss(tf.cast(block, tf.float64))


def norm_l2(value):
    """Takes the Euclidean norm over all numbers of a structure; a float32 scalar, 0 for an empty one."""
    return tf.cast(tf.sqrt(sum_of_squares(value)), tf.float32)


def describe_norms(norms):
    """Describes the distribution of norms.

    [3., 5., inf] -> num_clients 2 + 1 not finite; min 3, median 4, max 5, mean 4 of the finite ones.

    Args:
      norms: float32 of shape [clients].

    Returns:
      OrderedDict of scalars: num_clients and num_not_finite, int32, the rest float32; NaN where no norm is
      finite. Quartiles between two norms are interpolated linearly.
    """
    finite = tf.sort(tf.boolean_mask(norms, tf.math.is_finite(norms)))
    description = collections.OrderedDict(
        num_clients=tf.size(norms), num_not_finite=tf.size(norms) - tf.size(finite)
    )
    for name, fraction in _QUANTILES.items():
        description[f"norm_{name}"] = _quantile(finite, fraction)
    description["norm_mean"] = tf.reduce_mean(finite)
    return description


def _quantile(ordered, fraction):
    place = fraction * tf.cast(tf.maximum(tf.size(ordered) - 1, 0), tf.float32)
    below, above = tf.cast(tf.floor(place), tf.int32), tf.cast(tf.math.ceil(place), tf.int32)
    # One more at the end, so that there is something to take where there are none.
    ordered = tf.concat([ordered, [float("nan")]], axis=0)
    return ordered[below] + (place - tf.floor(place)) * (ordered[above] - ordered[below])


def add_description(description, inner_measurements):
    """Puts the inner measurements beside the description."""
    return collections.OrderedDict(**description, client_norms=inner_measurements)


class ClientNormsFactory(WrapperFactory):
    """Measures the norms of the clients' values on their way into another factory.

    It changes nothing: state and result are the inner factory's, and so is whether it is weighted. The
    norms are of the values themselves, before weights. Update norms tell where to clip, who diverged and
    whether training slows down.

    NaN and infinite norms are counted and left out of the rest; no clients, or none finite, give NaN.
    Integers are measured as numbers; an empty structure has norm 0.

    Privacy: one number of every client, its norm, reaches the server by itself. Where that is too much,
    `tff.aggregators.PrivateQuantileEstimationProcess` estimates a quantile from noisy counts.

    Measurements:
      num_clients, num_not_finite: of the cohort; of those, with NaN or an infinite value.
      norm_min, norm_lower_quartile, norm_median, norm_upper_quartile, norm_max, norm_mean: of the finite
        norms.
      client_norms: the inner factory's measurements.
    """

    def create(self, value_type, *weight_type):
        """Makes the aggregation process for values of a type: integers and floats, in any structure."""
        value_type = check_numbers(value_type, self)
        inner_process = self.inner_factory.create(value_type, *weight_type)
        norms_process = StackFactory().create(tff.TensorType(np.float32))

        def next_fn(state, value, *weight):
            # At the clients.
            norms = tff.federated_map(tff.tensorflow.computation(norm_l2), value)

            # Inner aggregation.
            no_state = tff.federated_value((), tff.SERVER)
            all_norms = norms_process.next(no_state, norms).result
            inner = inner_process.next(state, value, *weight)

            # At the server.
            description = tff.federated_map(tff.tensorflow.computation(describe_norms), all_norms)

            # Output.
            measurements = tff.federated_map(
                tff.tensorflow.computation(add_description), (description, inner.measurements)
            )
            return tff.templates.MeasuredProcessOutput(inner.state, inner.result, measurements)

        return tff.templates.AggregationProcess(
            inner_process.initialize,
            next_computation(next_fn, inner_process.state_type, value_type, weight_type),
        )
