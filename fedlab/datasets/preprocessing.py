"""How speeches become batches, and who has enough text for one: every setting has its one owner here.

The defaults are those of TFF's text-generation tutorial: a client's speeches are joined, cut into windows of
101 characters, shuffled and batched by 8, and each window becomes 100 inputs with their 100 targets, the
characters that follow. What does not fill a window, and windows that do not fill a batch, are left out.

Text becomes windows in NumPy, once; TensorFlow, imported when batches are made, shuffles and batches them.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable

import numpy as np

from fedlab import vocabulary
from fedlab.arguments import check_whole_numbers
from fedlab.datasets.reports import ClientReport

if typing.TYPE_CHECKING:
    import tensorflow as tf

SEQUENCE_LENGTH_CHARS = 100
BATCH_SIZE = 8
SHUFFLE_BUFFER = 10_000

_REPLACEMENT_ID = np.uint8(vocabulary.CHARACTERS.index(vocabulary.REPLACEMENT_CHARACTER))


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """How text becomes batches.

    Attributes:
      batch_size: windows per batch.
      sequence_length_chars: characters per input; a window has one more, the last target.
      unknown: what becomes of characters outside the vocabulary: "replace" writes "?" in their place, "drop"
        leaves them out, "error" raises an error.
      shuffle_buffer: among so many windows the next one is drawn when windows are shuffled.

    Raises:
      ValueError: a number below 1, or an unknown policy.
    """

    batch_size: int = BATCH_SIZE
    sequence_length_chars: int = SEQUENCE_LENGTH_CHARS
    unknown: str = "replace"
    shuffle_buffer: int = SHUFFLE_BUFFER

    def __post_init__(self) -> None:
        check_whole_numbers(
            batch_size=self.batch_size,
            sequence_length_chars=self.sequence_length_chars,
            shuffle_buffer=self.shuffle_buffer,
        )
        vocabulary.check_unknown_policy(self.unknown)

    @property
    def window_chars(self) -> int:
        """Characters of a window: its inputs, and one more for the last target."""
        return self.sequence_length_chars + 1

    @property
    def batch_chars(self) -> int:
        """Characters of a batch: a client with fewer cannot train."""
        return self.batch_size * self.window_chars

    @property
    def element_spec(self) -> tuple[tf.TensorSpec, tf.TensorSpec]:
        """The type of a batch: (inputs, targets), each int64 [batch_size, sequence_length_chars]."""
        import tensorflow as tf

        spec = tf.TensorSpec([self.batch_size, self.sequence_length_chars], tf.int64)
        return (spec, spec)

    def windows(self, text: str | bytes) -> np.ndarray:
        """Cuts a text into windows that do not overlap; the rest at its end is left out.

        With sequence_length_chars=2, the ids of "ABCDEFG" -> [ABC, DEF].

        Args:
          text: str, or bytes in UTF-8.

        Returns:
          uint8 array of shape [windows, sequence_length_chars + 1].

        Raises:
          UnknownCharacterError: `unknown` is "error", and the vocabulary lacks a character.
        """
        ids = vocabulary.look_up(text)
        if self.unknown == "error" and (ids == vocabulary.UNKNOWN_ID).any():
            vocabulary.encode(_as_text(text))  # Raises, and says which.
        return self.cut(ids)

    def cut(self, ids: np.ndarray) -> np.ndarray:
        """`windows` of a text that was looked up: uint8 ids from `vocabulary.look_up`, unknown ones too."""
        is_unknown = ids == vocabulary.UNKNOWN_ID
        if is_unknown.any():
            ids = ids[~is_unknown] if self.unknown == "drop" else np.where(is_unknown, _REPLACEMENT_ID, ids)
        return ids[: len(ids) // self.window_chars * self.window_chars].reshape(-1, self.window_chars)

    def batches(
        self, windows: np.ndarray, *, epochs: int = 1, shuffle_seed: int | None = None
    ) -> tf.data.Dataset:
        """Turns one client's windows into training batches.

        Args:
          windows: from `windows`.
          epochs: how often all windows are gone through; each pass in its own order when shuffled.
          shuffle_seed: int to shuffle the windows repeatably, None to keep their order.

        Returns:
          tf.data.Dataset of (inputs, targets), each int64 [batch_size, sequence_length_chars]. Empty when
          there are fewer windows than one batch has.
        """
        import tensorflow as tf

        check_whole_numbers(epochs=epochs)
        ids = windows.astype(np.int64)
        # Inputs and targets part here, not in a `map` over batches: TensorFlow would trace its function anew
        # for every client, which takes longer than all the rest.
        dataset = tf.data.Dataset.from_tensor_slices((ids[:, :-1], ids[:, 1:]))
        return self.shuffle_and_batch(dataset, epochs=epochs, shuffle_seed=shuffle_seed)

    def shuffle_and_batch(
        self, dataset: tf.data.Dataset, *, epochs: int = 1, shuffle_seed: int | None = None
    ) -> tf.data.Dataset:
        """The end of every pipeline: windows, one by one, to batches; for the arguments see `batches`."""
        if shuffle_seed is not None:
            dataset = dataset.shuffle(self.shuffle_buffer, seed=shuffle_seed)
        # drop_remainder: TFF wants static shapes.
        dataset = dataset.batch(self.batch_size, drop_remainder=True)
        return dataset.repeat(epochs) if epochs > 1 else dataset

    def report(self, client_id: str, speeches: Iterable[str]) -> ClientReport:
        """Counts what `batches` makes of one client's speeches, without making it."""
        speeches = tuple(speeches)
        return self.count(client_id, len(speeches), vocabulary.look_up("".join(speeches)))

    def count(self, client_id: str, num_speeches: int, ids: np.ndarray) -> ClientReport:
        """Counts what `batches` makes of a text.

        Args:
          client_id: for the report.
          num_speeches: for the report.
          ids: all of the client's text, from `vocabulary.look_up`.
        """
        num_unknown = int(np.count_nonzero(ids == vocabulary.UNKNOWN_ID))
        num_kept = len(ids) - (num_unknown if self.unknown == "drop" else 0)
        num_sequences = num_kept // self.window_chars
        num_batches = num_sequences // self.batch_size
        return ClientReport(
            client_id=client_id,
            num_speeches=num_speeches,
            num_characters=len(ids),
            num_unknown=num_unknown,
            num_sequences=num_sequences,
            num_batches=num_batches,
            num_characters_left_out=num_kept - num_batches * self.batch_chars,
        )


TUTORIAL = Preprocessing()


def _as_text(text: str | bytes) -> str:
    return text.decode("utf-8", errors="replace") if isinstance(text, bytes) else text
