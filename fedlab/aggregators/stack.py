"""Brings every client's value to the server, one below the other: what medians need and sums do not."""

import tensorflow as tf
import tensorflow_federated as tff

from fedlab.aggregators.value_types import check_tensors, stacked_type, zeros


def append(stack, value):
    """Puts a value below those in a stack: shapes [clients, ...] and [...] -> [clients + 1, ...]."""
    return tf.nest.map_structure(lambda above, new: tf.concat([above, new[tf.newaxis]], axis=0), stack, value)


def join(upper, lower):
    """Puts one stack below another: shapes [clients, ...] and [more, ...] -> [clients + more, ...]."""
    return tf.nest.map_structure(lambda above, below: tf.concat([above, below], axis=0), upper, lower)


def keep(stack):
    """Leaves a stack as it is."""
    return stack


class StackFactory(tff.aggregators.UnweightedAggregationFactory):
    """Stacks the clients' values: {float32[3]}@CLIENTS -> float32[?,3]@SERVER, in each tensor of a structure.

    The order is the cohort's on one machine; where several workers share a cohort, it is not defined.
    No clients give a stack of 0 rows. Values of any dtype are kept as they are, NaN included.

    Privacy: the server sees every client's value by itself. Neither secure sums nor the hope that a
    client disappears in the crowd are left; add noise or clip before, or trust the server.

    Memory: it needs all values, and keeps them until the end of the round, where a sum needs two or three.

    The state is empty, and so are the measurements.
    """

    def create(self, value_type):
        """Makes the aggregation process for values of a type: tensors of known shape, in any structure."""
        value_type = check_tensors(value_type, self)
        stack_type = stacked_type(value_type)
        add_client = tff.tensorflow.computation(append, [stack_type, value_type])
        add_worker = tff.tensorflow.computation(join, [stack_type, stack_type])
        report = tff.tensorflow.computation(keep, stack_type)

        @tff.tensorflow.computation
        def empty_stack():
            return zeros(stack_type)

        @tff.federated_computation
        def initialize_fn():
            return tff.federated_value((), tff.SERVER)

        @tff.federated_computation(
            initialize_fn.type_signature.result, tff.FederatedType(value_type, tff.CLIENTS)
        )
        def next_fn(state, value):
            result = tff.federated_aggregate(value, empty_stack(), add_client, add_worker, report)
            measurements = tff.federated_value((), tff.SERVER)
            return tff.templates.MeasuredProcessOutput(state, result, measurements)

        return tff.templates.AggregationProcess(initialize_fn, next_fn)
