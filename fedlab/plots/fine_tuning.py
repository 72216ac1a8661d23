"""Figures from round records: what a learner watches while the model learns."""

from fedlab.plots.style import COLOURS, new_figure, readable


def plot_fine_tuning(records, before):
    """Draws what the rounds did to held-out accuracy: over time, and for each client.

    Args:
      records: RoundRecords of one run, at least the last with a held-out evaluation.
      before: Evaluation of the model before its first round.

    Returns:
      matplotlib Figure of two panels, on white so that it reads on dark pages too.

    Raises:
      ValueError: there is no round with a held-out evaluation.
    """
    evaluated = [record for record in records if record.held_out is not None]
    if not evaluated:
        raise ValueError(
            "There is no round with a held-out evaluation to draw; pass evaluate_weights to run_rounds."
        )
    with new_figure(11, 4.8, _describe(evaluated[-1], before)) as figure:
        over_rounds, by_client = figure.subplots(1, 2)
        _draw_accuracy_over_rounds(over_rounds, records, evaluated, before)
        _draw_accuracy_by_client(by_client, before, evaluated[-1].held_out)
    return figure


def _describe(last, before):
    improved = sum(
        last.held_out.accuracy_by_client[client_id] > accuracy
        for client_id, accuracy in before.accuracy_by_client.items()
    )
    return (
        f"Held-out accuracy goes from {before.accuracy:.0%} to {last.held_out.accuracy:.0%} "
        f"in {last.round_number} rounds; it rises for {improved} of {len(before.accuracy_by_client)} clients."
    )


def _draw_accuracy_over_rounds(axes, records, evaluated, before):
    rounds = [0, *(record.round_number for record in evaluated)]
    accuracies = [before.accuracy, *(record.held_out.accuracy for record in evaluated)]
    axes.plot(
        [record.round_number for record in records],
        [100 * record.accuracy for record in records],
        color=COLOURS["training"],
        linestyle="--",
        marker=".",
        label="training text, while training",
    )
    axes.plot(
        rounds,
        [100 * accuracy for accuracy in accuracies],
        color=COLOURS["after"],
        marker="o",
        label="held-out text",
    )
    axes.set(
        title="Accuracy, round by round", xlabel="round (0 = pretrained)", ylabel="accuracy (% of characters)"
    )
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False)


def _draw_accuracy_by_client(axes, before, after):
    clients = sorted(
        before.accuracy_by_client.keys() & after.accuracy_by_client.keys(),
        key=lambda client_id: after.accuracy_by_client[client_id],
    )
    rows = range(len(clients))
    starts = [100 * before.accuracy_by_client[client_id] for client_id in clients]
    ends = [100 * after.accuracy_by_client[client_id] for client_id in clients]
    axes.hlines(rows, starts, ends, color="#cccccc", linewidth=2, zorder=1)
    axes.scatter(starts, rows, color=COLOURS["before"], label="pretrained", zorder=2)
    axes.scatter(ends, rows, color=COLOURS["after"], marker="D", label="fine-tuned", zorder=2)
    axes.set_yticks(rows, [readable(client_id) for client_id in clients], fontsize=8)
    axes.set(title="Held-out accuracy, client by client", xlabel="accuracy (% of characters)")
    axes.legend(frameon=False, loc="lower right")
