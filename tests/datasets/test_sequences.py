import collections

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff

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


def snippets_of(*texts: str | bytes) -> tf.data.Dataset:
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


SETTINGS_OF_TWO = dict(batch_size=1, sequence_length_chars=2)


def test_unknown_characters_can_be_an_error_that_names_them():
    with pytest.raises(vocabulary.UnknownCharacterError, match="1 character .*'é' x1"):
        make_batches(snippets_of("aébcd"), unknown="error", **SETTINGS_OF_TWO)
    assert len(list(make_batches(snippets_of("aebcd"), unknown="error", **SETTINGS_OF_TWO))) == 1


def in_a_graph(snippets, spec, **settings):
    """The batches that TensorFlow's operations make, without the text being known: one array."""

    @tf.function
    def read(variant):
        dataset = tf.data.experimental.from_variant(variant, snippets.element_spec)
        batches = make_batches(dataset, **settings)
        assert not tf.executing_eagerly()
        return tf.data.experimental.to_variant(batches)

    made = read(tf.data.experimental.to_variant(snippets))
    return stacked(tf.data.experimental.from_variant(made, spec))


@pytest.mark.parametrize(
    "settings",
    [
        dict(),
        dict(epochs=2, shuffle_seed=1_000_003),
        dict(batch_size=3, sequence_length_chars=20, shuffle_seed=7),
        dict(unknown="drop", shuffle_buffer=5, shuffle_seed=2),
    ],
)
def test_batches_made_in_a_graph_are_those_made_outside(settings):
    text = load_shakespeare()[0].text("HAMLET_HAMLET")
    snippets = snippets_of(text[:1000], "naïve Zoë", b"\xff\xc3(", "", text[1000:])
    outside = make_batches(snippets, **settings)
    inside = in_a_graph(snippets, outside.element_spec, **settings)
    assert len(inside) > 5
    np.testing.assert_array_equal(inside, stacked(outside))


def test_unknown_characters_can_be_an_error_in_a_graph():
    with pytest.raises(tf.errors.InvalidArgumentError, match="outside the vocabulary; drop or replace"):
        in_a_graph(snippets_of("aébcd"), element_spec(1, 2), unknown="error", **SETTINGS_OF_TWO)


def test_batches_are_the_same_inside_a_tff_computation():
    train, _ = load_shakespeare()

    @tff.tensorflow.computation(tff.SequenceType(collections.OrderedDict(snippets=np.str_)))
    def add_up(snippets):
        batches = make_batches(snippets, shuffle_seed=3)
        numbers = batches.enumerate(1).map(lambda number, batch: number * tf.reduce_sum(batch[0] * batch[1]))
        return numbers.reduce(np.int64(0), lambda total, number: total + number)

    snippets = train.create_tf_dataset_for_client("OTHELLO_IAGO")
    batches = stacked(make_batches(snippets, shuffle_seed=3))
    by_hand = sum(number * int((i * t).sum()) for number, (i, t) in enumerate(batches, 1))
    assert add_up(snippets) == by_hand


def test_batches_are_read_by_tff_computations_as_they_are_here():
    batches = make_batches(load_shakespeare()[0].create_tf_dataset_for_client("OTHELLO_IAGO"), shuffle_seed=3)

    @tff.tensorflow.computation(tff.SequenceType(element_spec_of_tff()))
    def first_of_each(batches):
        return batches.map(lambda inputs, targets: inputs[0, 0] * 1000 + targets[0, 0]).batch(100).take(1)

    (read,) = first_of_each(batches)
    assert list(read) == [i[0, 0] * 1000 + t[0, 0] for i, t in stacked(batches)]


def element_spec_of_tff():
    return tuple(tff.TensorType(spec.dtype.as_numpy_dtype, spec.shape) for spec in element_spec())


def test_client_data_can_be_preprocessed_by_tff():
    train, _ = load_shakespeare()
    preprocessed = train.preprocess(make_batches)
    made = stacked(preprocessed.create_tf_dataset_for_client("HAMLET_HAMLET"))
    computed = stacked(preprocessed.dataset_computation("HAMLET_HAMLET"))
    wanted = stacked(make_batches(train.create_tf_dataset_for_client("HAMLET_HAMLET")))
    np.testing.assert_array_equal(made, wanted)
    np.testing.assert_array_equal(computed, wanted)


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
