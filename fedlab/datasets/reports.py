"""What preprocessing makes of a client's text, in numbers: counted without making it, nor TensorFlow."""

import dataclasses

from fedlab import vocabulary

SEQUENCE_LENGTH_CHARS = 100
BATCH_SIZE = 8


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
    def is_too_small(self):
        """Whether the client has less than one batch, and so cannot take part."""
        return self.num_batches == 0


def report_speeches(
    client_id,
    speeches,
    *,
    batch_size=BATCH_SIZE,
    sequence_length_chars=SEQUENCE_LENGTH_CHARS,
    unknown="replace",
):
    """Counts what `sequences.make_batches` makes of one client's speeches.

    Args:
      client_id: for the report.
      speeches: list of str.
      batch_size: windows per batch.
      sequence_length_chars: characters per input; a window has one more.
      unknown: policy for characters outside the vocabulary: "error", "drop" or "replace".

    Returns:
      ClientReport.
    """
    vocabulary.check_unknown_policy(unknown)
    text = "".join(speeches)
    num_unknown = vocabulary.find_unknown_characters(text).total()
    num_characters = len(text) - (num_unknown if unknown == "drop" else 0)
    num_sequences = num_characters // (sequence_length_chars + 1)
    num_batches = num_sequences // batch_size
    used = num_batches * batch_size * (sequence_length_chars + 1)
    return ClientReport(
        client_id=client_id,
        num_speeches=len(speeches),
        num_characters=len(text),
        num_unknown=num_unknown,
        num_sequences=num_sequences,
        num_batches=num_batches,
        num_characters_left_out=num_characters - used,
    )
