"""Source "tff": a file in the format of TFF's dataset, served over HTTP."""

import lzma
import sqlite3

import pytest
import tensorflow as tf

from fedlab.datasets import load_shakespeare
from fedlab.downloads import DownloadError

SPEECHES = {
    ("train", "PLAY_ANN"): ["First.", "Second,\nin two lines."],
    ("train", "PLAY_BOB"): ["Mine."],
    ("test", "PLAY_ANN"): ["Last."],
    ("test", "PLAY_BOB"): ["Mine too."],
}


def write_database(path, speeches):
    """Writes the SQLite schema that TFF's reader expects."""
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE examples (split_name TEXT, client_id TEXT, serialized_example_proto BLOB)"
    )
    connection.execute("CREATE TABLE client_metadata (client_id TEXT, split_name TEXT, num_examples INTEGER)")
    for (part, client_id), texts in speeches.items():
        connection.execute("INSERT INTO client_metadata VALUES (?, ?, ?)", (client_id, part, len(texts)))
        for text in texts:
            feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))
            example = tf.train.Example(features=tf.train.Features(feature={"snippets": feature}))
            connection.execute(
                "INSERT INTO examples VALUES (?, ?, ?)", (part, client_id, example.SerializeToString())
            )
    connection.commit()
    connection.close()


@pytest.fixture
def served(mirror, tmp_path):
    """Serves SPEECHES as TFF's file; returns its path."""
    write_database(tmp_path / "made.sqlite", SPEECHES)
    path = mirror.folder / "shakespeare.sqlite.lzma"
    path.write_bytes(lzma.compress((tmp_path / "made.sqlite").read_bytes()))
    return path


def load(tmp_path):
    return load_shakespeare("tff", cache_dir=tmp_path / "cache")


def kept_in(tmp_path):
    return sorted(path.name for path in (tmp_path / "cache").rglob("*") if path.is_file())


def test_clients_and_speeches_are_those_of_the_file(served, mirror, tmp_path):
    train, test = load(tmp_path)
    assert train.client_ids == test.client_ids == ["PLAY_ANN", "PLAY_BOB"]
    assert train.speeches("PLAY_ANN") == SPEECHES["train", "PLAY_ANN"]
    assert test.text("PLAY_BOB") == "Mine too."
    load(tmp_path)
    assert mirror.requests == ["/shakespeare.sqlite.lzma"]


def test_it_is_a_client_data_inside_tff_too(served, tmp_path):
    train, _ = load(tmp_path)
    computed = [example["snippets"].numpy() for example in train.dataset_computation("PLAY_BOB")]
    assert computed == [b"Mine."]
    with pytest.raises(ValueError, match="did you mean 'PLAY_ANN'"):
        train.create_tf_dataset_for_client("PLAY_ANNE")


def test_file_cut_off_on_the_server_is_refused(served, tmp_path):
    served.write_bytes(served.read_bytes()[:-40])
    with pytest.raises(DownloadError, match="not what it should be.*Nothing was kept"):
        load(tmp_path)
    assert kept_in(tmp_path) == []


def test_file_that_is_no_lzma_is_refused(served, tmp_path):
    served.write_bytes(b"<html>Sign in to the campus network</html>")
    with pytest.raises(DownloadError, match="not a complete LZMA file"):
        load(tmp_path)
    assert kept_in(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"no database" * 100, "not a client database"), (b"", "not a client database")],
)
def test_packed_file_that_is_no_database_is_refused(served, tmp_path, content, reason):
    served.write_bytes(lzma.compress(content))
    with pytest.raises(DownloadError, match=reason):
        load(tmp_path)
    assert kept_in(tmp_path) == []


def test_database_without_a_test_part_is_refused(served, tmp_path):
    write_database(tmp_path / "other.sqlite", {("train", "PLAY_ANN"): ["Alone."]})
    served.write_bytes(lzma.compress((tmp_path / "other.sqlite").read_bytes()))
    with pytest.raises(DownloadError, match="expected clients in the parts 'train' and 'test'"):
        load(tmp_path)
    assert kept_in(tmp_path) == []


def test_damaged_cache_is_refused_by_name(served, tmp_path):
    load(tmp_path)
    path = tmp_path / "cache" / "shakespeare.sqlite"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DownloadError, match=r"shakespeare.sqlite .*Delete it"):
        load(tmp_path)
