"""Tints by probability: in order, readable on light and dark pages, and never the only sign."""

import html.parser
import itertools
import pathlib
import re

import pytest

from fedlab.widgets import parts
from fedlab.widgets.generation_playground.coloured_text import coloured_text, legend, plain_text, step_of

STYLE = pathlib.Path(parts.__file__).with_name("style.css").read_text(encoding="utf-8")
CHARACTERS = [("a", 0.9), ("<", 0.3), ("b", 0.3), ("\n", 0.001), ("\n", 0.001), (" ", 0.6), ("\r", 0.02)]


class Text(html.parser.HTMLParser):
    """The text of a piece of HTML, and of each of its elements: (tag, class, text)."""

    def __init__(self, page):
        super().__init__()
        self.open, self.elements = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.open.append([tag, dict(attributes).get("class"), ""])

    def handle_data(self, data):
        for element in self.open:
            element[2] += data

    def handle_endtag(self, tag):
        self.elements.append(tuple(self.open.pop()))

    def of(self, tag):
        return [(kind, text) for name, kind, text in self.elements if name == tag]


def tints():
    """The opacity of each tint, and its rule."""
    rules = dict(re.findall(r"\.fedlab-step-(\d) \{([^}]*)\}", STYLE))
    colours = {
        step: re.search(r"rgba\(213, 94, 0, ([\d.]+)\)", rule).group(1) for step, rule in rules.items()
    }
    return [float(colours[step]) for step in sorted(rules)], [rules[step] for step in sorted(rules)]


def luminance(colour):
    """Relative luminance of sRGB from 0 to 255 (WCAG 2.2)."""
    linear = [c / 3294.6 if c <= 10.31 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def over(opacity, ground, colour=(213, 94, 0)):
    return [opacity * top + (1 - opacity) * bottom for top, bottom in zip(colour, ground, strict=True)]


@pytest.mark.parametrize(
    ("probability", "step"),
    [(1, 0), (0.5, 0), (0.499, 1), (0.2, 1), (0.19, 2), (0.05, 2), (0.04, 3), (0.01, 3), (0.009, 4), (0, 4)],
)
def test_the_less_probable_the_stronger_the_step(probability, step):
    assert step_of(probability) == step


def test_text_is_whole_with_and_without_tints():
    written = "T <i> " + "".join(character for character, _ in CHARACTERS)
    assert Text(plain_text("T <i> ", CHARACTERS)).of("pre") == [("fedlab-text", written)]
    assert Text(coloured_text("T <i> ", CHARACTERS)).of("pre") == [("fedlab-text", written)]


def test_neighbours_of_one_step_share_a_tint_and_line_ends_get_a_sign():
    assert Text(coloured_text("T", CHARACTERS)).of("span") == [
        ("fedlab-step-1", "<b"),
        ("fedlab-step-4 fedlab-line-end", "\n\n"),
        ("fedlab-step-3", "\r"),
    ]


def test_screen_readers_get_the_text_in_one_piece():
    page = coloured_text("T", CHARACTERS)
    assert '<pre class="fedlab-text" aria-hidden=true>' in page
    assert Text(page).of("p") == [("fedlab-unseen", "Ta<b\n\n \r")]
    assert "aria-hidden" not in plain_text("T", CHARACTERS)


def test_a_start_that_begins_with_a_line_break_keeps_it():
    # HTML drops a line break that follows "<pre>" at once.
    assert ">\n" not in plain_text("\nT", []).split("<strong>")[0]
    assert Text(plain_text("\nT", [])).of("strong") == [(None, "\nT")]


def test_a_carriage_return_is_written_so_that_a_browser_keeps_it():
    # A browser reads a bare one as a line break; Python's parser, above, does not.
    for page in (plain_text("\r", CHARACTERS), coloured_text("\r", CHARACTERS)):
        assert "\r" not in page and "&#13;" in page


def test_the_legend_shows_every_step_with_its_words():
    items = [text for _, text in Text(legend()).of("li")]
    assert items == ["abc 50% or more", "abc 20 to 50%", "abc 5 to 20%", "abc 1 to 5%", "abc below 1%"]
    assert [kind for kind, _ in Text(legend()).of("span")] == [f"fedlab-step-{step}" for step in range(5)]


@pytest.mark.parametrize(("page", "ink"), [((255, 255, 255), (33, 33, 33)), ((17, 17, 17), (222, 222, 222))])
def test_tints_are_in_order_and_text_reads_on_them_on_light_and_dark_pages(page, ink):
    opacities, _ = tints()
    grounds = [luminance(over(opacity, page)) for opacity in (0, *opacities)]
    contrasts = [(max(g, luminance(ink)) + 0.05) / (min(g, luminance(ink)) + 0.05) for g in grounds]
    assert len(opacities) == 4
    assert all(first > second for first, second in itertools.pairwise(contrasts))
    assert contrasts[-1] >= 4.5  # WCAG 2.2, 1.4.3


def test_the_improbable_are_underlined_each_step_in_its_own_way():
    _, rules = tints()
    underlines = [re.search(r"underline (\w+)", rule) for rule in rules]
    assert [found and found.group(1) for found in underlines] == [None, None, "dotted", "solid"]
