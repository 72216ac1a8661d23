import itertools

import pytest
import tensorflow_federated as tff

from fedlab.datasets import load_shakespeare
from fedlab.datasets.sequences import find_trainable_clients
from fedlab.datasets.shakespeare import read_pocket_speeches, split_speeches
from fedlab.vocabulary import find_unknown_characters

pytestmark = pytest.mark.filterwarnings("ignore::fedlab.datasets.sequences.SmallClientWarning")


@pytest.fixture(scope="module")
def pocket():
    return load_shakespeare()


def test_pocket_has_at_least_16_roles_of_8_plays():
    speeches = read_pocket_speeches()
    plays = {client_id.rsplit("_", 1)[0] for client_id in speeches}
    assert len(speeches) >= 16
    assert len(plays) >= 8


def test_client_ids_name_the_play_that_the_role_is_in(pocket):
    train, test = pocket
    assert train.client_ids == test.client_ids
    assert {"OTHELLO_OTHELLO", "AS_YOU_LIKE_IT_CELIA", "KING_LEAR_LEAR"} < set(train.client_ids)
    assert "farewell the tranquil mind" in train.text("OTHELLO_OTHELLO").lower()


def test_twelve_roles_have_more_than_five_training_batches_and_a_test_batch(pocket):
    training, too_small = find_trainable_clients(pocket[0])
    testing, _ = find_trainable_clients(pocket[1])
    large = {report.client_id for report in training if report.num_batches > 5}
    assert len(large & {report.client_id for report in testing}) >= 12
    assert len(too_small) >= 3


def test_one_role_has_a_single_line_and_nothing_to_test_on(pocket):
    train, test = pocket
    assert train.speeches("HENRY_V_HERALD") == ["Here is the number of the slaughter'd French."]
    assert test.speeches("HENRY_V_HERALD") == []


def test_held_out_lines_are_not_in_the_training_text(pocket):
    train, test = pocket
    trained_on = set(itertools.chain.from_iterable(train.text(c).splitlines() for c in train.client_ids))
    speeches = itertools.chain.from_iterable(test.speeches(c) for c in test.client_ids)
    held_out = set(itertools.chain.from_iterable(speech.splitlines() for speech in speeches))
    assert held_out & trained_on == set()
    assert len(held_out) > 400


def test_every_character_of_the_pocket_is_in_the_vocabulary():
    for speeches in read_pocket_speeches().values():
        assert not find_unknown_characters("".join(speeches))


def test_pocket_is_a_client_data_that_tff_can_use(pocket):
    train, _ = pocket
    assert isinstance(train, tff.simulation.datasets.ClientData)
    assert str(train.dataset_computation.type_signature) == "(str -> <snippets=str>*)"
    computed = [example["snippets"].numpy() for example in train.dataset_computation("HENRY_V_HERALD")]
    assert computed == [b"Here is the number of the slaughter'd French."]
    upper = train.preprocess(lambda dataset: dataset.take(1))
    assert len(list(upper.create_tf_dataset_for_client("HAMLET_HAMLET"))) == 1


@pytest.mark.parametrize(
    ("lengths", "num_train"),
    [
        ([5000, 400, 300, 400], 1),  # 15 % of 6,100 is 915: two speeches have 700, three 1,100
        ([100, 100, 100], 2),  # a small role keeps all but one
        ([100], 1),  # a single speech is for training
        ([], 0),
    ],
)
def test_last_speeches_are_held_out(lengths, num_train):
    speeches = ["x" * length for length in lengths]
    train, test = split_speeches(speeches)
    assert len(train) == num_train
    assert train + test == speeches


@pytest.mark.parametrize(
    ("client_id", "suggestion"),
    [
        ("OTHELO", "OTHELLO"),
        ("Othello", "OTHELLO_IAGO"),
        ("lady macbeth", "MACBETH_LADY_MACBETH"),
        ("XYZ", "see client_ids"),
    ],
)
def test_unknown_client_is_an_error_that_suggests_one(pocket, client_id, suggestion):
    with pytest.raises(ValueError, match=rf"client '{client_id}' is not in the dataset.*{suggestion}"):
        pocket[0].create_tf_dataset_for_client(client_id)


def test_client_id_must_be_text(pocket):
    with pytest.raises(TypeError, match="client_id=3"):
        pocket[0].create_tf_dataset_for_client(3)


def test_unknown_source_names_the_choices():
    with pytest.raises(ValueError, match="source='web'.*'pocket'.*'tff'"):
        load_shakespeare("web")
