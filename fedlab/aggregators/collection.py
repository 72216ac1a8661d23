"""Brings every client's value to the server as an element of a dataset, its numbers in one row."""

import tensorflow as tf
import tensorflow_federated as tff

from fedlab.aggregators.client_rows import flatten
from fedlab.aggregators.value_types import check_numbers, zeros_in_graph


def add_client(collected: tf.data.Dataset, value) -> tf.data.Dataset:
    """Puts a client's value, flattened, behind the others."""
    return collected.concatenate(tf.data.Dataset.from_tensors(flatten(value)))


def join(earlier: tf.data.Dataset, later: tf.data.Dataset) -> tf.data.Dataset:
    """Puts the clients of one dataset behind those of another."""
    return earlier.concatenate(later)


def keep(collected: tf.data.Dataset) -> tf.data.Dataset:
    """Leaves a dataset as it is."""
    return collected


class CollectionFactory(tff.aggregators.UnweightedAggregationFactory):
    """Collects the clients' values: {<float32[2],int32,float32>}@CLIENTS -> <float32[3],int32[1]>*@SERVER.

    Each value is flattened: one row of numbers for each dtype, see `client_rows.flatten`.

    The memory that it needs is that of the values themselves: it keeps all of them. The state is empty and so
    are the measurements. Privacy and order are those of `StackFactory`.
    """

    def create(self, value_type: tff.Type) -> tff.templates.AggregationProcess:
        """Makes the aggregation process for values of a type: numbers, in any structure but an empty one."""
        value_type = check_numbers(value_type, self)
        rows_type = tff.tensorflow.computation(flatten, value_type).type_signature.result
        collection_type = tff.SequenceType(rows_type)
        add = tff.tensorflow.computation(add_client, [collection_type, value_type])
        add_worker = tff.tensorflow.computation(join, [collection_type, collection_type])
        report = tff.tensorflow.computation(keep, collection_type)

        @tff.tensorflow.computation
        def no_clients():
            return tf.data.Dataset.from_tensors(zeros_in_graph(rows_type)).take(0)

        @tff.federated_computation
        def initialize_fn():
            return tff.federated_value((), tff.SERVER)

        @tff.federated_computation(
            initialize_fn.type_signature.result, tff.FederatedType(value_type, tff.CLIENTS)
        )
        def next_fn(state, value):
            result = tff.federated_aggregate(value, no_clients(), add, add_worker, report)
            return tff.templates.MeasuredProcessOutput(state, result, tff.federated_value((), tff.SERVER))

        return tff.templates.AggregationProcess(initialize_fn, next_fn)
