"""Plain records of one round of an aggregation, for widgets and for print: text and numbers, no TFF value."""

import dataclasses

from fedlab.runtime.watching.traces import shortened

_EXPLANATIONS = {
    "federated_broadcast": "The server sends this to every client.",
    "federated_map": "Every client computes this with what it holds.",
    "federated_map_all_equal": "Every client computes this with what the server sent: all get the same.",
    "federated_eval_at_clients": "Every client computes this.",
    "federated_aggregate": "Client after client joins the total. The server gets what comes out in the end.",
    "federated_select": "Every client asks the server for the parts that it wants.",
    "federated_apply": "The server computes this with what it holds.",
    "federated_eval_at_server": "The server computes this.",
    "federated_zip_at_clients": "Values at the clients become one structure.",
    "federated_zip_at_server": "Values at the server become one structure.",
    "federated_value_at_clients": "A value that does not depend on the clients, at the clients.",
    "federated_value_at_server": "A value that does not depend on the clients, at the server.",
    "": "A value without a place, for a later step.",
}


@dataclasses.dataclass(frozen=True)
class ClientChange:
    """One client's part of a step.

    Attributes:
      client: index, from 0.
      before: what went in, as text.
      after: what came out; in an aggregation, the total so far.
    """

    client: int
    before: str
    after: str


@dataclasses.dataclass(frozen=True)
class RoundStep:
    """One step of a round.

    Attributes:
      where: "at the clients", "aggregation", "at the server" or "in TensorFlow".
      function: names of the TensorFlow computations in it; may be "".
      intrinsic: TFF's name of the step; may be "".
      label: where and what, as a trace writes it.
      is_plumbing: whether it only moves values about.
      before: what went in, as text; "" where nothing did, or at each client by itself.
      after: what came out; "" where it is at each client by itself.
      clients: ClientChanges.
    """

    where: str
    function: str
    intrinsic: str
    label: str
    is_plumbing: bool
    before: str
    after: str
    clients: tuple = ()

    @property
    def is_aggregation(self):
        return self.intrinsic == "federated_aggregate"

    @property
    def explanation(self):
        """What kind of step it is, in a sentence."""
        return _EXPLANATIONS.get(self.intrinsic, "")

    def lines(self):
        """What the step did, as lines of text."""
        lines = [f"client {part.client}: {self._change(part)}" for part in self.clients]
        if self.is_aggregation:
            return [*lines, f"result: {shortened(self.after)}"]
        return lines or [shortened(self.after) if self.before == self.after else _arrow(self)]

    def _change(self, part):
        if self.is_aggregation:
            return f"{shortened(part.before)}, total {shortened(part.after)}"
        return _arrow(part)


def _arrow(change):
    before = f"{shortened(change.before)} -> " if change.before else ""
    return before + shortened(change.after)


@dataclasses.dataclass(frozen=True)
class RoundNumbers:
    """The numbers of a round, for a figure.

    Attributes:
      names: of the numbers of one value: ("value",), ("[0]", "[1]") or ("w[0]", "w[1]", "b").
      values: for each client, its numbers.
      sent: for each client, what it gave into the sum; () where that has another form than its value.
      result: the server's numbers; () where they are of another form.
    """

    names: tuple
    values: tuple
    sent: tuple
    result: tuple


@dataclasses.dataclass(frozen=True, repr=False)
class RecordedRound:
    """One round of an aggregation process.

    State, measurements and result are pairs (name, text), one for each tensor in them; a tensor that is
    everything has the name "".

    Attributes:
      number: of the round, from 1.
      factory: name of what made the process.
      value_type: type of one client's value, as TFF writes it.
      signature: type signature of the process's `next`, in lines.
      client_values: for each client, its value as text.
      weights: for each client, its weight as text; () where the process takes none.
      steps: RoundSteps, in order.
      state_before: before the round.
      state_after: after it.
      measurements: of the round.
      result: of the round.
      numbers: RoundNumbers; None where a value has too many to draw.
    """

    number: int
    factory: str
    value_type: str
    signature: str
    client_values: tuple
    weights: tuple
    steps: tuple
    state_before: tuple
    state_after: tuple
    measurements: tuple
    result: tuple
    numbers: RoundNumbers | None = None

    def __repr__(self):
        return self.text()

    def shown_steps(self, plumbing=False):
        """The steps, without those that only move values about unless asked for."""
        return [step for step in self.steps if plumbing or not step.is_plumbing]

    def state_changes(self):
        """The state as (name, before, after); "" where there was or is nothing of that name."""
        before, after = dict(self.state_before), dict(self.state_after)
        return [(name, before.get(name, ""), after.get(name, "")) for name in {**before, **after}]

    def text(self, *, current=None, plumbing=False):
        """The round as lines of text; an arrow marks the step with the index `current` of those shown."""
        lines = [f"round {self.number} of {self.factory}, values of type {self.value_type}"]
        for client, value in enumerate(self.client_values):
            weight = f" (weight {self.weights[client]})" if self.weights else ""
            lines.append(f"  client {client}: {shortened(value)}{weight}")
        lines.append("steps")
        for index, step in enumerate(self.shown_steps(plumbing)):
            lines.append(f"{'->' if index == current else '  '}{index + 1:2}. {step.label}")
            lines += [f"       {line}" for line in step.lines()]
        lines += ["result", *_pairs(self.result), "state", *self._state_lines()]
        return "\n".join([*lines, "measurements", *_pairs(self.measurements)])

    def _state_lines(self):
        changes = [
            (name, before if before == after else f"{before} -> {after}")
            for name, before, after in self.state_changes()
        ]
        return _pairs(changes)


def _pairs(pairs):
    lines = [f"  {name}: {shortened(text)}" if name else f"  {shortened(text)}" for name, text in pairs]
    return lines or ["  none"]
