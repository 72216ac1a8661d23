"""ClientBrowser as a person uses it, with numbers counted here from the files, in plain Python."""

import collections
import functools
import re

import numpy as np
import pytest
import scipy.spatial.distance
from playwright.sync_api import expect

from fedlab.datasets.shakespeare import read_pocket_speeches, split_speeches
from fedlab.vocabulary import CHARACTERS
from lab_page import NotebookPage, notebook_of

CELL = """\
import fedlab

train, _ = fedlab.load_shakespeare()
browser = fedlab.widgets.ClientBrowser(fedlab.datasets.profile_clients(train))
browser"""
VIEWPORT = {"width": 1024, "height": 900}
SPEECHES = {
    client_id: split_speeches(texts)[0] for client_id, texts in sorted(read_pocket_speeches().items())
}
TEXTS = {client_id: "".join(speeches) for client_id, speeches in SPEECHES.items()}
IDS = list(SPEECHES)
JULIET, WITCH = "ROMEO_AND_JULIET_JULIET", "MACBETH_THIRD_WITCH"


class Browser:
    """The widget on its page."""

    def __init__(self, notebook):
        self.notebook, self.page = notebook, notebook.page
        self.root = notebook.widget("Client browser")
        self.state = self.root.get_by_role("status")
        self.search, self.clients = self.field("Search"), self.field("Client")

    def field(self, label):
        return self.root.get_by_label(label, exact=True)

    def button(self, name):
        return self.root.get_by_role("button", name=name)

    def heading(self, name):
        return self.root.get_by_role("heading", name=name, exact=True)

    def find(self, text):
        """Types into the empty search field, a key at a time."""
        self.search.focus()
        self.page.keyboard.type(text)

    def open(self, view):
        self.button(view).click()
        expect(self.heading(view)).to_be_visible()

    def enter(self, label, number):
        """Types a number into a field and ends it with Enter."""
        self.field(label).fill(str(number))
        self.field(label).press("Enter")

    def choose(self, client_id):
        """Picks a role in the list."""
        self.clients.select_option(index=IDS.index(client_id))
        expect(self.state).to_contain_text(f"client {IDS.index(client_id) + 1} of 25")

    def lines(self):
        return self.root.get_by_role("listitem").all_text_contents()

    def expect_lines(self, speeches):
        """Waits for the first, and compares all, with each space and line break."""
        expect(self.root.get_by_role("listitem").first).to_have_text(speeches[0])
        assert self.lines() == speeches

    def row(self, table, name):
        """The cells of a table's first row that begins with `name`."""
        rows = self.root.get_by_role("region", name=table).get_by_role("row")
        row = rows.filter(has=self.page.get_by_role("cell", name=name, exact=True)).first
        return row.get_by_role("cell").all_text_contents()[1:]

    def pictures(self, number):
        """The alternative texts of the figures, as soon as they are drawn."""
        expect(self.root.locator("img")).to_have_count(number)
        return [picture.get_attribute("alt") for picture in self.root.locator("img").all()]


def distance(text, other):
    """Jensen-Shannon distance of two texts' characters, by SciPy."""
    counts = [collections.Counter(text), collections.Counter(other)]
    shares = [np.array([count[character] for character in CHARACTERS], float) for count in counts]
    return scipy.spatial.distance.jensenshannon(*shares, base=2)


LUMINANCES = """root => {
  const channels = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const luminance = colour => channels(colour)
    .map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, place) => sum + v * [0.2126, 0.7152, 0.0722][place], 0);
  const ground = getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor;
  return ['td', 'p', 'h4', 'label'].map(
    part => [getComputedStyle(root.querySelector(part)).color, ground].map(luminance)
  );
}"""


def contrast(browser):
    """The lowest contrast of text and ground, as WCAG 2 counts it."""
    pairs = browser.root.evaluate(LUMINANCES)
    return min((max(pair) + 0.05) / (min(pair) + 0.05) for pair in pairs)


@pytest.fixture(scope="module")
def browser(lab_server, chromium):
    notebook = NotebookPage(lab_server, chromium, notebook_of(CELL), VIEWPORT)
    notebook.run_all()
    yield Browser(notebook)
    notebook.close()


