"""One model's text: how probable it is, and what the model may hand over."""

import math

import numpy as np
import pytest

from fedlab.widgets.generation_playground.text_column import TextColumn


def column_of(*pairs):
    """A column whose model has written these."""
    column = TextColumn("one", lambda start, length, *, temperature, seed: iter(pairs))
    column.clear(">")
    assert column.begin(">", len(pairs), 1.0, 1)
    while column.write_one():
        pass
    return column


def test_average_probability_and_bits_are_those_computed_by_hand():
    column = column_of(("a", 0.5), ("b", 0.125))  # 1 bit and 3 bits
    assert column.in_words() == "2 characters, on average 31% probable, 2.0 bits per character"
    assert column.surprise_in_words() == "one: 2.0 bits per character"


def test_a_probability_too_small_for_a_float_is_a_large_surprise_and_no_error():
    # The smallest float above 0 is 2**-1074.
    assert (
        column_of(("a", 0.0)).in_words() == "1 character, on average 0% probable, 1074.0 bits per character"
    )


def test_numbers_of_numpy_are_probabilities():
    column = column_of(("a", np.float32(0.5)), ("b", np.float64(0.5)))
    assert column.text == ">ab" and column.error is None


@pytest.mark.parametrize(
    "pair", ["a", "ab", ("a", 1.5), ("a", math.nan), ("a", "b"), (3, 0.5), None], ids=repr
)
def test_what_is_no_character_with_its_probability_is_an_error_in_words(pair):
    column = column_of(("o", 1), pair)
    assert f"one ended: The model gave {pair!r}: it should give pairs" in column.facts()
    assert column.text == ">o"


def test_an_error_that_is_no_sentence_comes_with_its_kind():
    column = TextColumn("one", lambda *unused, **settings: {}["x"])
    assert not column.begin(">", 1, 1.0, 1)
    assert column.facts() == "one: nothing written yet\none ended: KeyError: 'x'"


def test_a_column_offers_a_copy_of_its_own_text_only_when_it_has_one():
    empty, full = TextColumn("none", iter), column_of(("a", 1.0))
    pages = []
    for column in (empty, full):
        column.offer_copy()
        pages.append("".join(part.value for part in column.root.children))
    assert "<button" not in pages[0]
    assert 'aria-label="Copy the text of one"' in pages[1]
    assert ".closest(&#x27;.fedlab-column&#x27;)" in pages[1] and "fedlab-column" in full.root._dom_classes
