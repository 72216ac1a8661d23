import numpy as np
import pytest

from fedlab import vocabulary
from fedlab.vocabulary import CHARACTERS, UnknownCharacterError, UnknownCharacterWarning, decode, encode


def test_vocabulary_has_the_86_characters_of_tffs_tutorial_in_their_order():
    assert len(CHARACTERS) == len(set(CHARACTERS)) == vocabulary.VOCABULARY_SIZE == 86
    assert "".join(CHARACTERS[:13]) == "dhlptx@DHLPTX"
    assert CHARACTERS.index("\n") == 62
    assert CHARACTERS[-1] == "\r"


def test_encode_gives_positions_in_the_vocabulary():
    assert encode("dhx").tolist() == [0, 1, 5]
    assert encode("").dtype == encode("dhx").dtype == np.int64


def test_decode_undoes_encode():
    text = "".join(CHARACTERS)
    assert decode(encode(text)) == text


def test_unknown_characters_are_an_error_that_names_and_counts_them():
    with pytest.raises(UnknownCharacterError, match=r"3 characters.*'é' x2, '~' x1.*unknown='drop'"):
        encode("é~é")


@pytest.mark.parametrize(("unknown", "expected"), [("drop", "Zo sat"), ("replace", "Zo? sat")])
def test_unknown_characters_never_become_a_d(unknown, expected):
    with pytest.warns(UnknownCharacterWarning, match="1 character outside the vocabulary was .*'ë' x1"):
        assert decode(encode("Zoë sat", unknown=unknown)) == expected


def test_warning_points_at_the_line_that_called_encode():
    with pytest.warns(UnknownCharacterWarning) as caught:
        encode("ë", unknown="drop")
    assert caught[0].filename == __file__


def test_unknown_policy_is_checked_even_when_nothing_is_unknown():
    with pytest.raises(ValueError, match="unknown='ignore'.*'error', 'drop', 'replace'"):
        encode("abc", unknown="ignore")


def test_encode_asks_for_text():
    with pytest.raises(TypeError, match="bytes"):
        encode(b"abc")


@pytest.mark.parametrize(
    ("ids", "message"),
    [([0, 86], "id 86 is outside"), ([-1], "id -1 is outside"), ([0.5], "float64"), ([[0]], "shape")],
)
def test_decode_names_what_is_not_an_id(ids, message):
    with pytest.raises(ValueError, match=message):
        decode(ids)


def test_decode_of_nothing_is_nothing():
    assert decode([]) == ""


def test_unknown_characters_go_or_are_replaced_without_a_word():
    assert vocabulary.drop_or_replace("naïve é", "drop") == "nave "
    assert vocabulary.drop_or_replace("naïve é", "replace") == "na?ve ?"
