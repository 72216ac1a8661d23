"""From speeches to batches in TensorFlow: the steps of `preprocessing`, for datasets and inside graphs.

The functions take the settings of `preprocessing.Preprocessing` one by one, with the tutorial's as defaults.
"""

from __future__ import annotations

import typing
from collections.abc import Iterable

import tensorflow as tf

from fedlab import vocabulary
from fedlab.arguments import check_whole_numbers
from fedlab.datasets.preprocessed_clients import SmallClientWarning, preprocess_clients
from fedlab.datasets.preprocessing import (
    BATCH_SIZE,
    SEQUENCE_LENGTH_CHARS,
    SHUFFLE_BUFFER,
    Preprocessing,
)
from fedlab.datasets.reports import ClientReport
from fedlab.datasets.speeches import read_dataset, read_speeches

if typing.TYPE_CHECKING:
    import tensorflow_federated as tff

    ClientData = tff.simulation.datasets.ClientData

__all__ = [
    "BATCH_SIZE",
    "SEQUENCE_LENGTH_CHARS",
    "SHUFFLE_BUFFER",
    "SmallClientWarning",
    "element_spec",
    "encode_tensor",
    "find_trainable_clients",
    "make_batches",
    "report_client",
    "split_input_target",
    "split_into_sequences",
]


def encode_tensor(text: tf.Tensor, *, unknown: str = "replace") -> tf.Tensor:
    """`fedlab.vocabulary.encode` as TensorFlow operations, for use in a tf.data pipeline.

    Args:
      text: string scalar, UTF-8.
      unknown: "error", "drop" or "replace", as there (a pipeline cannot warn; see ClientReport).

    Returns:
      int64 tensor of shape [characters kept].
    """
    vocabulary.check_unknown_policy(unknown)
    table = vocabulary.look_up("".join(map(chr, range(256)))).astype("int64")
    code_points = tf.strings.unicode_decode(text, "UTF-8")
    ids = tf.gather(tf.constant(table), tf.minimum(code_points, len(table) - 1))
    is_unknown = ids == vocabulary.UNKNOWN_ID
    if unknown == "drop":
        return tf.boolean_mask(ids, ~is_unknown)
    if unknown == "replace":
        replacement = vocabulary.CHARACTERS.index(vocabulary.REPLACEMENT_CHARACTER)
        return tf.where(is_unknown, tf.constant(replacement, tf.int64), ids)
    message = "The text holds characters outside the vocabulary; drop or replace them (argument unknown)."
    all_known = tf.debugging.assert_equal(is_unknown, False, message=message)
    with tf.control_dependencies([] if all_known is None else [all_known]):
        return tf.identity(ids)


