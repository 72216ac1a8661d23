"""A deliberately odd factory, to see that others hand everything on: value, state and measurements."""

import collections

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff


def _make_process(value_type, weight_type=()):
    """Sums (weight *) value and adds the state, which starts at 7 and grows by 3."""

    @tff.federated_computation
    def initialize_fn():
        return tff.federated_value(np.int32(7), tff.SERVER)

    @tff.tensorflow.computation
    def weigh(value, weight):
        return tf.nest.map_structure(lambda tensor: tensor * tf.cast(weight, tensor.dtype), value)

    @tff.tensorflow.computation
    def add_state(total, state):
        return tf.nest.map_structure(lambda tensor: tensor + tf.cast(state, tensor.dtype), total)

    def finish(state, value):
        result = tff.federated_map(add_state, (tff.federated_sum(value), state))
        measurements = collections.OrderedDict(
            odd_state=tff.federated_map(
                tff.tensorflow.computation(lambda number: tf.strings.as_string(number)), state
            )
        )
        state = tff.federated_map(tff.tensorflow.computation(lambda number: number + 3), state)
        return tff.templates.MeasuredProcessOutput(state, result, tff.federated_zip(measurements))

    state_type = tff.FederatedType(np.int32, tff.SERVER)
    at_clients = [tff.FederatedType(part, tff.CLIENTS) for part in (value_type, *weight_type)]
    if weight_type:
        next_fn = tff.federated_computation(
            lambda state, value, weight: finish(state, tff.federated_map(weigh, (value, weight))),
            [state_type, *at_clients],
        )
    else:
        next_fn = tff.federated_computation(
            lambda state, value: finish(state, value), [state_type, *at_clients]
        )
    return tff.templates.AggregationProcess(initialize_fn, next_fn)


class OddFactory(tff.aggregators.UnweightedAggregationFactory):
    """Sum + 7, then sum + 10, ...; reports its state as text."""

    def create(self, value_type):
        return _make_process(value_type)


class WeightedOddFactory(tff.aggregators.WeightedAggregationFactory):
    """Sum of weight * value, + 7, then + 10, ...; reports its state as text."""

    def create(self, value_type, weight_type):
        return _make_process(value_type, (weight_type,))


def run(factory, value_type, *arguments, num_rounds=1):
    """Runs rounds with the same clients; returns the outputs. Arguments: values, and weights or not."""
    weight_type = [tff.TensorType(np.float32)] * (len(arguments) - 1)
    process = factory.create(tff.to_type(value_type), *weight_type)
    outputs, state = [], process.initialize()
    for _ in range(num_rounds):
        outputs.append(process.next(state, *arguments))
        state = outputs[-1].state
    return outputs


def signatures(factory, value_type, *weight_type):
    """The type signatures of the process: of initialize and of next."""
    process = factory.create(tff.to_type(value_type), *[tff.to_type(part) for part in weight_type])
    return str(process.initialize.type_signature), str(process.next.type_signature)
