"""Which factory goes where: weighted or unweighted, sum or average."""

import tensorflow_federated as tff

_Weighted = tff.aggregators.WeightedAggregationFactory
_Unweighted = tff.aggregators.UnweightedAggregationFactory
# TFF's factories whose result grows with the number of clients, whatever is inside them.
_SUMS = (
    tff.aggregators.SumFactory,
    tff.aggregators.SecureSumFactory,
    tff.aggregators.SecureModularSumFactory,
    tff.aggregators.EncodedSumFactory,
)


def for_fed_avg(factory, weighted=True):
    """Checks and wraps a factory for federated averaging.

    ```python
    tff.learning.algorithms.build_weighted_fed_avg(
        ..., model_aggregator=for_fed_avg(CoordinateMedianFactory())
    )
    tff.learning.algorithms.build_unweighted_fed_avg(
        ..., model_aggregator=for_fed_avg(CoordinateMedianFactory(), weighted=False)
    )
    ```

    An unweighted factory for a weighted algorithm is wrapped with `tff.aggregators.as_weighted_aggregator`:
    it goes on without the clients' weights.

    Args:
      factory: a factory whose result is of the size of one client's update (a mean, a median), not a sum.
      weighted: whether the algorithm hands out weights (`build_weighted_fed_avg`, `build_weighted_fed_prox`,
        ...) or not (`build_unweighted_fed_avg`, ...).

    Returns:
      The factory to give as `model_aggregator`.

    Raises:
      TypeError: not a factory; a weighted factory for an unweighted algorithm; a sum.
    """
    _check_factory(factory, "for_fed_avg")
    _check_average(factory, weighted)
    if weighted:
        return factory if isinstance(factory, _Weighted) else tff.aggregators.as_weighted_aggregator(factory)
    if isinstance(factory, _Weighted):
        raise TypeError(
            f"{_name(factory)} wants a weight from every client, and unweighted algorithms have none. Use it "
            "with build_weighted_fed_avg and for_fed_avg(factory, weighted=True), or take an unweighted one, "
            "such as tff.aggregators.UnweightedMeanFactory() or fedlab.aggregators.CoordinateMedianFactory()."
        )
    return factory


def check_unweighted(factory, argument, outer):
    """Refuses what is not an unweighted factory.

    Args:
      factory: given as an argument.
      argument: the argument's name.
      outer: the factory that it was given to.

    Raises:
      TypeError: with the way out.
    """
    _check_factory(factory, f"{_name(outer)}({argument}=...)")
    if isinstance(factory, _Weighted):
        raise TypeError(
            f"{_name(outer)} has no weights to give to {argument}={_name(factory)}(...): use an unweighted "
            "factory, such as tff.aggregators.SumFactory or tff.aggregators.UnweightedMeanFactory."
        )


def check_factory(factory, argument, outer):
    """Refuses what is not a factory, weighted or not; arguments and errors as in `check_unweighted`."""
    _check_factory(factory, f"{_name(outer)}({argument}=...)")


def _check_factory(factory, where):
    if isinstance(factory, type) and issubclass(factory, _Weighted | _Unweighted):
        raise TypeError(
            f"{where} wants a factory, and {factory.__name__} is its class: write {factory.__name__}()."
        )
    if isinstance(factory, tff.templates.AggregationProcess):
        raise TypeError(f"{where} wants the factory, not the process that its `create` made.")
    if not isinstance(factory, _Weighted | _Unweighted):
        raise TypeError(
            f"{where} wants an aggregation factory, such as tff.aggregators.MeanFactory(), not {factory!r}."
        )


def _check_average(factory, weighted):
    summing = find_sum(factory)
    if summing is None:
        return
    what = _name(factory) + (f", around {_name(summing)}," if summing is not factory else "")
    mean = "MeanFactory" if weighted else "UnweightedMeanFactory"
    raise TypeError(
        f"{what} adds the clients' updates up, so steps would grow with the number of clients. Put the sum "
        f"into a mean: tff.aggregators.{mean}(value_sum_factory=...)."
    )


def find_sum(factory):
    """Finds a factory known to be a sum: itself, or inside one of fedlab's that pass it on; else None."""
    if isinstance(factory, _SUMS):
        return factory
    return find_sum(factory.inner_factory) if getattr(factory, "passes_inner_result_on", False) else None


def _name(factory):
    return type(factory).__name__