@pytest.fixture(autouse=True)
def begin_anew(browser):
    browser.notebook.run(f"browser.search.value = ''; browser.select({IDS[0]!r})")
    browser.notebook.run("browser.page.value = 'Lines'")
    expect(browser.state).to_contain_text("client 1 of 25:")
    expect(browser.heading("Lines")).to_be_visible()


def test_a_role_is_picked_with_the_keyboard_and_its_lines_can_be_read(browser):
    browser.search.focus()
    browser.page.keyboard.press("Tab")
    expect(browser.field("Order")).to_be_focused()
    browser.page.keyboard.press("Tab")
    expect(browser.clients).to_be_focused()
    for _ in range(IDS.index("HAMLET_HAMLET")):
        browser.page.keyboard.press("ArrowDown")
    expect(browser.state).to_have_text(
        f"Hamlet Hamlet, client {IDS.index('HAMLET_HAMLET') + 1} of 25: {len(TEXTS['HAMLET_HAMLET']):,} "
        f"characters, {len(TEXTS['HAMLET_HAMLET']) // 808} batches."
    )
    browser.expect_lines(SPEECHES["HAMLET_HAMLET"][:5])
    assert browser.notebook.run("print(browser.client_id)") == "HAMLET_HAMLET\n"


def test_a_search_finds_juliet_and_her_lines_go_on_page_by_page(browser):
    browser.find("juliet juliet")
    expect(browser.state).to_contain_text("Romeo and Juliet Apothecary, client 1 of 3 found")
    browser.find("r")
    read = []
    browser.button("Next client").click()
    expect(browser.state).to_contain_text("Romeo and Juliet Juliet, client 2 of 3 found")
    for place in range(0, len(SPEECHES[JULIET]), 5):
        expect(browser.root.get_by_role("listitem").first).to_have_text(SPEECHES[JULIET][place])
        read += browser.lines()
        if place + 5 < len(SPEECHES[JULIET]):
            browser.button("Later speeches").press("Enter")
    assert read == SPEECHES[JULIET]
    expect(browser.button("Later speeches")).to_be_disabled()


def test_line_breaks_are_seen(browser):
    speech = next(speech for speech in SPEECHES["MACBETH_MACBETH"] if "\n" in speech)
    browser.choose("MACBETH_MACBETH")
    browser.enter("From speech", SPEECHES["MACBETH_MACBETH"].index(speech) + 1)
    shown = browser.root.get_by_role("listitem").first
    expect(shown).to_contain_text(speech.split("\n")[0])
    assert shown.inner_text() == speech


def test_a_search_without_a_hit_says_so_and_keeps_the_client(browser):
    browser.choose(WITCH)
    browser.search.fill("OTHELO")
    expect(browser.state).to_have_text(
        "No client is called 'OTHELO'. Did you mean Othello Iago or Othello Othello? "
        "This is still Macbeth Third Witch."
    )
    browser.expect_lines(SPEECHES[WITCH][:5])
    assert browser.clients.locator("option").count() == 25


def test_next_and_previous_go_round_with_the_keyboard(browser):
    browser.button("Previous client").press("Enter")
    expect(browser.state).to_contain_text("client 25 of 25")
    expect(browser.clients).to_have_value(browser.clients.locator("option").last.get_attribute("value"))
    browser.button("Next client").press("Space")
    expect(browser.state).to_contain_text("client 1 of 25")


