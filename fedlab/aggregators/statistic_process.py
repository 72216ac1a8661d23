"""Aggregation processes that bring all values to the server and compute a statistic of them there."""

import collections

import tensorflow_federated as tff

from fedlab.aggregators.collection import CollectionFactory
from fedlab.aggregators.order_statistic import statistic_of_dataset, statistic_of_stack
from fedlab.aggregators.stack import StackFactory
from fedlab.aggregators.value_types import count_bytes_of, stacked_type, tensor_specs

# Values of so many bytes stay where they are; a stack of them would be a copy. Smaller ones are stacked, for
# traces and widgets can show a stack.
LARGE_BYTES = 2**20


def make_statistic_process(factory, value_type, statistic, name):
    """Makes the process of a robust factory.

    Args:
      factory: it; its `inner_factory` stacks the values.
      value_type: type of one client's value.
      statistic: TensorFlow function of the clients' ordered values, see `statistic_of_stack`.
      name: name of the inner factory's measurements among those of the process.

    Raises:
      TypeError: the inner factory does not stack values.
    """
    if type(factory.inner_factory) is StackFactory and count_bytes_of(value_type) >= LARGE_BYTES:
        inner_process = CollectionFactory().create(value_type)
        specs = tensor_specs(value_type)

        def compute(collected):
            return statistic_of_dataset(statistic, collected, specs)
    else:
        inner_process = factory.inner_factory.create(value_type)
        _check_stack(inner_process, value_type, factory)

        def compute(stack):
            return statistic_of_stack(statistic, stack)

    compute.__name__ = name  # what traces call it

    @tff.federated_computation(inner_process.state_type, tff.FederatedType(value_type, tff.CLIENTS))
    def next_fn(state, value):
        # At the clients: nothing. Inner aggregation.
        inner = inner_process.next(state, value)

        # At the server.
        result, num_nan = tff.federated_map(tff.tensorflow.computation(compute), inner.result)

        # Output.
        measurements = tff.federated_zip(
            collections.OrderedDict([("num_nan", num_nan), (name, inner.measurements)])
        )
        return tff.templates.MeasuredProcessOutput(inner.state, result, measurements)

    return tff.templates.AggregationProcess(inner_process.initialize, next_fn)


def _check_stack(inner_process, value_type, factory):
    wanted, given = stacked_type(value_type), inner_process.next.type_signature.result.result.member
    if not wanted.is_assignable_from(given):
        inner = type(factory.inner_factory).__name__
        raise TypeError(
            f"{type(factory).__name__} needs the clients' values one below the other, as {wanted}, but "
            f"inner_factory={inner}(...) gives {given}: use fedlab.aggregators.StackFactory() or "
            "tff.aggregators.UnweightedReservoirSamplingFactory(sample_size)."
        )
