"""A sum that is scaled at the clients and unscaled at the server: the example of TFF's tutorial.

"Implementing Custom Aggregations" (tensorflow.org/federated/tutorials/custom_aggregators) builds it in
four steps, and so does notebook 06. It is of no use but to show every part that a factory can have: work
at the clients, another factory inside, work at the server, state and measurements.
"""

import collections

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

from fedlab.aggregators.factory_checks import check_unweighted
from fedlab.aggregators.value_types import check_numbers


def scale(value, factor):
    """Multiplies every tensor of a structure by a scalar; dtypes stay."""
    return tf.nest.map_structure(lambda tensor: tensor * tf.cast(factor, tensor.dtype), value)


def unscale(value, factor):
    """Divides every tensor of a structure by a scalar; dtypes stay, so integers are divided downwards."""
    return tf.nest.map_structure(lambda tensor: _divide(tensor, tf.cast(factor, tensor.dtype)), value)


def _divide(tensor, divisor):
    return tensor // divisor if tensor.dtype.is_integer else tensor / divisor


def add_one(number):
    """Adds 1."""
    return number + 1.0


class ScaledSumFactory(tff.aggregators.UnweightedAggregationFactory):
    """Sums values that were multiplied by the number of the iteration, and divides the sum by it.

    Clients 1, 2 and 5 give 8.0 in every iteration; the sum before the division is 8.0 in the first, 16.0
    in the second, 24.0 in the third.

    The result has the value type. NaN and infinite values spread into the sum, integers wrap around
    where the scaled sum exceeds their dtype, no clients give what the inner factory makes of none (a sum: 0).

    State: (number of iterations so far as float32, state of the inner factory).

    Measurements:
      scaled_value: what the inner factory made of the scaled values, before the division.
      scaled_sum: the inner factory's measurements.
    """

    passes_inner_result_on = True  # factory_checks.find_sum looks inside

    def __init__(self, inner_factory=None):
        """Makes the factory.

        Args:
          inner_factory: unweighted factory that brings the scaled values to the server; default
            `tff.aggregators.SumFactory()`.

        Raises:
          TypeError: inner_factory is not an unweighted factory.
        """
        self.inner_factory = tff.aggregators.SumFactory() if inner_factory is None else inner_factory
        check_unweighted(self.inner_factory, "inner_factory", self)

    def create(self, value_type):
        """Makes the aggregation process for values of a type: integers and floats, in any structure."""
        value_type = check_numbers(value_type, self)
        inner_process = self.inner_factory.create(value_type)

        @tff.federated_computation
        def initialize_fn():
            iteration = tff.federated_value(np.float32(0.0), tff.SERVER)
            return tff.federated_zip((iteration, inner_process.initialize()))

        @tff.federated_computation(
            initialize_fn.type_signature.result, tff.FederatedType(value_type, tff.CLIENTS)
        )
        def next_fn(state, value):
            # At the clients.
            iteration, inner_state = state
            iteration = tff.federated_map(tff.tensorflow.computation(add_one), iteration)
            factor = tff.federated_broadcast(iteration)
            scaled_value = tff.federated_map(tff.tensorflow.computation(scale), (value, factor))

            # Inner aggregation.
            inner = inner_process.next(inner_state, scaled_value)

            # At the server.
            result = tff.federated_map(tff.tensorflow.computation(unscale), (inner.result, iteration))

            # Output.
            state = tff.federated_zip((iteration, inner.state))
            measurements = tff.federated_zip(
                collections.OrderedDict(scaled_value=inner.result, scaled_sum=inner.measurements)
            )
            return tff.templates.MeasuredProcessOutput(state, result, measurements)

        return tff.templates.AggregationProcess(initialize_fn, next_fn)
