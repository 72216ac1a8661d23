"""Texts by client as TFF's `ClientData`, with errors that help.

This is the one file below `training` that imports TFF: what it makes is a `ClientData`. It is
itself imported only when a dataset is loaded.
"""

import collections
import gc
import warnings

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff
from tensorflow_federated.python.simulation.datasets.sql_client_data import SqlClientData

from fedlab.datasets.client_names import check_client_id
from fedlab.datasets.speeches import read_snippets


class FederatedText(tff.simulation.datasets.ClientData):
    """A `ClientData` whose examples are OrderedDict(snippets=string scalar), one per speech."""

    def __init__(self, client_ids, dataset_fn):
        """Args: the ids, and a TF-traceable function from a client id to its dataset."""
        self._client_ids = sorted(client_ids)
        self._dataset_fn = dataset_fn

    @property
    def client_ids(self):
        return list(self._client_ids)

    @property
    def serializable_dataset_fn(self):
        return self._dataset_fn

    @property
    def element_type_structure(self):
        return collections.OrderedDict(snippets=tf.TensorSpec([], tf.string))

    def create_tf_dataset_for_client(self, client_id):
        """The speeches of one client; ValueError with suggestions when there is no such client."""
        check_client_id(client_id, self._client_ids)
        return self._dataset_fn(client_id)

    def speeches(self, client_id):
        """The speeches of one client as a list of str."""
        return [snippet.decode() for snippet in read_snippets(self, client_id)]

    def text(self, client_id):
        """The speeches of one client joined as preprocessing joins them: one after the other."""
        return "".join(self.speeches(client_id))


def from_speeches(speeches_by_client):
    """Makes a FederatedText of {client id: list of str}; a client may have no speeches."""
    client_ids = sorted(speeches_by_client)
    speeches = [speech for client_id in client_ids for speech in speeches_by_client[client_id]]
    lengths = [len(speeches_by_client[client_id]) for client_id in client_ids]
    bounds = np.concatenate([[0], np.cumsum(lengths)])

    def dataset_fn(client_id):
        # Constants of the graph that calls: this function also runs inside TFF computations.
        row = tf.argmax(tf.equal(tf.constant(client_ids), client_id))
        first, last = tf.constant(bounds)[row], tf.constant(bounds)[row + 1]
        chosen = tf.constant(speeches, tf.string)[first:last]
        return tf.data.Dataset.from_tensor_slices(collections.OrderedDict(snippets=chosen))

    return FederatedText(client_ids, dataset_fn)


def from_sqlite(path, part):
    """Makes a FederatedText of one part ("train" or "test") of TFF's SQLite file."""
    with warnings.catch_warnings():
        # TFF leaves its connections to the garbage collector, of which Python 3.13 complains: here
        # they are collected at once, in silence.
        warnings.simplefilter("ignore", ResourceWarning)
        stored = SqlClientData(str(path), split_name=part)
        gc.collect()

    def parse(serialized):
        features = {"snippets": tf.io.FixedLenFeature(shape=(), dtype=tf.string)}
        return collections.OrderedDict(snippets=tf.io.parse_example(serialized, features)["snippets"])

    def dataset_fn(client_id):
        return stored.serializable_dataset_fn(client_id).map(parse)

    return FederatedText(stored.client_ids, dataset_fn)
