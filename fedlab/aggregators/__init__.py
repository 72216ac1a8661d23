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

from fedlab.aggregators.client_norms import ClientNormsFactory
from fedlab.aggregators.coordinate_median import CoordinateMedianFactory
from fedlab.aggregators.pairing import for_fed_avg
from fedlab.aggregators.scaled_sum import ScaledSumFactory
from fedlab.aggregators.stack import StackFactory
from fedlab.aggregators.top_k import TopKFactory
from fedlab.aggregators.trimmed_mean import TrimmedMeanFactory

__all__ = [
    "ClientNormsFactory",
    "CoordinateMedianFactory",
    "ScaledSumFactory",
    "StackFactory",
    "TopKFactory",
    "TrimmedMeanFactory",
    "for_fed_avg",
]
