"""How large the clients' updates were, round by round, and where they were clipped."""

from fedlab.plots.style import PALETTE, new_figure

_STATISTICS = ("norm_min", "norm_lower_quartile", "norm_median", "norm_upper_quartile", "norm_max")


def plot_update_norms(measurements, limits=None):
    """Draws the distribution of update norms in each round.

    Args:
      measurements: for each round a mapping with norm_min, norm_lower_quartile, norm_median,
        norm_upper_quartile and norm_max, as `fedlab.aggregators.ClientNormsFactory` measures them.
      limits: for each round the norm at which updates were clipped; default none.

    Returns:
      matplotlib Figure.

    Raises:
      ValueError: no rounds, or another number of limits.
    """
    if not measurements or (limits is not None and len(limits) != len(measurements)):
        limits_given = "no" if limits is None else len(limits)
        raise ValueError(f"{len(measurements)} rounds and {limits_given} limits: give one of each a round.")
    rounds = range(1, len(measurements) + 1)
    lowest, lower, median, upper, highest = (
        [float(one[name]) for one in measurements] for name in _STATISTICS
    )
    with new_figure(7.5, 3.2, _describe(median, highest, limits)) as figure:
        axes = figure.subplots()
        axes.fill_between(rounds, lowest, highest, color=PALETTE[4], alpha=0.25, label="all clients")
        axes.fill_between(rounds, lower, upper, color=PALETTE[4], alpha=0.6, label="the middle half")
        axes.plot(rounds, median, color=PALETTE[0], marker="o", label="median")
        if limits is not None:
            axes.plot(rounds, limits, color=PALETTE[5], marker="s", linestyle="--", label="clipped at")
        axes.set(xlabel="round", ylabel="norm of a client's update", ylim=(0, None))
        axes.xaxis.get_major_locator().set_params(integer=True)
        figure.legend(loc="outside right center", frameon=False)
    return figure


def _describe(median, highest, limits):
    """Alt text, with few digits: the last ones differ between machines."""
    text = (
        f"Norms of updates in {len(median)} rounds: the median goes from {median[0]:.2g} to "
        f"{median[-1]:.2g}, the largest from {highest[0]:.2g} to {highest[-1]:.2g}"
    )
    return text + ("." if limits is None else f"; clipped at {limits[0]:.2g} first, {limits[-1]:.2g} last.")
