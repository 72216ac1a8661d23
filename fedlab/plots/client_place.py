"""One client's place among all: how much text it has, and whether that is enough for a batch."""

import statistics

from fedlab.plots.style import COLOURS, new_figure, readable


def plot_client_place(client_id, num_characters, batch_chars):
    """Draws all clients by the size of their text, the largest first, and marks one of them.

    Args:
      client_id: the client to mark.
      num_characters: {client id: characters}, of all clients.
      batch_chars: characters of one batch; who has less cannot train.

    Returns:
      DescribedFigure.
    """
    ordered = sorted(num_characters, key=lambda other: (-num_characters[other], other))
    place, sizes = ordered.index(client_id), [num_characters[other] for other in ordered]
    with new_figure(9, 2.6, _describe(client_id, num_characters, batch_chars)) as figure:
        axes = figure.subplots()
        places = range(1, len(sizes) + 1)
        axes.plot(places, sizes, color=COLOURS["training"], marker="o", markersize=4, label="all clients")
        axes.plot(
            [place + 1], [sizes[place]], "D", color=COLOURS["after"], markersize=9, label=readable(client_id)
        )
        axes.axhline(batch_chars, color=COLOURS["before"], linestyle="--", label="enough for one batch")
        # Not "log": a client may have no text at all.
        axes.set_yscale("symlog", linthresh=10)
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set(
            xlabel="place, the largest first", ylabel="text (characters)", ylim=(0, 3 * max(sizes[0], 10))
        )
        axes.legend(frameon=False, loc="lower left")
    return figure


def _describe(client_id, num_characters, batch_chars):
    sizes = num_characters.values()
    place = 1 + sum(size > num_characters[client_id] for size in sizes)
    too_small = sum(size < batch_chars for size in sizes)
    return (
        f"{readable(client_id)} has {num_characters[client_id]:,} characters, place {place} of {len(sizes)} "
        f"by size; the median is {statistics.median(sizes):,.0f}. {too_small} of {len(sizes)} clients have "
        f"less than the {batch_chars:,} characters of one batch."
    )