def test_the_views_are_reached_with_the_keyboard_and_numbers_are_those_of_the_text(browser):
    browser.choose("OTHELLO_IAGO")
    browser.button("Lines").focus()
    browser.page.keyboard.press("Tab")
    browser.page.keyboard.press("Enter")
    expect(browser.heading("Against the federation")).to_be_visible()
    text, all_text = TEXTS["OTHELLO_IAGO"], "".join(TEXTS.values())
    sizes = [len(text) for text in TEXTS.values()]
    words = len(re.findall(r"[a-z]+(?:'[a-z]+)?", text.lower()))
    speeches = len(SPEECHES["OTHELLO_IAGO"])
    numbers = functools.partial(browser.row, "Numbers")
    assert numbers("characters") == [f"{len(text):,}", f"{sum(sizes):,}"]
    place = 1 + sum(size > len(text) for size in sizes)
    assert numbers("place by size, of 25") == [str(place), ""]
    assert numbers("speeches") == [str(speeches), str(sum(map(len, SPEECHES.values())))]
    assert numbers("words per speech")[0] == f"{words / speeches:.1f}"
    assert numbers("different characters") == [str(len(set(text))), str(len(set(all_text)))]
    assert numbers("batches") == [str(len(text) // 808), str(sum(size // 808 for size in sizes))]
    assert browser.row("Distance from all clients' characters", "this client") == [
        f"{distance(text, all_text):.3f}"
    ]
    sizes_in_words, shares_in_words = browser.pictures(2)
    assert sizes_in_words.startswith(
        f"Othello Iago has {len(text):,} characters, place {place} of 25 by size"
    )
    assert "Othello Iago's text" in shares_in_words


def test_what_training_sees_is_the_text_in_ids_shifted_by_one(browser):
    browser.choose(JULIET)
    browser.open("What training sees")
    length = len(TEXTS[JULIET])
    steps = functools.partial(browser.row, "From speeches to batches")
    assert steps("characters to ids") == [f"{length:,} ids", f"int64 [{length}]"]
    assert steps("cut into windows of 101") == [f"{length // 101} windows", f"int64 [{length // 101}, 101]"]
    assert steps("batches of 8") == [f"{length // 808} batches", "int64 [8, 101] each"]
    browser.enter("Window", 11)
    expect(browser.root.get_by_text("Window 11 is row 3 of batch 2")).to_be_visible()
    window = TEXTS[JULIET][10 * 101 : 11 * 101]
    assert browser.root.locator("pre").text_content() == window
    ids = [str(CHARACTERS.index(character)) for character in window]
    signs = [{" ": "␣", "\n": "↵"}.get(character, character) for character in window]
    rows = browser.root.get_by_role("region", name="Inputs and targets").locator("tbody tr").all()
    cells = [row.get_by_role("cell").all_text_contents()[1:] for row in rows]
    assert cells == [signs[:-1], ids[:-1], signs[1:], ids[1:]]


def test_what_is_dropped_is_the_end_of_the_text(browser):
    browser.choose(JULIET)
    browser.open("What is dropped")
    length = len(TEXTS[JULIET])
    used, spare, tail = length // 808 * 808, length % 808 // 101, length % 101
    parts = functools.partial(browser.row, "What becomes of the text")
    assert parts("training sees") == [f"{used // 808} batches", f"{used:,}", f"{used / length:.1%}"]
    assert parts("fills no batch") == [f"{spare} windows", f"{spare * 101}", f"{spare * 101 / length:.1%}"]
    assert parts("fills no window") == ["", str(tail), f"{tail / length:.1%}"]
    assert browser.root.locator("pre").text_content() == TEXTS[JULIET][-tail:]
    (in_words,) = browser.pictures(1)
    assert (
        f"{spare} windows of 101 characters fill no batch, and {tail} characters fill no window" in in_words
    )


def test_a_client_too_small_is_marked_in_the_list_and_told_why(browser):
    length = len(TEXTS[WITCH])
    option = browser.clients.get_by_role("option", name=f"Macbeth Third Witch ({length}, too small)")
    browser.clients.select_option(label=option.text_content())
    browser.open("What is dropped")
    why = browser.root.get_by_role("note")
    expect(why).to_contain_text("Macbeth Third Witch takes no part in training")
    expect(why).to_contain_text(f"808 in all, and its {length} characters fill {length // 101}.")
    browser.open("What training sees")
    expect(browser.root.get_by_text("Window 1 is left over")).to_be_visible()


def test_it_fits_the_page_in_light_and_dark(browser, pictures):
    browser.choose("HAMLET_HAMLET")
    browser.open("Against the federation")
    browser.pictures(2)
    assert browser.root.evaluate("root => root.scrollWidth <= root.clientWidth + 1")
    for name, theme in [("client_browser", "JupyterLab Light"), ("client_browser_dark", "JupyterLab Dark")]:
        browser.notebook.use_theme(theme)
        assert contrast(browser) > 4.5
        browser.notebook.photograph(browser.root, pictures / f"{name}.png")
    browser.notebook.use_theme("JupyterLab Light")
