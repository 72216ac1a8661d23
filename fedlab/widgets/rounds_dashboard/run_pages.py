"""The pages of the rounds dashboard, made of a `RunLog`: clients, rounds, texts, and who is left out."""

from fedlab.plots.style import readable
from fedlab.widgets.parts import markup
from fedlab.widgets.parts.wording import count

MOST_ROUNDS_SHOWN = 10
MOST_SAMPLES_SHOWN = 3
_UNKNOWN = "–"


def show_progress(log, goal):
    """Bars over the rounds and over the clients of the round under way."""
    done = len(log.client_records) if log.last_round is None else len(log.cohort)
    return markup.progress("rounds", len(log.records), goal) + markup.progress(
        f"clients of round {log.round_number}:", done, len(log.cohort)
    )


def show_clients(log):
    """The clients of the round under way, or of the last one: what each of them did."""
    if not log.cohort:
        return ""
    records, whole = log.client_records, log.last_round
    rows = [_client_row(client_id, records.get(client_id), whole) for client_id in log.cohort]
    page = markup.table(
        ["Client", "Examples", "Loss", "Accuracy", "Update norm", "Seconds", "State"],
        rows,
        f"Clients of round {log.round_number}",
    )
    return page + _measurements(whole)


def _client_row(client_id, record, whole):
    examples = whole.num_examples_by_client.get(client_id, _UNKNOWN) if whole else _UNKNOWN
    if record is None:
        state = "done" if whole else "not done yet"
        return [readable(client_id), examples, *[_UNKNOWN] * 4, state]
    return [
        readable(client_id),
        examples,
        _number(record.loss, "{:.3f}"),
        _number(record.accuracy, "{:.1%}"),
        _number(record.update_norm, "{:.3g}"),
        f"{record.seconds:.2f}",
        "left out: its update is NaN or infinite" if record.is_left_out else "done",
    ]


def _measurements(whole):
    if not whole or not whole.measurements:
        return ""
    measured = ", ".join(f"{name} {value:.4g}" for name, value in whole.measurements.items())
    return markup.paragraph(f"Measured by the aggregator: {measured}.")


def show_rounds(log):
    """The last rounds, newest first, with their seconds."""
    if not log.records:
        return ""
    shown = log.records[-MOST_ROUNDS_SHOWN:]
    caption = f"{'The last ' if len(shown) < len(log.records) else ''}{count(len(shown), 'round')}"
    page = markup.table(
        ["Round", "Clients", "Loss", "Accuracy", "Held-out loss", "Held-out accuracy", "Seconds"],
        [_round_row(record) for record in reversed(shown)],
        caption,
    )
    return page + markup.paragraph(f"Seconds per round, on average: {log.mean_seconds:.1f}.")


def _round_row(record):
    held_out = record.held_out
    return [
        record.round_number,
        len(record.cohort),
        f"{record.loss:.3f}",
        f"{record.accuracy:.1%}",
        f"{held_out.loss:.3f}" if held_out else _UNKNOWN,
        f"{held_out.accuracy:.1%}" if held_out else _UNKNOWN,
        f"{record.seconds:.1f}",
    ]


def show_samples(log):
    """The text before the first round, and the newest ones."""
    first, rest = log.samples[:1], log.samples[1:]
    return "".join(_sample(*sample) for sample in [*first, *rest[-MOST_SAMPLES_SHOWN:]])


def _sample(number, text):
    when = "before the first round" if number == 0 else f"after round {number}"
    return markup.heading(f"Text {when}") + markup.passage(text)


def show_left_out(clients):
    """The clients that cannot train, and why."""
    rows = [[readable(client.client_id), client.why_left_out] for client in clients if client.why_left_out]
    if not rows:
        return ""
    return markup.table(["Client", "Why"], rows, f"{count(len(rows), 'client')} left out of every round")


def list_facts(log):
    """What the pages say that is the same on every machine: no seconds, numbers rounded."""
    if log.before is not None:
        yield f"before: held-out accuracy {log.before.accuracy:.0%}"
    for record in log.records:
        held_out = f", held-out accuracy {record.held_out.accuracy:.0%}" if record.held_out else ""
        yield (
            f"round {record.round_number}: {count(len(record.cohort), 'client')}, "
            f"training accuracy {record.accuracy:.0%}{held_out}"
        )
    if log.samples:
        yield f"text samples: {len(log.samples)}"


def _number(value, form):
    return _UNKNOWN if value is None else form.format(value)
