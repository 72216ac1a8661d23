import os
import sqlite3

import psutil
import pytest
import tensorflow as tf
import tensorflow_federated as tff

from fedlab.datasets.federated_text import from_speeches, from_sqlite

SPEECHES = {"PLAY_ANN": ["One.", "Naïve,\ntwo lines."], "PLAY_O'BRIEN": ["Mine."], "PLAY_ZOE": []}


@pytest.fixture
def stored(tmp_path):
    """SPEECHES in TFF's format, with rows of two clients in turn, and another part beside."""
    path = tmp_path / "stored.sqlite"
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE examples (split_name TEXT, client_id TEXT, serialized_example_proto BLOB)"
    )
    connection.execute("CREATE TABLE client_metadata (client_id TEXT, split_name TEXT, num_examples INTEGER)")
    for client_id, speeches in SPEECHES.items():
        connection.execute("INSERT INTO client_metadata VALUES (?, 'train', ?)", (client_id, len(speeches)))
    rows = [("train", *row) for row in (("PLAY_ANN", 0), ("PLAY_O'BRIEN", 0), ("PLAY_ANN", 1))]
    for part, client_id, number in [*rows, ("test", "PLAY_ANN", 1)]:
        text = SPEECHES[client_id][number].encode()
        feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[text]))
        example = tf.train.Example(features=tf.train.Features(feature={"snippets": feature}))
        values = (part, client_id, example.SerializeToString())
        connection.execute("INSERT INTO examples VALUES (?, ?, ?)", values)
    connection.commit()
    connection.close()
    return from_sqlite(path, "train")


@pytest.fixture
def in_memory():
    return from_speeches(SPEECHES)


def snippets(dataset):
    return [example["snippets"].numpy().decode() for example in dataset]


@pytest.mark.parametrize("source", ["stored", "in_memory"])
def test_speeches_are_the_same_however_they_are_asked_for(source, request):
    clients = request.getfixturevalue(source)
    assert clients.client_ids == sorted(SPEECHES)
    for client_id, speeches in SPEECHES.items():
        assert clients.speeches(client_id) == speeches
        assert clients.text(client_id) == "".join(speeches)
        assert snippets(clients.create_tf_dataset_for_client(client_id)) == speeches
        assert snippets(clients.serializable_dataset_fn(tf.constant(client_id))) == speeches
        assert snippets(clients.dataset_computation(client_id)) == speeches
    assert isinstance(clients, tff.simulation.datasets.ClientData)


def test_a_clients_dataset_holds_nothing_of_the_others():
    large = from_speeches({"A": ["alone"], "B": ["x" * 100_000]})
    graph = tf.raw_ops.DatasetToGraphV2(
        input_dataset=tf.data.experimental.to_variant(large.create_tf_dataset_for_client("A"))
    )
    assert b"alone" in graph.numpy()
    assert len(graph.numpy()) < 10_000


def test_what_a_client_has_cannot_be_changed_by_who_reads_it(in_memory):
    in_memory.snippets("PLAY_ANN").clear()
    assert in_memory.speeches("PLAY_ANN") == SPEECHES["PLAY_ANN"]


@pytest.mark.skipif(os.name == "nt", reason="Windows does not count a process's open files this way")
def test_reading_a_stored_part_leaves_no_file_open(stored):
    before = [file.path for file in psutil.Process().open_files()]
    for client_id in stored.client_ids:
        list(stored.create_tf_dataset_for_client(client_id))
    assert [file.path for file in psutil.Process().open_files()] == before
    assert not any(path.endswith("stored.sqlite") for path in before)
