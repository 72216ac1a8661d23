"""Brings every client's value to the server as an element of a dataset: nothing is copied on the way."""

import tensorflow as tf
import tensorflow_federated as tff

from fedlab.aggregators.value_types import check_tensors


def add_client(collected: tf.data.Dataset, value) -> tf.data.Dataset:
    """Puts a client's value, as a tuple of its tensors in the order of `tf.nest`, behind the others."""
    return collected.concatenate(tf.data.Dataset.from_tensors(tuple(tf.nest.flatten(value))))


def join(earlier: tf.data.Dataset, later: tf.data.Dataset) -> tf.data.Dataset:
    """Puts the clients of one dataset behind those of another."""
    return earlier.concatenate(later)


def keep(collected: tf.data.Dataset) -> tf.data.Dataset:
    """Leaves a dataset as it is."""
    return collected


class CollectionFactory(tff.aggregators.UnweightedAggregationFactory):
    """Collects the clients' values: {<float32[3],int32>}@CLIENTS -> <float32[3],int32>*@SERVER.

    The memory that it needs is that of the values themselves: it keeps all of them. The state is empty and so
    are the measurements. Privacy and order are those of `StackFactory`.
    """

    def create(self, value_type: tff.Type) -> tff.templates.AggregationProcess:
        """Makes the aggregation process for values of a type: tensors, at least one, in any structure."""
        value_type = check_tensors(value_type, self)
        parts = tf.nest.flatten(tff.types.structure_from_tensor_type_tree(lambda part: part, value_type))
        collection_type = tff.SequenceType(tff.to_type(tuple(parts)))
        add = tff.tensorflow.computation(add_client, [collection_type, value_type])
        add_worker = tff.tensorflow.computation(join, [collection_type, collection_type])
        report = tff.tensorflow.computation(keep, collection_type)

        @tff.tensorflow.computation
        def no_clients():
            one = tuple(tf.zeros(part.shape, tf.as_dtype(part.dtype)) for part in parts)
            return tf.data.Dataset.from_tensors(one).take(0)

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
