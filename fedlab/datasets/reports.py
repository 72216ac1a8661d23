"""What preprocessing makes of a client's text, in numbers."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class ClientReport:
    """What preprocessing makes of one client's text."""

    client_id: str
    num_speeches: int
    num_characters: int
    num_unknown: int  # characters outside the vocabulary
    num_sequences: int
    num_batches: int  # per epoch; 0 for a client too small to take part
    num_characters_left_out: int  # at the end, by drop_remainder; in one epoch

    @property
    def is_too_small(self) -> bool:
        """Whether the client has less than one batch, and so cannot take part."""
        return self.num_batches == 0


def report_speeches(client_id: str, speeches: list[str], **settings: object) -> ClientReport:
    """`Preprocessing(**settings).report(client_id, speeches)`."""
    from fedlab.datasets.preprocessing import Preprocessing

    return Preprocessing(**settings).report(client_id, speeches)
