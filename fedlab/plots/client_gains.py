"""Who gains from training: each client's change in held-out accuracy, run by run."""

from fedlab.plots.style import INK, PALETTE, new_figure

_TOOK_PART = dict(color=PALETTE[0], marker="o", label="took part in training")
_LEFT_OUT = dict(color=PALETTE[1], marker="D", label="never took part")
# Half the height of the band in which the clients of one experiment lie, in rows.
_SPREAD_ROWS = 0.14


def plot_client_gains(experiments, title):
    """Draws every client's gain as a dot, an experiment a row; a line marks the mean of each group.

    Args:
      experiments: `fedlab.training.Experiment`s; the first is drawn at the top.
      title: what is compared.

    Returns:
      matplotlib Figure.

    Raises:
      ValueError: no experiment.
    """
    if not experiments:
        raise ValueError("There is no experiment to draw.")
    with new_figure(8, 1.6 + 0.9 * len(experiments), _describe(experiments, title)) as figure:
        axes = figure.subplots()
        for row, experiment in enumerate(experiments):
            _draw_clients(axes, row, experiment)
        axes.axvline(0, color="#888888", linewidth=1, zorder=0)
        axes.set_yticks(range(len(experiments)), [experiment.name for experiment in experiments])
        axes.set(ylim=(len(experiments) - 0.5, -0.5), xlabel="gain in held-out accuracy (percentage points)")
        axes.set_title(title)
        figure.legend(**_one_label_each(axes), loc="outside lower center", ncols=2, frameon=False)
    return figure


def gains_by_group(experiment):
    """A client's gain in points, by whether it took part: ([of those who did], [of the others])."""
    gains = experiment.gain_points_by_client
    took_part = [gain for client_id, gain in gains.items() if client_id in experiment.participants]
    left_out = [gain for client_id, gain in gains.items() if client_id not in experiment.participants]
    return took_part, left_out


def _draw_clients(axes, row, experiment):
    for gains, style, offset in zip(
        gains_by_group(experiment), (_TOOK_PART, _LEFT_OUT), (-1, 1), strict=True
    ):
        if not gains:
            continue
        height = row + offset * _SPREAD_ROWS
        axes.scatter(gains, [height] * len(gains), alpha=0.7, linewidths=0, **style)
        mean = sum(gains) / len(gains)
        axes.plot([mean, mean], [height - _SPREAD_ROWS, height + _SPREAD_ROWS], color=INK, linewidth=2)


def _one_label_each(axes):
    handles, labels = axes.get_legend_handles_labels()
    found = dict(zip(labels, handles, strict=True))
    return dict(handles=list(found.values()), labels=list(found))


def _describe(experiments, title):
    parts = []
    for experiment in experiments:
        gains = experiment.gain_points_by_client
        parts.append(f"{experiment.name}, {len(experiment.participants)} of {len(gains)} clients took part")
    return f"{title}: a dot for each client's gain in held-out accuracy. {'; '.join(parts)}."
