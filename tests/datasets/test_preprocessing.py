"""What Preprocessing makes of text, against windows cut and counted by hand."""

import numpy as np
import pytest
import tensorflow as tf

from fedlab.datasets.preprocessing import TUTORIAL, Preprocessing
from fedlab.vocabulary import CHARACTERS, UnknownCharacterError, decode

SMALL = Preprocessing(batch_size=2, sequence_length_chars=2)


def texts(windows):
    return [decode(window) for window in windows]


def test_the_tutorial_has_windows_of_101_and_batches_of_808_characters():
    assert (TUTORIAL.window_chars, TUTORIAL.batch_chars) == (101, 808)
    assert TUTORIAL.element_spec == (tf.TensorSpec([8, 100], tf.int64),) * 2


def test_text_is_cut_into_windows_and_its_end_is_left_out():
    assert texts(SMALL.windows("ABCDEFGH")) == ["ABC", "DEF"]
    assert SMALL.windows("AB").shape == (0, 3)


@pytest.mark.parametrize("as_given", [str, str.encode])
@pytest.mark.parametrize(("unknown", "expected"), [("replace", ["a?b", "c?d"]), ("drop", ["abc"])])
def test_unknown_characters_are_replaced_or_dropped(as_given, unknown, expected):
    windows = Preprocessing(sequence_length_chars=2, unknown=unknown).windows(as_given("aébc\U0001f600d"))
    assert texts(windows) == expected


def test_what_is_not_utf_8_counts_as_unknown():
    assert texts(SMALL.windows(b"a\xffb")) == ["a?b"]


def test_unknown_characters_can_be_an_error_that_names_them():
    with pytest.raises(UnknownCharacterError, match="'é' x1"):
        Preprocessing(unknown="error").windows("aé".encode())


def test_batches_are_windows_with_their_targets():
    batches = SMALL.batches(SMALL.windows("ABCDEFGHIJKLMNO"))  # Five windows: the last fills no batch.
    assert batches.element_spec == SMALL.element_spec
    read = [(texts(inputs), texts(targets)) for inputs, targets in batches.as_numpy_iterator()]
    assert read == [(["AB", "DE"], ["BC", "EF"]), (["GH", "JK"], ["HI", "KL"])]


def test_a_shuffle_buffer_of_one_keeps_the_order():
    windows = SMALL.windows("".join(CHARACTERS))
    kept = Preprocessing(2, 2, shuffle_buffer=1).batches(windows, shuffle_seed=4)
    plain, shuffled = SMALL.batches(windows), SMALL.batches(windows, shuffle_seed=4)
    kept, plain, shuffled = (np.stack([x for x, _ in made]) for made in (kept, plain, shuffled))
    assert np.array_equal(kept, plain)
    assert not np.array_equal(shuffled, plain)


@pytest.mark.parametrize(("unknown", "counts"), [("replace", (9, 2, 3, 1, 3)), ("drop", (9, 2, 2, 1, 1))])
def test_a_report_counts_what_batches_hold(unknown, counts):
    preprocessing = Preprocessing(2, 2, unknown)
    speeches = ["ABé", "", "DEFéHI"]
    report = preprocessing.report("A", speeches)
    found = (report.num_characters, report.num_unknown, report.num_sequences, report.num_batches)
    assert (*found, report.num_characters_left_out) == counts
    assert report.num_speeches == 3
    windows = preprocessing.windows("".join(speeches))
    assert len(windows) == report.num_sequences
    assert len(list(preprocessing.batches(windows))) == report.num_batches


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (dict(batch_size=0), "batch_size=0"),
        (dict(sequence_length_chars=2.5), r"sequence_length_chars=2\.5"),
        (dict(shuffle_buffer=0), "shuffle_buffer=0"),
        (dict(unknown="ignore"), "unknown='ignore'"),
    ],
)
def test_settings_that_make_no_sense_are_named(setting, message):
    with pytest.raises(ValueError, match=message):
        Preprocessing(**setting)
