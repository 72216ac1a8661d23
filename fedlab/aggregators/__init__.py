"""Aggregation factories: how the clients' values become one value at the server, one factory a file.

Each is a `tff.aggregators` factory: give it to `tff.learning.algorithms.build_weighted_fed_avg` and its
like as `model_aggregator`, through `for_fed_avg`, which puts it into the right wrapper; or give it to
another factory.

Measurements follow TFF's custom: an OrderedDict in which the key named after the factory holds the
measurements of the factory inside.

| factory | result | weighted | no clients | NaN and infinite values |
| --- | --- | --- | --- | --- |
| ScaledSumFactory | sum | no | 0 | spread, as in any sum |
| StackFactory | all values, client by client | no | an empty stack | kept |
| CoordinateMedianFactory | median | no | 0 | NaN left out, infinities outvoted |
| TrimmedMeanFactory | mean of the middle | no | 0 | NaN left out, infinities trimmed |
| ClientNormsFactory | the inner factory's | as the inner one | the inner factory's | counted |
| TopKFactory | the inner factory's largest | as the inner one | the inner factory's | sent first |
"""

from fedlab.lazy_names import lazy_names

# The names of this package, and the modules that they wait in: what a learner types is read without TFF.
_HOMES = {
    "ClientNormsFactory": "client_norms",
    "CoordinateMedianFactory": "coordinate_median",
    "Exploration": "exploration",
    "ScaledSumFactory": "scaled_sum",
    "StackFactory": "stack",
    "TopKFactory": "top_k",
    "TrimmedMeanFactory": "trimmed_mean",
    "for_fed_avg": "factory_checks",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
