"""Texts by client as TFF's `ClientData`, with errors that help.

This is the one file below `training` that imports TFF: what it makes is a `ClientData`. It is
itself imported only when a dataset is loaded.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

from fedlab.datasets.client_names import check_client_id

DatasetFn = Callable[[tf.Tensor], tf.data.Dataset]


class FederatedText(tff.simulation.datasets.ClientData):
    """A `ClientData` whose examples are OrderedDict(snippets=string scalar), one per speech.

    The speeches are in memory. A client's dataset is made of its own alone; TFF's computations, which do
    not know the client before they run, get datasets from a function of the client's id.
    """

    def __init__(
        self,
        client_ids: Iterable[str],
        dataset_fn: DatasetFn,
        read_snippets: Callable[[], Mapping[str, list[bytes]]],
    ) -> None:
        """Makes a FederatedText.

        Args:
          client_ids: str.
          dataset_fn: TF-traceable function from a client id, a string tensor, to its dataset.
          read_snippets: function that gives everybody's speeches in UTF-8, called when the first are asked
            for; clients without speeches may be missing.
        """
        self._client_ids = sorted(client_ids)
        self._known = frozenset(self._client_ids)
        self._dataset_fn = dataset_fn
        self._read_snippets = functools.cache(read_snippets)

    @property
    def client_ids(self) -> list[str]:
        return list(self._client_ids)

    @property
    def serializable_dataset_fn(self) -> DatasetFn:
        return self._dataset_fn

    @property
    def element_type_structure(self) -> collections.OrderedDict:
        return collections.OrderedDict(snippets=tf.TensorSpec([], tf.string))

    def create_tf_dataset_for_client(self, client_id: str) -> tf.data.Dataset:
        """The speeches of one client; ValueError with suggestions when there is no such client."""
        return _dataset_of(tf.constant(self.snippets(client_id), tf.string))

    def snippets(self, client_id: str) -> list[bytes]:
        """The speeches of one client in UTF-8; errors as from `create_tf_dataset_for_client`."""
        if not isinstance(client_id, str) or client_id not in self._known:
            check_client_id(client_id, self._client_ids)
        return list(self._read_snippets().get(client_id, ()))

    def speeches(self, client_id: str) -> list[str]:
        """The speeches of one client as a list of str."""
        return [snippet.decode() for snippet in self.snippets(client_id)]

    def text(self, client_id: str) -> str:
        """The speeches of one client joined as preprocessing joins them: one after the other."""
        return b"".join(self.snippets(client_id)).decode()


def _dataset_of(snippets: tf.Tensor) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(collections.OrderedDict(snippets=snippets))


def from_speeches(speeches_by_client: Mapping[str, Iterable[str]]) -> FederatedText:
    """Makes a FederatedText of {client id: list of str}; a client may have no speeches."""
    client_ids = sorted(speeches_by_client)
    snippets = {
        client_id: [speech.encode() for speech in speeches_by_client[client_id]] for client_id in client_ids
    }
    bounds = np.cumsum([0, *map(len, snippets.values())])

    def dataset_fn(client_id):
        # Constants of the graph that calls, with everybody's text: a graph of TFF's has nothing else to
        # read from, and learns whose text it reads only when it runs.
        row = tf.argmax(tf.equal(tf.constant(client_ids), client_id))
        first, last = tf.constant(bounds)[row], tf.constant(bounds)[row + 1]
        everybodys = [snippet for one in snippets.values() for snippet in one]
        return _dataset_of(tf.constant(everybodys, tf.string)[first:last])

    return FederatedText(client_ids, dataset_fn, lambda: snippets)


def from_sqlite(path: str | os.PathLike, part: str) -> FederatedText:
    """Makes a FederatedText of one part ("train" or "test") of TFF's SQLite file.

    The file is read once, when the first speeches are asked for, and closed again. (TFF's own
    `SqlClientData` opens it anew for every client and leaves closing it to the garbage collector.)
    """
    path = os.fspath(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        query = "SELECT DISTINCT client_id FROM client_metadata WHERE split_name = ?"
        client_ids = [client_id for (client_id,) in connection.execute(query, (part,))]

    def dataset_fn(client_id):
        quoted = tf.strings.join(["'", tf.strings.regex_replace(client_id, "'", "''"), "'"])
        rows_of_client = f"FROM examples WHERE split_name = '{part}' AND client_id = "
        query = tf.strings.join(["SELECT serialized_example_proto ", rows_of_client, quoted])
        rows = tf.data.experimental.SqlDataset("sqlite", path, query, output_types=tf.string)
        return rows.map(_parse)

    return FederatedText(client_ids, dataset_fn, functools.partial(_read_sqlite, path, part))


def _parse(serialized: tf.Tensor) -> collections.OrderedDict:
    features = {"snippets": tf.io.FixedLenFeature(shape=(), dtype=tf.string)}
    return collections.OrderedDict(snippets=tf.io.parse_example(serialized, features)["snippets"])


def _read_sqlite(path: str, part: str) -> dict[str, list[bytes]]:
    """Everybody's speeches in one part of a file, each client's in the order of the file."""
    snippets = collections.defaultdict(list)
    query = "SELECT client_id, serialized_example_proto FROM examples WHERE split_name = ? ORDER BY rowid"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for client_id, serialized in connection.execute(query, (part,)):
            features = tf.train.Example.FromString(serialized).features.feature
            snippets[client_id].append(features["snippets"].bytes_list.value[0])
    return dict(snippets)
