"""Profiles of clients, against numbers that are counted by hand or with plain Python."""

import collections
import re

import numpy as np
import pytest
import scipy.spatial.distance

import fedlab
from fedlab.datasets.profiles import ClientProfiles
from fedlab.datasets.sequences import make_batches, report_client
from fedlab.vocabulary import CHARACTERS

# 33 characters, of which "é" is unknown twice; windows of 5, batches of 2.
ANN = ["Go, go, gone!", "Café, café, caf\n", "go go"]
SPEECHES = {"PLAY_ANN": ANN, "PLAY_BOB": ["ox"], "PLAY_CAT": ["ééé"], "PLAY_DAN": []}
SETTINGS = dict(batch_size=2, sequence_length_chars=4)


@pytest.fixture
def profiles():
    return ClientProfiles(SPEECHES, **SETTINGS)


def shares(text):
    counts = collections.Counter(text)
    return np.array([counts[character] for character in CHARACTERS]) / len(text)


def test_a_client_is_counted_as_by_hand(profiles):
    ann = profiles["PLAY_ANN"]
    assert (ann.report.num_speeches, ann.report.num_characters, ann.report.num_sequences) == (3, 34, 6)
    assert (ann.report.num_batches, ann.num_characters_used, ann.num_windows_left_out) == (3, 30, 0)
    assert ann.text_in_no_window == "o go"
    assert ann.num_words == 8  # Go go gone Caf caf caf go go: letters of English
    assert ann.words_per_speech == pytest.approx(8 / 3)
    assert ann.characteristic_words == (("go", 4, 4), ("caf", 3, 3))
    assert ann.unknown_characters == (("é", 2),)
    assert ann.unknown_share == pytest.approx(2 / 34)
    assert ann.num_distinct_characters == len(set("".join(ANN)))


def test_dropped_characters_fill_no_window():
    ann = ClientProfiles(SPEECHES, unknown="drop", **SETTINGS)["PLAY_ANN"]
    assert ann.num_characters_kept == 32
    assert ann.text_in_no_window == "go"
    assert ann.report.num_sequences == 6


def test_windows_that_fill_no_batch_are_counted(profiles):
    longer = ClientProfiles({"A": ["x" * 17]}, **SETTINGS)["A"]
    assert (longer.report.num_batches, longer.num_windows_left_out, longer.text_in_no_window) == (1, 1, "xx")


def test_ranks_go_by_text_and_equals_share_theirs():
    profiles = ClientProfiles({"A": ["ab"], "B": ["abcd"], "C": ["cd"], "D": []})
    assert [profiles[client_id].size_rank for client_id in "ABCD"] == [2, 1, 2, 4]


def test_the_distance_is_scipys_of_the_client_and_all_text():
    a, b = 9 * "to be or not", 9 * "zzz top"
    profiles = ClientProfiles({"A": [a], "B": [b]})
    wanted = scipy.spatial.distance.jensenshannon(shares(b), shares(a + b), base=2)
    assert profiles["B"].distance == pytest.approx(wanted)
    assert profiles["B"].distance > profiles["B"].distance_by_chance > 0


def test_clients_without_a_known_character_have_no_distance_and_no_nan(profiles):
    for client_id in ("PLAY_CAT", "PLAY_DAN"):
        assert profiles[client_id].distance is profiles[client_id].distance_by_chance is None
    assert profiles["PLAY_CAT"].unknown_share == 1
    assert profiles["PLAY_DAN"].unknown_share == 0
    assert profiles["PLAY_DAN"].words_per_speech is None
    assert profiles["PLAY_DAN"].report.is_too_small
    assert profiles.windows("PLAY_DAN").shape == (0, 5)


def test_a_client_alone_is_the_federation():
    alone = ClientProfiles({"A": ["to be"]})["A"]
    assert alone.distance == alone.distance_by_chance == 0


def test_the_federation_is_all_text(profiles):
    text = "".join(ANN) + "ox" + "ééé"
    federation = profiles.federation
    assert federation.num_characters == {"PLAY_ANN": 34, "PLAY_BOB": 2, "PLAY_CAT": 3, "PLAY_DAN": 0}
    assert federation.num_batches == {"PLAY_ANN": 3, "PLAY_BOB": 0, "PLAY_CAT": 0, "PLAY_DAN": 0}
    assert (federation.num_speeches, federation.num_unknown) == (5, 5)
    assert federation.num_distinct_characters == len(set(text))
    assert federation.character_counts[CHARACTERS.index("g")] == text.count("g")
    assert sum(federation.character_counts) == len(text) - 5
    assert sorted(federation.distances) == ["PLAY_ANN", "PLAY_BOB"]


def test_windows_are_what_training_reads():
    train, _ = fedlab.load_shakespeare()
    windows = fedlab.datasets.profile_clients(train).windows("HAMLET_HAMLET")
    batches = list(make_batches(train.create_tf_dataset_for_client("HAMLET_HAMLET")).as_numpy_iterator())
    read = np.concatenate([np.concatenate([inputs, targets[:, -1:]], axis=1) for inputs, targets in batches])
    np.testing.assert_array_equal(windows[: len(read)], read)
    assert len(windows) == len(read) + 5  # which fill no batch


def test_profiles_of_the_pocket_are_those_of_plain_python():
    train, _ = fedlab.load_shakespeare()
    profiles = fedlab.datasets.profile_clients(train)
    assert list(profiles.client_ids) == train.client_ids
    texts = {client_id: train.text(client_id) for client_id in train.client_ids}
    words = re.findall(r"[a-z]+(?:'[a-z]+)?", texts["OTHELLO_IAGO"].lower())
    iago = profiles["OTHELLO_IAGO"]
    assert iago.num_words == len(words)
    assert iago.report == report_client(train, "OTHELLO_IAGO")
    assert iago.size_rank == 1 + sum(len(text) > len(texts["OTHELLO_IAGO"]) for text in texts.values())
    average = shares("".join(texts.values()))
    wanted = {i: scipy.spatial.distance.jensenshannon(shares(t), average, base=2) for i, t in texts.items()}
    assert profiles.federation.distances == pytest.approx(wanted)


def test_unknown_clients_are_an_error_that_suggests_one(profiles):
    for ask in (profiles.__getitem__, profiles.speeches, profiles.text, profiles.windows):
        with pytest.raises(ValueError, match="did you mean 'PLAY_ANN'"):
            ask("PLAY_ANNE")


def test_a_dataset_without_clients_says_where_some_are():
    with pytest.raises(ValueError, match="no clients; fedlab.load_shakespeare"):
        ClientProfiles({})


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (dict(batch_size=0), "batch_size=0"),
        (dict(sequence_length_chars=2.5), r"sequence_length_chars=2\.5"),
        (dict(unknown="error"), "unknown='error': choose 'drop' or 'replace'"),
    ],
)
def test_settings_that_make_no_sense_are_named(setting, message):
    with pytest.raises(ValueError, match=message):
        ClientProfiles({"A": ["b"]}, **setting)
