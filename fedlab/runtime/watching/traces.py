"""Records one call of a computation: what happened at the clients, in the aggregation, at the server."""

import dataclasses

from fedlab.runtime.watching import events

# Steps that only move values about.
_PLUMBING = (
    "federated_zip_at_clients",
    "federated_zip_at_server",
    "federated_value_at_clients",
    "federated_value_at_server",
)
_WHERE = {"clients": "at the clients", "server": "at the server", "": "in TensorFlow"}
_MOST_CLIENTS_SHOWN = 10
_MOST_TEXT = 100


@dataclasses.dataclass(frozen=True)
class ClientPart:
    """One client's part of a step: its result, or the running total after adding it.

    Attributes:
      client: index in the cohort, from 0.
      seconds: how long it took.
      value: a Summary of the result.
      argument: a Summary of what went in, of the running total without the total itself; may be None.
    """

    client: int
    seconds: float
    value: object  # summaries.Summary
    argument: object = None


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of a computation.

    Attributes:
      intrinsic: TFF's name of it, such as "federated_map"; "" for a TensorFlow computation.
      function: names of the TensorFlow computations called in it; may be "".
      placement: "clients", "server" or "".
      seconds: how long it took.
      value: a Summary of its result.
      clients: the ClientParts, by client.
      argument: a Summary of what went in at the server or in TensorFlow; None where it went in at the
        clients.
    """

    intrinsic: str
    function: str
    placement: str
    seconds: float
    value: object
    clients: tuple = ()
    argument: object = None

    @property
    def is_plumbing(self):
        """Whether the step only moves values about: no function of the program runs in it."""
        return self.intrinsic in _PLUMBING or (not self.function and self.intrinsic not in _ALWAYS_SHOWN)

    @property
    def where(self):
        """In words: "at the clients", "aggregation", "at the server" or "in TensorFlow"."""
        return "aggregation" if self.intrinsic == "federated_aggregate" else _WHERE[self.placement]

    @property
    def label(self):
        """Where and what, such as "at the clients: clip [federated_map]"."""
        what = [self.function] * bool(self.function) + [f"[{self.intrinsic}]"] * bool(self.intrinsic)
        return f"{self.where}: {' '.join(what)}"


_ALWAYS_SHOWN = ("federated_aggregate", "federated_broadcast", "federated_select")


@dataclasses.dataclass(frozen=True, repr=False)
class Trace:
    """One call of a computation.

    Printing it draws the tree; `rows()` gives the same as records, to draw it in other ways.

    Attributes:
      computation: its name.
      num_clients: size of the cohort.
      seconds: how long it took.
      steps: the Steps, in order.
      result: what the call returned.
    """

    computation: str
    num_clients: int
    seconds: float
    steps: tuple
    result: object = dataclasses.field(compare=False)

    def __repr__(self):
        return self.text()

    def text(self, *, plumbing=False):
        """The tree as lines of text; with plumbing, also the steps that only move values about."""
        shown = [step for step in self.steps if plumbing or not step.is_plumbing]
        lines = [f"{self.computation}, {self.num_clients} clients, {self.seconds:.3f} s"]
        for index, step in enumerate(shown):
            lines += _draw_step(step, last=index == len(shown) - 1)
        return "\n".join(lines)

    def rows(self):
        """The tree as a flat list of dicts: one for each step, and under it one for each client."""
        rows = []
        for index, step in enumerate(self.steps):
            details = dict(
                step=index,
                intrinsic=step.intrinsic,
                function=step.function,
                placement=step.placement,
                plumbing=step.is_plumbing,
            )
            rows.append({**details, "client": None, **_plain(step)})
            rows += [{**details, "client": part.client, **_plain(part)} for part in step.clients]
        return rows


def _plain(step_or_part):
    summary, argument = step_or_part.value, step_or_part.argument
    return {
        "seconds": step_or_part.seconds,
        "text": "" if summary is None else summary.text,
        "norm": None if summary is None else summary.norm,
        "numbers": None if summary is None else summary.numbers,
        "argument": "" if argument is None else argument.text,
    }


def _draw_step(step, last):
    branch, trunk = ("└─ ", "   ") if last else ("├─ ", "│  ")
    lines = [f"{branch}{step.label}, {step.seconds:.3f} s"]
    leaves = [(f"client {part.client}", part.value) for part in step.clients[:_MOST_CLIENTS_SHOWN]]
    if step.intrinsic == "federated_aggregate":
        leaves = [(f"after {name}", value) for name, value in leaves]
    hidden = len(step.clients) - len(leaves)
    leaves += [(f"and {hidden} more clients", None)] * bool(hidden)
    if not step.clients or step.intrinsic == "federated_aggregate":
        leaves.append(("result", step.value))
    for index, (name, value) in enumerate(leaves):
        corner = "└─" if index == len(leaves) - 1 else "├─"
        lines.append(f"{trunk}{corner} {name}" + ("" if value is None else f": {shortened(value.text)}"))
    return lines


def shortened(text):
    """A text in one line, of 100 characters at most."""
    text = " ".join(text.split())
    return text if len(text) <= _MOST_TEXT else text[: _MOST_TEXT - 1] + "…"


def trace(computation, *args, **kwargs):
    """Calls a computation and records what happens.

    ```python
    trace = fedlab.trace(process.next, state, client_values)
    print(trace)
    state = trace.result.state
    ```

    Args:
      computation: a TFF computation.
      *args: its arguments.
      **kwargs: its arguments by name.

    Returns:
      A Trace; what the computation returned is its `result`.
    """
    recorder = _Recorder()
    with events.listening_here(recorder, values=True):
        result = computation(*args, **kwargs)
    return recorder.trace(result)


class _Recorder:
    """Listens to events of the first computation that starts."""

    def __init__(self):
        self._first = None
        self._last = None
        self._clients = {}
        self._steps = []

    def __call__(self, event):
        if self._first is None and event.kind == events.COMPUTATION_STARTED:
            self._first = event
        if self._first is None or event.call != self._first.call:
            return
        if event.kind == events.CLIENT_FINISHED:
            part = ClientPart(event.client, event.seconds, event.value, event.argument)
            self._clients.setdefault(event.step, []).append(part)
        elif event.kind == events.STEP_FINISHED:
            parts = sorted(self._clients.pop(event.step, ()), key=lambda part: part.client)
            self._steps.append(
                Step(
                    event.intrinsic,
                    event.function,
                    event.placement,
                    event.seconds,
                    event.value,
                    tuple(parts),
                    event.argument,
                )
            )
        elif event.kind == events.COMPUTATION_FINISHED:
            self._last = event

    def trace(self, result):
        if self._last is None:
            raise RuntimeError(
                "Nothing was recorded: traces are made of computations that run in this process. Call "
                "fedlab.runtime.use_in_process() first."
            )
        return Trace(
            self._first.computation, self._first.num_clients, self._last.seconds, tuple(self._steps), result
        )
