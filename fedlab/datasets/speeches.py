"""Reads clients' speeches, as text, from a `ClientData` of TFF's: one client's, or everybody's in one go."""

import tensorflow as tf

from fedlab.interrupts import uninterrupted, uninterrupted_items

_EXAMPLES_AT_ONCE = 512


@uninterrupted()
def read_snippets(clients, client_id):
    """One client's speeches as they are stored: a list of bytes, in UTF-8.

    Args:
      clients: ClientData whose examples are OrderedDict(snippets=string scalar).
      client_id: one of its clients.
    """
    examples = clients.create_tf_dataset_for_client(client_id).as_numpy_iterator()
    return [example["snippets"] for example in examples]


def read_speeches(clients, client_id):
    """One client's speeches as a list of str; for the arguments see `read_snippets`."""
    return [_as_text(snippet) for snippet in read_snippets(clients, client_id)]


def read_all_speeches(clients):
    """Everybody's speeches, in one pass of one pipeline: {client id: list of str}.

    A pipeline for each client would take most of its time to be built.

    Args:
      clients: as for `read_snippets`.
    """

    def with_id(client_id):
        dataset = clients.serializable_dataset_fn(client_id)
        return dataset.map(lambda example: (client_id, example["snippets"]))

    speeches = {client_id: [] for client_id in clients.client_ids}
    if not speeches:
        return speeches
    pairs = tf.data.Dataset.from_tensor_slices(list(speeches)).flat_map(with_id)
    for client_ids, snippets in uninterrupted_items(pairs.batch(_EXAMPLES_AT_ONCE).as_numpy_iterator()):
        for client_id, snippet in zip(client_ids, snippets, strict=True):
            speeches[client_id.decode()].append(_as_text(snippet))
    return speeches


def _as_text(snippet):
    return snippet.decode("utf-8", errors="replace")
