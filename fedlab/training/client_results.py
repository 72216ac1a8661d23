"""What each client of a round did, as soon as it is done: the runtime's events as plain records.

In a learning process of TFF, the client's work is the one step at the clients whose result is a pair:
`ClientResult(update, update_weight)` and the metrics of its training, sums that are not divided yet.
"""

import dataclasses

from fedlab.runtime.watching import events


@dataclasses.dataclass(frozen=True)
class ClientRecord:
    """One client's part of a round, in plain numbers and text."""

    client_id: str
    seconds: float
    loss: float | None = None  # of its training, in nats per character; None where it was not measured
    accuracy: float | None = None  # share of characters, while it trained
    update_norm: float | None = None  # Euclidean norm of what it changed in all weights together
    is_left_out: bool = False  # its update was NaN or infinite: TFF sends 0 instead, with weight 0


class ClientListener:
    """Listens to one call of a learning process: `events.listening_here(listener, values=listener.wants)`."""

    def __init__(self, cohort, on_client):
        """Makes a listener.

        Args:
          cohort: the ids of the clients, in the order of their data.
          on_client: function of a ClientRecord. It is called in the threads where clients train, so at
            the same time for clients that run side by side. What it raises ends the round.
        """
        self._cohort, self._on_client = cohort, on_client

    @staticmethod
    def wants(event):
        """Whether an event may tell of client work: only then is its value worth a look."""
        return event.kind == events.CLIENT_FINISHED and event.intrinsic == "federated_map"

    def __call__(self, event):
        work = _client_work(event.value) if self.wants(event) else None
        if work is not None:
            self._on_client(_record(self._cohort[event.client], event.seconds, *work))


def _client_work(summary):
    """The summaries of a client's result and of its metrics; None of what is not client work."""
    parts = list((getattr(summary, "parts", None) or {}).values())
    if len(parts) < 2 or not {"update", "update_weight"} <= set(parts[0].parts or {}):
        return None
    return parts[0].parts, parts[1].parts or {}


def _record(client_id, seconds, result, metrics):
    return ClientRecord(
        client_id=client_id,
        seconds=seconds,
        loss=_mean(metrics.get("loss")),
        accuracy=_mean(metrics.get("accuracy")),
        update_norm=result["update"].norm,
        is_left_out=_number(result["update_weight"]) == 0,
    )


def _mean(metric):
    """A mean from what TFF keeps of it until the end: <0=sum, 1=count>."""
    numbers = [_number(part) for part in (getattr(metric, "parts", None) or {}).values()]
    if len(numbers) != 2 or None in numbers or not numbers[1]:
        return None
    return numbers[0] / numbers[1]


def _number(summary):
    return summary.numbers[0] if summary.numbers and len(summary.numbers) == 1 else None
