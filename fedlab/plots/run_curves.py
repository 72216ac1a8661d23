"""A run as it goes: loss and accuracy, round by round, on the text trained on and on held-out text."""

from fedlab.plots.style import COLOURS, new_figure

_TRAINING = dict(color=COLOURS["training"], linestyle="--", marker="s", label="training text, while training")
_HELD_OUT = dict(color=COLOURS["after"], marker="o", label="held-out text")


def plot_run(records, before=None):
    """Draws loss and accuracy over the rounds, a panel each.

    Args:
      records: RoundRecords of one run so far; may be none, where there is `before`.
      before: Evaluation of the model before its first round, drawn as round 0; None where there is none.

    Returns:
      matplotlib Figure of two panels.

    Raises:
      ValueError: there is neither a round nor an evaluation to draw.
    """
    if not records and before is None:
        raise ValueError("There is nothing to draw: give at least one round, or the evaluation before it.")
    held_out = [(0, before), *((record.round_number, record.held_out) for record in records)]
    held_out = [(number, evaluation) for number, evaluation in held_out if evaluation is not None]
    with new_figure(9, 3.2, _describe(records, held_out)) as figure:
        losses, accuracies = figure.subplots(1, 2)
        _draw(losses, records, held_out, "loss", 1)
        losses.set(title="Loss", ylabel="loss (nats per character)")
        _draw(accuracies, records, held_out, "accuracy", 100)
        accuracies.set(title="Accuracy", ylabel="accuracy (% of characters)")
        # Below the figure: over a panel it would hide what comes next.
        figure.legend(*losses.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def _draw(axes, records, held_out, name, factor):
    if records:
        numbers = [record.round_number for record in records]
        axes.plot(numbers, [factor * getattr(record, name) for record in records], **_TRAINING)
    if held_out:
        numbers, evaluations = zip(*held_out, strict=True)
        axes.plot(numbers, [factor * getattr(evaluation, name) for evaluation in evaluations], **_HELD_OUT)
    axes.set_xlabel("round (0 = before the first)")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlim(-0.3, max(1, len(records) and records[-1].round_number) + 0.3)


def _describe(records, held_out):
    rounds = f"{len(records)} {'round' if len(records) == 1 else 'rounds'}"
    parts = [f"Loss and accuracy over {rounds}"]
    if records:
        parts.append(_say("training", [record.accuracy for record in records]))
    if held_out:
        parts.append(_say("held-out", [evaluation.accuracy for _, evaluation in held_out]))
    return "; ".join(parts) + "."


def _say(which, accuracies):
    if len(accuracies) == 1:
        return f"{which} accuracy is {accuracies[0]:.0%}"
    return f"{which} accuracy goes from {accuracies[0]:.0%} to {accuracies[-1]:.0%}"
