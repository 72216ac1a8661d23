"""From speeches to batches: the pipeline of TFF's text-generation tutorial, vectorised.

A client's speeches are joined, cut into windows of 101 characters, shuffled, batched by 8, and each
window becomes 100 inputs with their 100 targets, the characters that follow. What does not fill a
window, and windows that do not fill a batch, are left out (`drop_remainder`: TFF wants static shapes).
"""

import warnings

import numpy as np
import tensorflow as tf

from fedlab import vocabulary
from fedlab.arguments import check_whole_numbers
from fedlab.datasets.reports import BATCH_SIZE, SEQUENCE_LENGTH_CHARS, report_speeches
from fedlab.datasets.speeches import read_speeches

SHUFFLE_BUFFER = 10_000

_UNKNOWN = -1


class SmallClientWarning(UserWarning):
    """Some clients have too little text for a single batch and take no part."""


def _ids_by_code_point():
    table = np.full(256, _UNKNOWN, np.int64)
    for index, character in enumerate(vocabulary.CHARACTERS):
        table[ord(character)] = index
    return table


_ID_BY_CODE_POINT = _ids_by_code_point()
_REPLACEMENT_ID = np.int64(vocabulary.CHARACTERS.index(vocabulary.REPLACEMENT_CHARACTER))


def encode_tensor(text, *, unknown="replace"):
    """`fedlab.vocabulary.encode` as TensorFlow operations, for use in a tf.data pipeline.

    Args:
      text: string scalar, UTF-8.
      unknown: "error", "drop" or "replace", as there (a pipeline cannot warn; see ClientReport).

    Returns:
      int64 tensor of shape [characters kept].
    """
    vocabulary.check_unknown_policy(unknown)
    code_points = tf.strings.unicode_decode(text, "UTF-8")
    code_points = tf.minimum(code_points, len(_ID_BY_CODE_POINT) - 1)
    ids = tf.gather(tf.constant(_ID_BY_CODE_POINT), code_points)
    if unknown == "drop":
        return tf.boolean_mask(ids, ids != _UNKNOWN)
    if unknown == "replace":
        return tf.where(ids == _UNKNOWN, _REPLACEMENT_ID, ids)
    message = "The text holds characters outside the vocabulary; drop or replace them (argument unknown)."
    all_known = tf.debugging.assert_none_equal(ids, np.int64(_UNKNOWN), message=message)
    with tf.control_dependencies([all_known]):
        return tf.identity(ids)


def split_into_sequences(ids, sequence_length_chars=SEQUENCE_LENGTH_CHARS):
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


def split_input_target(window):
    """Pairs each character with the one that follows it.

    "ABCD" -> inputs "ABC", targets "BCD".

    Args:
      window: int64 tensor of shape [batch, sequence_length + 1].

    Returns:
      (inputs, targets), each int64 of shape [batch, sequence_length].
    """
    return window[:, :-1], window[:, 1:]


def make_batches(
    snippets,
    *,
    batch_size=BATCH_SIZE,
    sequence_length_chars=SEQUENCE_LENGTH_CHARS,
    epochs=1,
    shuffle_seed=None,
    unknown="replace",
):
    """Turns one client's speeches into training batches.

    Args:
      snippets: tf.data.Dataset of OrderedDict(snippets=string scalar), as ClientData gives.
      batch_size: windows per batch.
      sequence_length_chars: characters per input.
      epochs: how often the client's text is gone through; each pass in its own order when shuffled.
      shuffle_seed: int to shuffle the windows repeatably, None to keep their order.
      unknown: policy for characters outside the vocabulary: "error", "drop" or "replace".

    Returns:
      tf.data.Dataset of (inputs, targets), each int64 [batch_size, sequence_length_chars]. Empty when
      the text is shorter than one batch.

    Raises:
      ValueError: a number below 1, or an unknown policy.
    """
    check_whole_numbers(batch_size=batch_size, sequence_length_chars=sequence_length_chars, epochs=epochs)
    vocabulary.check_unknown_policy(unknown)

    def windows(unused_start):
        # Not snippets.batch(everything): tf.data fuses it with a map before it, and the fused
        # operation makes room for the largest batch there could be.
        text = snippets.reduce("", lambda joined, example: joined + example["snippets"])
        ids = encode_tensor(text, unknown=unknown)
        return tf.data.Dataset.from_tensor_slices(split_into_sequences(ids, sequence_length_chars))

    dataset = tf.data.Dataset.from_tensors(0).flat_map(windows)
    dataset = dataset.map(lambda window: tf.ensure_shape(window, [sequence_length_chars + 1]))
    if shuffle_seed is not None:
        dataset = dataset.shuffle(SHUFFLE_BUFFER, seed=shuffle_seed)
    dataset = dataset.batch(batch_size, drop_remainder=True).map(split_input_target)
    return dataset.repeat(epochs) if epochs > 1 else dataset


