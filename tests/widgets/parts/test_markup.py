"""Pieces of HTML: escaped, labelled, and figures with their words."""

import html.parser
import re

from fedlab.plots.style import new_figure
from fedlab.widgets.parts import markup


class Elements(html.parser.HTMLParser):
    """The elements of a piece of HTML: (tag, attributes)."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def of(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def test_text_from_outside_never_becomes_html():
    evil = '<img src=x onerror="alert(1)">'
    pieces = [
        markup.heading(evil),
        markup.passage(evil),
        markup.numbered([evil]),
        markup.paragraph(evil),
        markup.status(evil),
        markup.note(evil),
        markup.error(evil),
        markup.progress(evil, 1, 2),
        markup.table([evil], [[evil]], evil),
        markup.copy_button("part", evil),
    ]
    assert [Elements(piece).of("img") for piece in pieces] == [[]] * len(pieces)


def test_a_list_goes_on_where_the_last_one_ended():
    page = Elements(markup.numbered(["a", "b"], first=6))
    assert page.of("ol")[0]["start"] == "6" and len(page.of("li")) == 2


def test_errors_are_spoken_at_once_and_states_when_there_is_time():
    assert Elements(markup.error("no")).of("div")[0]["role"] == "alert"
    assert Elements(markup.status("yes")).of("p")[0]["role"] == "status"


def test_progress_says_its_numbers_to_those_who_do_not_see_the_bar():
    (bar,) = Elements(markup.progress("clients", 3, 8)).of("progress")
    assert bar == {"max": "8", "value": "3", "aria-label": "clients 3 of 8"}


def test_numbers_stand_to_the_right_and_words_to_the_left():
    page = markup.table(["name", "n"], [["Iago", "1,234"], ["Romeo", "-0.5%"], ["2 words", 7]])
    assert re.findall(r'<td class="number">([^<]*)', page) == ["1,234", "-0.5%", "7"]


def test_a_header_over_numbers_stands_over_them():
    page = Elements(
        markup.table(["name", "n", "or none", "mixed"], [["Ann", 1, "", 3], ["Bob", 2, "4%", "few"]])
    )
    assert [header.get("class") for header in page.of("th")] == [None, "number", "number", None]
    assert Elements(markup.table(["n"], [])).of("th") == [{"scope": "col"}]


def test_a_grid_is_marked_as_one():
    assert Elements(markup.table(["a"], [["b"]], is_grid=True)).of("table") == [{"class": "fedlab-grid"}]


def test_a_wide_table_scrolls_with_the_keyboard_and_has_a_name():
    page = Elements(markup.table(["a"], [["b"]], "Clients of this round"))
    (scrolls,) = page.of("div")
    assert scrolls["tabindex"] == "0" and scrolls["aria-label"] == "Clients of this round"


def test_a_figure_is_a_picture_with_its_description():
    with new_figure(5, 2, 'Loss falls from 2 to 1 "nats"') as drawn:
        drawn.subplots().plot([2, 1])
    (picture,) = Elements(markup.figure(drawn)).of("img")
    assert picture["alt"] == 'Loss falls from 2 to 1 "nats"' and picture["width"] == "400"
    assert picture["src"].startswith("data:image/png;base64,iVBOR")


def test_a_button_that_copies_says_what_and_looks_only_in_its_own_part():
    (button,) = Elements(markup.copy_button("column", 'the text of "a"')).of("button")
    assert button["aria-label"] == 'Copy the text of "a"'
    assert "this.closest('.column').querySelector('pre')" in button["onclick"]
