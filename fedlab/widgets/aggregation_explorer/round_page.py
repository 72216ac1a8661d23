"""What the aggregation explorer shows of a round: its steps, one step, what came of it, its type."""

import functools

import ipywidgets

from fedlab.plots.aggregation_round import MOST_NUMBERS, plot_aggregation_round
from fedlab.widgets.parts import markup

_BY_POSITION = "<0=…, 1=…> is a structure whose parts have no names: what the function was given, or gave."


class RoundPage:
    """Pages of HTML, written anew where a round or a step changes.

    Attributes:
      headline, figure, steps, step, outcome, signature: the parts to show.
    """

    def __init__(self):
        self.headline, self.figure, self.outcome, self.signature = (ipywidgets.HTML() for _ in range(4))
        self.steps = ipywidgets.HTML(layout=ipywidgets.Layout(width="310px"))
        self.step = ipywidgets.HTML(layout=ipywidgets.Layout(flex="1 1 310px", min_width="0"))
        self.step.add_class("fedlab-step")

    def show_round(self, record):
        """Shows a round; nothing for None."""
        self.headline.value = _headline(record) if record else ""
        self.figure.value = _figure_of(record) if record else ""
        self.outcome.value = _outcome(record) if record else ""
        self.signature.value = _signature(record) if record else ""

    def show_step(self, steps, current):
        """Shows the list of RoundSteps and what happened in the one with the index `current`."""
        self.steps.value = _list_of(steps, current)
        self.step.value = _step(steps[current], current + 1, len(steps))


def _list_of(shown_steps, current):
    """The steps as a list, in which the current one has a mark."""
    items = "".join(
        f'<li aria-current="step"><b>▶ {markup.escape(step.label)}</b></li>'
        if index == current
        else f"<li>{markup.escape(step.label)}</li>"
        for index, step in enumerate(shown_steps)
    )
    return markup.heading("Steps") + f'<ol class="fedlab-steps">{items}</ol>'


def _step(shown_step, place, num_steps):
    """What happened in one step, to each client's value or at the server."""
    title = markup.heading(f"Step {place} of {num_steps}, {shown_step.label}")
    table = _step_table(shown_step)
    by_position = markup.paragraph(_BY_POSITION) if markup.escape("<0=") in table else ""
    return title + markup.paragraph(shown_step.explanation) + table + by_position


def _step_table(shown_step):
    if shown_step.is_aggregation:
        rows = [(f"client {part.client}", part.before, part.after) for part in shown_step.clients]
        return markup.table(
            ["", "gives", "total so far"], [*rows, ("result", "", shown_step.after)], "In the aggregation"
        )
    if shown_step.clients:
        rows = [(f"client {part.client}", part.before, part.after) for part in shown_step.clients]
        return markup.table(["", "goes in", "comes out"], rows, "At each client")
    if shown_step.before in ("", shown_step.after):
        return markup.table(["value"], [(shown_step.after,)])
    return markup.table(["goes in", "comes out"], [(shown_step.before, shown_step.after)])


def _headline(record):
    """Which round it is, and what the clients held in it, whatever the fields say by now."""
    weights = f" with weights {', '.join(record.weights)}" if record.weights else ""
    clients = f"Clients 0 to {len(record.client_values) - 1}" if record.client_values[1:] else "Client 0"
    held = f"{clients} held {', '.join(record.client_values)}{weights}."
    return markup.heading(f"Round {record.number} of {record.factory}") + markup.paragraph(held)


def _outcome(record):
    """Result, state before and after, and measurements of a round."""
    return (
        markup.heading(f"What came of round {record.number}")
        + _pairs("Result", record.result)
        + _state(record)
        + _pairs("Measurements", record.measurements)
    )


def _pairs(title, pairs):
    if not pairs:
        return markup.paragraph(f"{title}: none.")
    if [name for name, _ in pairs] == [""]:
        return markup.paragraph(f"{title}: {pairs[0][1]}")
    return markup.table(["name", "value"], pairs, title)


def _state(record):
    changes = record.state_changes()
    if not changes:
        return markup.paragraph("State: none. No round knows of another.")
    rows = [
        (name or "state", before, after, "" if before == after else "changed")
        for name, before, after in changes
    ]
    return markup.table(["name", "before", "after", ""], rows, "State")


def _signature(record):
    """The type signature of `next`, folded up."""
    return (
        f"<details><summary>Type signature of next, for values of type {markup.escape(record.value_type)}"
        f"</summary><pre>{markup.escape(record.signature)}</pre></details>"
    )


def _figure_of(record):
    """What clients hold and send and the result, drawn; "" where there are too many numbers."""
    numbers = record.numbers
    if numbers is None or len(numbers.names) > MOST_NUMBERS:
        return ""
    return _figure(numbers.names, numbers.values, numbers.sent, numbers.result)


@functools.lru_cache(maxsize=64)
def _figure(*numbers):
    return markup.figure(plot_aggregation_round(*numbers))
