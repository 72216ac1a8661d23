"""One round of an aggregation in numbers: what each client holds, what it sends, what the server gets."""

import math

from fedlab.plots.style import PALETTE, new_figure

MOST_NUMBERS = 6
_MOST_IN_A_ROW = 3
_HOLDS = dict(color=PALETTE[0], marker="o", s=55, label="holds", zorder=2)
_SENDS = dict(color=PALETTE[5], marker="D", s=30, label="sends", zorder=3)
_RESULT = dict(color=PALETTE[2], linestyle="--", linewidth=2, label="result", zorder=1)


def plot_aggregation_round(names, values, sent=(), result=()):
    """Draws a panel for each number of a value: a dot for what a client holds, a diamond for what it sends.

    Args:
      names: of the numbers, such as ("w[0]", "w[1]", "b"); at most 6.
      values: for each client, its numbers.
      sent: for each client, the numbers that it gives into the sum; may be empty.
      result: the server's numbers, as a line; may be empty.

    Returns:
      matplotlib Figure.

    Raises:
      ValueError: there are no numbers, too many, or not one for each name.
    """
    _check(names, values, sent, result)
    columns = min(len(names), _MOST_IN_A_ROW)
    rows = math.ceil(len(names) / columns)
    with new_figure(2 + 2 * columns, 0.6 + 2 * rows, _describe(names, values, sent, result)) as figure:
        panels = figure.subplots(rows, columns, squeeze=False).flatten()
        for place, (axes, name) in enumerate(zip(panels, names, strict=False)):
            _draw_number(
                axes, name, *(_at(place, part) for part in (values, sent)), result[place : place + 1]
            )
        for axes in panels[len(names) :]:
            axes.set_axis_off()
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right center", frameon=False)
    return figure


def _check(names, values, sent, result):
    if not 0 < len(names) <= MOST_NUMBERS:
        raise ValueError(f"{len(names)} numbers in a value: between 1 and {MOST_NUMBERS} can be drawn.")
    for numbers in (*values, *sent, *([result] if result else [])):
        if len(numbers) != len(names):
            raise ValueError(f"{numbers!r} has {len(numbers)} numbers for {len(names)} names.")


def _at(place, clients):
    return [numbers[place] for numbers in clients]


def _draw_number(axes, name, values, sent, result):
    axes.axhline(0, color="#cccccc", linewidth=1, zorder=0)
    axes.scatter(range(len(values)), values, **_HOLDS)
    if sent:
        axes.vlines(range(len(sent)), values, sent, colors=_SENDS["color"], linewidth=1, zorder=1)
        axes.scatter(range(len(sent)), sent, **_SENDS)
    for number in result:
        axes.axhline(number, **_RESULT)
    axes.set(ylabel=name, xlabel="client", xlim=(-0.5, len(values) - 0.5), xticks=range(len(values)))


def _describe(names, values, sent, result):
    parts = []
    for client, numbers in enumerate(values):
        sends = f" and sends {_in_words(sent[client])}" if sent else ""
        parts.append(f"client {client} holds {_in_words(numbers)}{sends}")
    end = f" The result is {_in_words(result)}." if result else ""
    which = "" if len(names) == 1 else f" ({', '.join(names)})"
    return f"What clients hold{' and send' if sent else ''}{which}: {'; '.join(parts)}.{end}"


def _in_words(numbers):
    return ", ".join(f"{number:.4g}" for number in numbers)
