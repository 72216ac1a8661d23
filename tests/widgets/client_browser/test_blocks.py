"""Blocks say the same in HTML and in plain text."""

from fedlab.plots.style import new_figure
from fedlab.widgets.client_browser.blocks import (
    Drawing,
    Passage,
    Sentence,
    Table,
    Texts,
    as_html,
    as_plain_text,
)


def test_a_table_in_plain_text_has_columns_under_each_other():
    table = Table("Sizes", ("client", "characters"), [("Ann", "1,234"), ("Iago", 7)])
    assert table.plain() == "Sizes:\n  client  characters\n  Ann     1,234\n  Iago    7"


def test_a_wide_table_is_cut_in_plain_text_only():
    table = Table("Places", ("place", "1", "2"), [("input", "a", "b")], num_plain_columns=2)
    assert table.plain() == "Places:\n  place  1\n  input  a"
    assert table.html().count("<td>") == 3 - table.html().count('class="number"')


def test_of_a_text_with_more_lines_plain_text_has_the_first_and_says_so():
    assert Texts(("One\ntwo", "Three"), first=4).plain() == "4. One …\n5. Three"
    assert "<li>One\ntwo</li>" in Texts(("One\ntwo",)).html()


def test_a_passage_shows_its_line_breaks_in_both():
    assert Passage("End", "a\nb").plain() == "End: 'a\\nb'"
    assert "<pre>\na\nb</pre>" in Passage("End", "a\nb").html()


def test_a_drawing_is_drawn_only_where_it_can_be_seen():
    drawn = []

    def draw():
        drawn.append(True)
        with new_figure(2, 1, "Nothing much") as figure:
            return figure

    blocks = [Sentence("A < B"), Drawing(draw), Sentence("Note", is_note=True)]
    assert as_plain_text(blocks) == "A < B\nNote"
    assert drawn == []
    page = as_html(blocks)
    assert drawn == [True]
    assert "A &lt; B" in page and 'alt="Nothing much"' in page and 'role="note"' in page
