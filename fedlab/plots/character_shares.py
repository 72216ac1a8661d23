"""Which characters each client uses more, and which less, than all clients together."""

import numpy as np

from fedlab.plots.style import new_figure, readable, visible


def plot_character_shares(client_ids, counts, characters, *, num_shown=24):
    """Draws a row for each client and a column for each of the commonest characters.

    The colour says by how many percent the client's share differs from the share in all text.

    Args:
      client_ids: a label for each row.
      counts: int array of shape [clients, characters].
      characters: str or list, the character of each column.
      num_shown: how many columns, the commonest first.

    Returns:
      DescribedFigure.
    """
    counts = np.asarray(counts, np.float64)
    columns = np.argsort(-counts.sum(axis=0), kind="stable")[:num_shown]
    deviations = percent_from_average(counts)[:, columns]  # [clients, num_shown]
    labels = [visible(characters[index]) for index in columns]
    with new_figure(9.5, 1.2 + 0.22 * len(client_ids), _describe(client_ids, labels, deviations)) as figure:
        axes = figure.subplots()
        limit = 60
        image = axes.imshow(deviations, cmap="PuOr_r", vmin=-limit, vmax=limit, aspect="auto")
        axes.set_xticks(range(len(labels)), labels)
        axes.set_yticks(range(len(client_ids)), map(readable, client_ids), fontsize=8)
        axes.set(xlabel="character, the commonest first")
        bar = figure.colorbar(image, ax=axes, extend="both", pad=0.01)
        bar.set_label("share, against all clients (%)")
    return figure


def percent_from_average(counts):
    """By how many percent each client's share of each character differs from the share in all text.

    [[1, 1], [3, 1]] -> [[-25, 50], [12.5, -25]]: of all text, the first character is 4 of 6; of the first
    client's, 1 of 2.

    Args:
      counts: numbers of shape [clients, characters]; a character that nobody uses gives 0.

    Returns:
      float64 array of the same shape.
    """
    counts = np.asarray(counts, np.float64)
    shares = counts / counts.sum(axis=1, keepdims=True)
    average = counts.sum(axis=0) / counts.sum()
    return 100 * np.divide(shares - average, average, out=np.zeros_like(shares), where=average > 0)


def _describe(client_ids, labels, deviations):
    row, column = np.unravel_index(np.argmax(np.abs(deviations)), deviations.shape)
    return (
        f"{len(client_ids)} clients by {len(labels)} characters. The largest difference: "
        f"{readable(client_ids[row])} uses {labels[column]!r} {deviations[row, column]:+.0f}% "
        "against all clients."
    )
