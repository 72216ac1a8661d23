"""Reads clients' speeches, as text, from a `ClientData` of TFF's: one client's, or many in one go."""

from __future__ import annotations

import typing
from collections.abc import Iterable

import tensorflow as tf

from fedlab.datasets.client_names import check_client_id
from fedlab.interrupts import uninterrupted, uninterrupted_items

if typing.TYPE_CHECKING:
    import tensorflow_federated as tff

    ClientData = tff.simulation.datasets.ClientData

_EXAMPLES_AT_ONCE = 512


def read_snippets(clients: ClientData, client_id: str) -> list[bytes]:
    """One client's speeches as they are stored, in UTF-8.

    Args:
      clients: ClientData whose examples are OrderedDict(snippets=string scalar).
      client_id: one of its clients.
    """
    if hasattr(clients, "snippets"):
        return clients.snippets(client_id)
    return read_dataset(clients.create_tf_dataset_for_client(client_id))


@uninterrupted()
def read_dataset(dataset: tf.data.Dataset) -> list[bytes]:
    """The speeches of a dataset of OrderedDict(snippets=string scalar), in UTF-8."""
    # Many at once: each step from TensorFlow to Python costs more than a speech.
    batches = dataset.batch(_EXAMPLES_AT_ONCE).as_numpy_iterator()
    return [snippet for batch in batches for snippet in batch["snippets"].tolist()]


def read_all_snippets(clients: ClientData, client_ids: Iterable[str] | None = None) -> dict[str, list[bytes]]:
    """The speeches of many clients: {client id: list of bytes}, read in one pass.

    A pipeline for each client would take most of its time to be built.

    Args:
      clients: as for `read_snippets`.
      client_ids: the clients to read; default all.

    Raises:
      ValueError: an id that is not in the dataset; with suggestions.
    """
    known = clients.client_ids
    ids = list(known if client_ids is None else client_ids)
    if client_ids is not None:
        among = frozenset(known)
        for client_id in ids:
            if client_id not in among:
                check_client_id(client_id, known)
    if hasattr(clients, "snippets"):
        return {client_id: clients.snippets(client_id) for client_id in ids}
    return _read_in_one_pass(clients, ids) if ids else {}


def _read_in_one_pass(clients: ClientData, client_ids: list[str]) -> dict[str, list[bytes]]:
    def with_id(client_id):
        dataset = clients.serializable_dataset_fn(client_id)
        return dataset.map(lambda example: (client_id, example["snippets"]))

    snippets = {client_id: [] for client_id in client_ids}
    pairs = tf.data.Dataset.from_tensor_slices(list(snippets)).flat_map(with_id)
    batches = pairs.batch(_EXAMPLES_AT_ONCE).as_numpy_iterator()
    for ids, texts in uninterrupted_items(batches):
        for client_id, text in zip(ids.tolist(), texts.tolist(), strict=True):
            snippets[client_id.decode()].append(text)
    return snippets


def read_speeches(clients: ClientData, client_id: str) -> list[str]:
    """One client's speeches as a list of str; for the arguments see `read_snippets`."""
    return [_as_text(snippet) for snippet in read_snippets(clients, client_id)]


def read_all_speeches(clients: ClientData) -> dict[str, list[str]]:
    """Everybody's speeches: {client id: list of str}; for the argument see `read_all_snippets`."""
    return {
        client_id: [_as_text(snippet) for snippet in snippets]
        for client_id, snippets in read_all_snippets(clients).items()
    }


def _as_text(snippet: bytes) -> str:
    return snippet.decode("utf-8", errors="replace")
