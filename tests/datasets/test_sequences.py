import collections

import numpy as np
import pytest
import tensorflow as tf

from fedlab import vocabulary
from fedlab.datasets import load_shakespeare
from fedlab.datasets.federated_text import from_speeches
from fedlab.datasets.sequences import (
    SmallClientWarning,
    element_spec,
    find_trainable_clients,
    make_batches,
    report_client,
    split_input_target,
    split_into_sequences,
)


def tutorial_batches(snippets):
    """The pipeline of TFF's text-generation tutorial, written out as it stands there."""
    keys = tf.constant(list(vocabulary.CHARACTERS))
    values = tf.range(len(vocabulary.CHARACTERS), dtype=tf.int64)
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), default_value=0)

    def to_ids(example):
        characters = tf.strings.bytes_split(tf.reshape(example["snippets"], shape=[1])).values
        return table.lookup(characters)

    def split(chunk):
        return tf.map_fn(lambda x: x[:-1], chunk), tf.map_fn(lambda x: x[1:], chunk)

    windows = snippets.map(to_ids).unbatch().batch(101, drop_remainder=True)
    return windows.batch(8, drop_remainder=True).map(split)


def snippets_of(*texts):
    return tf.data.Dataset.from_tensor_slices(collections.OrderedDict(snippets=list(texts)))


def stacked(batches):
    return np.array([[inputs.numpy(), targets.numpy()] for inputs, targets in batches])


@pytest.mark.parametrize("client_id", ["HAMLET_HAMLET", "THE_MERCHANT_OF_VENICE_SHYLOCK"])
def test_batches_are_those_of_tffs_tutorial(client_id):
    snippets = load_shakespeare()[0].create_tf_dataset_for_client(client_id)
    ours, theirs = stacked(make_batches(snippets)), stacked(tutorial_batches(snippets))
    assert ours.shape == theirs.shape
    assert ours.shape[1:] == (2, 8, 100)
    assert len(ours) > 5
    np.testing.assert_array_equal(ours, theirs)


def test_batch_type_is_static_and_int64():
    batches = make_batches(snippets_of("x"))
    assert batches.element_spec == element_spec() == (tf.TensorSpec([8, 100], tf.int64),) * 2


def test_windows_do_not_overlap_and_the_rest_is_left_out():
    windows = split_into_sequences(tf.range(7), sequence_length_chars=2)
    assert windows.numpy().tolist() == [[0, 1, 2], [3, 4, 5]]


def test_targets_are_the_characters_that_follow():
    inputs, targets = split_input_target(tf.constant([[1, 2, 3, 4]]))
    assert inputs.numpy().tolist() == [[1, 2, 3]]
    assert targets.numpy().tolist() == [[2, 3, 4]]


def test_speeches_are_joined_before_they_are_cut():
    batches = make_batches(snippets_of("dh", "lp", "tx"), batch_size=1, sequence_length_chars=2)
    assert stacked(batches)[:, 0, 0].tolist() == [[0, 1], [3, 4]]


def test_shuffling_is_repeatable_and_loses_nothing():
    snippets = load_shakespeare()[0].create_tf_dataset_for_client("HAMLET_HAMLET")
    plain = stacked(make_batches(snippets))
    first, again, other = (stacked(make_batches(snippets, shuffle_seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, plain)
    windows = {tuple(row) for row in plain[:, 0].reshape(-1, 100)}
    assert len({tuple(row) for row in first[:, 0].reshape(-1, 100)} & windows) >= len(windows) - 8


def test_epochs_repeat_all_batches_each_in_its_own_order():
    snippets = load_shakespeare()[0].create_tf_dataset_for_client("HAMLET_HAMLET")
    one, three = (stacked(make_batches(snippets, epochs=epochs, shuffle_seed=5)) for epochs in (1, 3))
    assert len(three) == 3 * len(one)
    np.testing.assert_array_equal(three[: len(one)], one)
    assert not np.array_equal(three[len(one) : 2 * len(one)], one)


@pytest.mark.parametrize(("unknown", "expected"), [("drop", ["ab"]), ("replace", ["a?", "cd"])])
def test_unknown_characters_are_dropped_or_replaced_and_never_become_a_d(unknown, expected):
    batches = make_batches(snippets_of("aébcdé"), batch_size=1, sequence_length_chars=2, unknown=unknown)
    assert [vocabulary.decode(inputs[0].numpy()) for inputs, _ in batches] == expected


def test_unknown_characters_can_be_an_error_in_the_pipeline():
    batches = make_batches(snippets_of("aébcd"), batch_size=1, sequence_length_chars=2, unknown="error")
    with pytest.raises(tf.errors.InvalidArgumentError, match="outside the vocabulary; drop or replace"):
        list(batches)


def test_report_counts_what_the_pipeline_makes():
    clients = from_speeches({"A": ["d" * 900, "h" * 730], "B": ["d" * 807], "C": []})
    report = report_client(clients, "A")
    assert (report.num_speeches, report.num_characters, report.num_sequences) == (2, 1630, 16)
    assert (report.num_batches, report.num_characters_left_out) == (2, 14)
    assert len(list(make_batches(clients.create_tf_dataset_for_client("A")))) == report.num_batches
    assert report_client(clients, "B").is_too_small
    assert report_client(clients, "C").num_speeches == 0


def test_too_small_clients_are_named_with_what_they_lack():
    clients = from_speeches({"A": ["d" * 808], "B": ["d" * 807], "C": []})
    with pytest.warns(SmallClientWarning, match=r"2 of 3 clients.*808 characters.*B \(807\), C \(0\)"):
        trainable, too_small = find_trainable_clients(clients)
    assert [report.client_id for report in trainable] == ["A"]
    assert [report.client_id for report in too_small] == ["B", "C"]


def test_unknown_characters_of_clients_are_counted():
    clients = from_speeches({"A": ["é" * 5 + "d" * 900]})
    with pytest.warns(vocabulary.UnknownCharacterWarning, match=r"5 characters.*replaced by '\?': A \(5\)"):
        find_trainable_clients(clients)
    with pytest.raises(vocabulary.UnknownCharacterError, match=r"A \(5\)"):
        find_trainable_clients(clients, unknown="error")


@pytest.mark.parametrize("name", ["batch_size", "sequence_length_chars", "epochs"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True])
def test_numbers_below_one_are_named(name, value):
    with pytest.raises(ValueError, match=f"{name}={value}"):
        make_batches(snippets_of("x"), **{name: value})
