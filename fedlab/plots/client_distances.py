"""How far apart clients are, beside how far apart chance would put them."""

import numpy as np

from fedlab.plots.style import COLOURS, new_figure, readable


def plot_client_distances(client_ids, distances, by_chance):
    """Draws the matrix of distances, and the distances of all pairs beside those that chance gives.

    Args:
      client_ids: the clients of the rows.
      distances: float array [clients, clients], symmetric.
      by_chance: the same for clients of the same sizes with text dealt out at random.

    Returns:
      DescribedFigure of two panels.
    """
    pairs = np.triu_indices(len(client_ids), 1)
    real, chance = np.asarray(distances)[pairs], np.asarray(by_chance)[pairs]
    with new_figure(11, 4.8, _describe(real, chance)) as figure:
        matrix, histogram = figure.subplots(1, 2, width_ratios=[1.35, 1])
        _draw_matrix(figure, matrix, client_ids, distances)
        _draw_histogram(histogram, real, chance)
    return figure


def _draw_matrix(figure, axes, client_ids, distances):
    shown = np.array(distances, np.float64)
    np.fill_diagonal(shown, np.nan)  # a client's distance to itself is 0 and would take up the scale
    image = axes.imshow(shown, cmap="cividis")
    axes.set_yticks(range(len(client_ids)), map(readable, client_ids), fontsize=7)
    axes.set_xticks([])
    axes.set(title="Distance between clients", xlabel="the same clients, in the same order")
    figure.colorbar(image, ax=axes, pad=0.02).set_label("Jensen-Shannon distance (√bit)")


def _draw_histogram(axes, real, chance):
    bins = np.linspace(0, 1.05 * max(real.max(), chance.max()), 31)
    axes.hist(chance, bins, color=COLOURS["before"], alpha=0.75, label="dealt out at random", hatch="///")
    axes.hist(real, bins, color=COLOURS["after"], alpha=0.75, label="real clients")
    axes.set(title="All pairs of clients", xlabel="Jensen-Shannon distance (√bit)", ylabel="pairs of clients")
    axes.margins(y=0.2)  # room for the legend
    axes.legend(frameon=False, loc="upper left")


def _describe(real, chance):
    return (
        f"Between {len(real)} pairs of real clients the distance is {np.median(real):.3f} (median); "
        f"with the same text dealt out at random it is {np.median(chance):.3f}."
    )