def split_into_sequences(ids: tf.Tensor, sequence_length_chars: int = SEQUENCE_LENGTH_CHARS) -> tf.Tensor:
    """Cuts ids into windows that do not overlap; the rest at the end is left out.

    With sequence_length_chars=2, "ABCDEFG" -> ["ABC", "DEF"].

    Args:
      ids: int64 tensor of shape [characters].
      sequence_length_chars: inputs per window; a window holds one more, the last target.

    Returns:
      int64 tensor of shape [windows, sequence_length_chars + 1].
    """
    size = sequence_length_chars + 1
    return tf.reshape(ids[: tf.size(ids) // size * size], [-1, size])


def split_input_target(window: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Pairs each character with the one that follows it.

    "ABCD" -> inputs "ABC", targets "BCD".

    Args:
      window: int64 tensor of shape [batch, sequence_length + 1].

    Returns:
      (inputs, targets), each int64 of shape [batch, sequence_length].
    """
    return window[:, :-1], window[:, 1:]


def make_batches(
    snippets: tf.data.Dataset,
    *,
    epochs: int = 1,
    shuffle_seed: int | None = None,
    **settings: typing.Any,
) -> tf.data.Dataset:
    """Turns one client's speeches into training batches.

    The speeches are read at once, when the dataset is there to be read: outside graphs. In a graph, as in a
    `tff.tensorflow.computation`, the same batches are made of TensorFlow's operations.

    Args:
      snippets: tf.data.Dataset of OrderedDict(snippets=string scalar), as ClientData gives.
      epochs: how often the client's text is gone through; each pass in its own order when shuffled.
      shuffle_seed: int to shuffle the windows repeatably, None to keep their order.
      **settings: of `Preprocessing`: batch_size, sequence_length_chars, unknown, shuffle_buffer.

    Returns:
      tf.data.Dataset of (inputs, targets), each int64 [batch_size, sequence_length_chars]. Empty when
      the text is shorter than one batch.

    Raises:
      ValueError: a number below 1, or an unknown policy.
      UnknownCharacterError: unknown="error", and the text holds such a character; in a graph it is
        TensorFlow's InvalidArgumentError, when the batches are read.
    """
    check_whole_numbers(epochs=epochs)
    preprocessing = Preprocessing(**settings)
    if tf.executing_eagerly():
        windows = preprocessing.windows(b"".join(read_dataset(snippets)))
        return preprocessing.batches(windows, epochs=epochs, shuffle_seed=shuffle_seed)
    windows = _windows_in_graph(snippets, preprocessing)
    return preprocessing.shuffle_and_batch(windows, epochs=epochs, shuffle_seed=shuffle_seed)


def _windows_in_graph(snippets: tf.data.Dataset, preprocessing: Preprocessing) -> tf.data.Dataset:
    """A dataset of windows, one by one: (inputs, targets), each int64 [sequence_length_chars]."""

    def windows(unused_start):
        # Not snippets.batch(everything): tf.data fuses it with a map before it, and the fused
        # operation makes room for the largest batch there could be.
        text = snippets.reduce("", lambda joined, example: joined + example["snippets"])
        ids = encode_tensor(text, unknown=preprocessing.unknown)
        windows = split_into_sequences(ids, preprocessing.sequence_length_chars)
        return tf.data.Dataset.from_tensor_slices(split_input_target(windows))

    return tf.data.Dataset.from_tensors(0).flat_map(windows)


def element_spec(
    batch_size: int = BATCH_SIZE, sequence_length_chars: int = SEQUENCE_LENGTH_CHARS
) -> tuple[tf.TensorSpec, tf.TensorSpec]:
    """The type of a batch: (inputs, targets), each int64 [batch_size, sequence_length_chars]."""
    return Preprocessing(batch_size, sequence_length_chars).element_spec


def report_client(clients: ClientData, client_id: str, **settings: typing.Any) -> ClientReport:
    """Counts what `make_batches` makes of one client, without making it.

    Args:
      clients: ClientData of speeches.
      client_id: one of its clients.
      **settings: of `Preprocessing`, as for `make_batches`.

    Returns:
      ClientReport.
    """
    return Preprocessing(**settings).report(client_id, read_speeches(clients, client_id))


def find_trainable_clients(
    clients: ClientData, client_ids: Iterable[str] | None = None, **settings: typing.Any
) -> tuple[list[ClientReport], list[ClientReport]]:
    """Sorts clients by whether they have at least one batch, and says which have not.

    Args:
      clients: ClientData of speeches.
      client_ids: the ids to look at; default all.
      **settings: of `Preprocessing`, as for `make_batches`.

    Returns:
      (trainable, too_small): lists of ClientReport in the order of the ids.

    Raises:
      UnknownCharacterError: unknown="error", and some text is not in the vocabulary.

    Warns:
      SmallClientWarning: some are too small; UnknownCharacterWarning: some text is not in the vocabulary.
    """
    preprocessed = preprocess_clients(clients, client_ids, Preprocessing(**settings))
    preprocessed.warn(stacklevel=3)
    return preprocessed.trainable, preprocessed.too_small