def element_spec(batch_size=BATCH_SIZE, sequence_length_chars=SEQUENCE_LENGTH_CHARS):
    """The type of a batch: (inputs, targets), each int64 [batch_size, sequence_length_chars]."""
    spec = tf.TensorSpec([batch_size, sequence_length_chars], tf.int64)
    return (spec, spec)


def report_client(clients, client_id, **settings):
    """Counts what `make_batches` makes of one client, without making it.

    Args:
      clients: ClientData of speeches.
      client_id: one of its clients.
      **settings: batch_size, sequence_length_chars and unknown, as for `make_batches`.

    Returns:
      ClientReport.
    """
    return report_speeches(client_id, read_speeches(clients, client_id), **settings)


def find_trainable_clients(clients, client_ids=None, **settings):
    """Sorts clients by whether they have at least one batch, and says which have not.

    Args:
      clients: ClientData of speeches.
      client_ids: the ids to look at; default all.
      **settings: batch_size, sequence_length_chars and unknown, as for `report_client`.

    Returns:
      (trainable, too_small): lists of ClientReport in the order of the ids.

    Warns:
      SmallClientWarning: some are too small; UnknownCharacterWarning: some text is not in the vocabulary.
    """
    ids = list(clients.client_ids) if client_ids is None else list(client_ids)
    reports = [report_client(clients, client_id, **settings) for client_id in ids]
    too_small = [report for report in reports if report.is_too_small]
    if too_small:
        listing = ", ".join(f"{report.client_id} ({report.num_characters})" for report in too_small[:5])
        more = f" and {len(too_small) - 5} more" if len(too_small) > 5 else ""
        needed = _characters_of_a_batch(**settings)
        warnings.warn(
            f"{len(too_small)} of {len(ids)} clients have less than the {needed} characters of one batch "
            f"and take no part: {listing}{more}.",
            SmallClientWarning,
            stacklevel=2,
        )
    _warn_of_unknown_characters(reports, settings.get("unknown", "replace"))
    return [report for report in reports if not report.is_too_small], too_small


def _characters_of_a_batch(batch_size=BATCH_SIZE, sequence_length_chars=SEQUENCE_LENGTH_CHARS, **unused):
    return batch_size * (sequence_length_chars + 1)


def _warn_of_unknown_characters(reports, unknown):
    affected = {report.client_id: report.num_unknown for report in reports if report.num_unknown}
    if not affected:
        return
    total = sum(affected.values())
    listing = ", ".join(f"{client_id} ({count})" for client_id, count in list(affected.items())[:5])
    if unknown == "error":
        raise vocabulary.UnknownCharacterError(
            f"{total} characters are outside the vocabulary: {listing}. Use unknown='drop' or 'replace'."
        )
    done = "dropped" if unknown == "drop" else f"replaced by {vocabulary.REPLACEMENT_CHARACTER!r}"
    warnings.warn(
        f"{total} characters outside the vocabulary are {done}: {listing}.",
        vocabulary.UnknownCharacterWarning,
        stacklevel=3,
    )
