"""What a character model thinks comes next, and what temperature makes of it."""

import numpy as np

from fedlab.plots.style import COLOURS, new_figure, visible


def plot_next_characters(characters, logits, temperatures, *, num_shown=8):
    """Draws the probabilities of the likeliest next characters, a panel for each temperature.

    Args:
      characters: str or list, the character of each logit.
      logits: float array of shape [characters], from the model.
      temperatures: numbers above 0; the logits are divided by them.
      num_shown: how many characters to show, the likeliest first.

    Returns:
      DescribedFigure.
    """
    order = np.argsort(-np.asarray(logits), kind="stable")[:num_shown]
    labels = [visible(characters[index]) for index in order]
    shares = [100 * softmax(logits, temperature)[order] for temperature in temperatures]
    with new_figure(2.6 * len(temperatures) + 0.6, 3, _describe(labels, temperatures, shares)) as figure:
        panels = figure.subplots(1, len(temperatures), sharey=True, squeeze=False)[0]
        for axes, temperature, bars in zip(panels, temperatures, shares, strict=True):
            axes.bar(range(len(bars)), bars, color=COLOURS["after"])
            axes.set_xticks(range(len(bars)), labels)
            axes.set(title=f"temperature {temperature}", xlabel="next character")
        panels[0].set(ylabel="probability (%)", ylim=(0, 1.05 * max(map(max, shares))))
    return figure


def softmax(logits, temperature=1.0):
    """Probabilities from logits: float64 array that sums to 1."""
    scaled = np.asarray(logits, np.float64) / temperature
    weights = np.exp(scaled - scaled.max())
    return weights / weights.sum()


def _describe(labels, temperatures, shares):
    likeliest = ", ".join(
        f"{bars[0]:.0f}% at temperature {temperature}"
        for temperature, bars in zip(temperatures, shares, strict=True)
    )
    return f"Bars for {' '.join(labels)}, likeliest first. {labels[0]!r} has {likeliest}."
