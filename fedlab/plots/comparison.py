"""Runs side by side: held-out accuracy of several experiments, over rounds or over work."""

from fedlab.plots.style import PALETTE, new_figure

# Shapes as well as colours, for readers and printers that cannot tell the colours apart.
_MARKERS = "osD^vPX"
_LABELS = {0: "round (0 = pretrained)", 1: "work (batches trained on, all clients)"}
_OVER = {"rounds": 0, "work": 1}
# Less than this between two runs may turn round on another machine.
CLEAR_LEAD_POINTS = 0.2


def plot_comparison(experiments, title, *, over=("rounds",)):
    """Draws the held-out accuracy of experiments, a line each.

    Args:
      experiments: `fedlab.training.Experiment`s, one to seven, that started from the same model.
      title: what is compared.
      over: a panel for each of its words: "rounds", which cost communication, or "work", the batches
        trained on by all clients together, which cost time.

    Returns:
      matplotlib Figure whose description names the experiment that ends highest.

    Raises:
      ValueError: no experiment or too many of them, or another word in `over`.
    """
    if not 1 <= len(experiments) <= len(PALETTE):
        raise ValueError(f"{len(experiments)} experiments: give 1 to {len(PALETTE)}.")
    unknown = [word for word in over if word not in _OVER]
    if unknown or not over:
        raise ValueError(f"over={over!r}: choose from {', '.join(map(repr, _OVER))}.")
    with new_figure(5.5 * len(over) if len(over) > 1 else 7.5, 4, _describe(experiments, title)) as figure:
        panels = figure.subplots(1, len(over), sharey=True, squeeze=False)[0]
        for axes, word in zip(panels, over, strict=True):
            _draw_lines(axes, experiments, _OVER[word])
        panels[0].set_ylabel("held-out accuracy (% of characters)")
        panels[0].legend(frameon=False, fontsize=9)
        figure.suptitle(title, fontsize=12)
    return figure


def _draw_lines(axes, experiments, column):
    for experiment, colour, marker in zip(experiments, PALETTE, _MARKERS, strict=False):
        places = [point[column] for point in experiment.curve]
        accuracies = [100 * point[2].accuracy for point in experiment.curve]
        axes.plot(places, accuracies, color=colour, marker=marker, label=experiment.name)
    axes.set_xlabel(_LABELS[column])
    axes.xaxis.get_major_locator().set_params(integer=True)


def _describe(experiments, title):
    """Alt text without numbers that another machine would round differently."""
    names = ", ".join(experiment.name for experiment in experiments)
    return (
        f"{title}: held-out accuracy, one line each for {names}. All start at "
        f"{experiments[0].before.accuracy:.0%}; {_say_who_leads(experiments)}."
    )


def _say_who_leads(experiments):
    best, *others = sorted(experiments, key=lambda experiment: -experiment.gain_points)
    if others and best.gain_points - others[0].gain_points < CLEAR_LEAD_POINTS:
        return "the best of them end close together"
    return f"{best.name} ends highest"
