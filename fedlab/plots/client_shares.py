"""How often one client uses each character, beside how often all clients together do."""

import numpy as np

from fedlab.plots.style import COLOURS, new_figure, readable, visible


def plot_client_shares(client_id, counts, counts_of_all, characters, *, num_shown=30):
    """Draws the shares of the commonest characters: all clients' as bars, one client's as marks.

    Args:
      client_id: the client.
      counts: ints of shape [characters], with a sum above 0.
      counts_of_all: the same for all clients together.
      characters: str or list, the character of each count.
      num_shown: how many characters, the commonest of all clients first.

    Returns:
      DescribedFigure.
    """
    shown = np.argsort(-np.asarray(counts_of_all), kind="stable")[:num_shown]
    own, average = _percent(counts)[shown], _percent(counts_of_all)[shown]
    labels = [visible(characters[index]) for index in shown]
    with new_figure(9, 2.8, _describe(client_id, labels, own, average)) as figure:
        axes = figure.subplots()
        places = range(len(labels))
        axes.bar(places, average, color=COLOURS["before"], label="all clients together")
        axes.plot(places, own, "D", color=COLOURS["after"], markersize=6, label=readable(client_id))
        axes.set_xticks(places, labels)
        axes.set(xlabel="character, the commonest first", ylabel="share of the text (%)", xlim=(-0.7, None))
        axes.legend(frameon=False, loc="upper right")
    return figure


def _percent(counts):
    counts = np.asarray(counts, np.float64)
    return 100 * counts / counts.sum()


def _describe(client_id, labels, own, average):
    most = int(np.argmax(np.abs(own - average)))
    return (
        f"Shares of the {len(labels)} commonest characters. The largest difference: of "
        f"{readable(client_id)}'s text, {labels[most]} is {own[most]:.1f}%, "
        f"of all clients' {average[most]:.1f}%."
    )
