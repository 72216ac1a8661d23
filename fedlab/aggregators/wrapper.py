"""Factories around another factory: weighted if the one inside is weighted, and unweighted if not."""

import functools

import tensorflow_federated as tff

from fedlab.aggregators.factory_checks import check_factory

_Weighted = tff.aggregators.WeightedAggregationFactory
_Unweighted = tff.aggregators.UnweightedAggregationFactory


class WrapperFactory:
    """A factory with another one inside, whose weightedness it takes: as `tff.aggregators.clipping_factory`.

    TFF tells weighted factories by their base class, so making one chooses the base:
    `isinstance(ClientNormsFactory(tff.aggregators.MeanFactory()), WeightedAggregationFactory)`.
    """

    passes_inner_result_on = True  # factory_checks.find_sum looks inside

    def __new__(cls, inner_factory=None, **settings):
        base = _Weighted if isinstance(inner_factory, _Weighted) else _Unweighted
        return super().__new__(cls if issubclass(cls, base) else _with_base(cls, base))

    def __init__(self, inner_factory=None):
        """Keeps the factory inside; default `tff.aggregators.SumFactory()`."""
        self.inner_factory = tff.aggregators.SumFactory() if inner_factory is None else inner_factory
        check_factory(self.inner_factory, "inner_factory", self)


@functools.cache
def _with_base(cls, base):
    return type(base)(cls.__name__, (cls, base), {"__module__": cls.__module__, "__doc__": cls.__doc__})


def next_computation(body, state_type, value_type, weight_types):
    """Makes the `next` of a process from `body(state, value)`, or from `body(state, value, weight)`.

    TFF takes no functions with `*weight`, so each case is spelled out.

    Args:
      body: function of tff.Values.
      state_type: federated type of the state.
      value_type: type of one client's value.
      weight_types: () or (type of one client's weight,).
    """
    at_clients = [tff.FederatedType(part, tff.CLIENTS) for part in (value_type, *weight_types)]
    if weight_types:

        @tff.federated_computation(state_type, *at_clients)
        def next_fn(state, value, weight):
            return body(state, value, weight)
    else:

        @tff.federated_computation(state_type, *at_clients)
        def next_fn(state, value):
            return body(state, value)

    return next_fn
