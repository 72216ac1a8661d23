"""GenerationPlayground as a person uses it: write, watch, stop, colour, copy, by mouse and by keyboard."""

import json
import re

import pytest
from playwright.sync_api import expect

from lab_page import NotebookPage, notebook_of

# A text of 2,000 characters can be whole before a slow browser has pressed Stop: `pause_s` is for that test.
CELL = """\
import time

import fedlab
from fedlab import generation
from fedlab.models import dickens

pause_s, at_full_speed = 0.0, generation.stream_characters


def stream_characters(*arguments, **settings):
    for sampled in at_full_speed(*arguments, **settings):
        time.sleep(pause_s)
        yield sampled


generation.stream_characters = stream_characters

models = {"small": dickens.load_small_dickens(batch_size=1), "large": dickens.load_dickens(batch_size=1)}
playground = fedlab.widgets.GenerationPlayground(models, start="It was a dark night, and ")
presses = []
playground.write_button.on_click(presses.append)
playground"""
LABELS = {
    "start": "Start text",
    "temperature": "Temperature",
    "length": "Length (characters)",
    "seed": "Seed",
}
TEXTS = "import json; print(json.dumps(list(playground.texts.values())))"
SHOWN = """texts => {
  const shown = [...document.querySelectorAll('.fedlab pre')].map(text => text.textContent);
  return JSON.stringify(shown) == JSON.stringify(texts);
}"""
LONGER = """length => [...document.querySelectorAll('.fedlab pre')].every(
  text => text.textContent.length > length
)"""
LONGEST = 2000


class Playground:
    """The widget on its page."""

    def __init__(self, notebook):
        self.notebook, self.page = notebook, notebook.page
        self.root = notebook.widget("Generation playground")
        self.write, self.stop = self.button("Write"), self.button("Stop")
        self.colour = self.field("Colour by probability")
        self.state = self.root.get_by_role("status").first

    def button(self, name):
        return self.root.get_by_role("button", name=name)

    def field(self, label):
        return self.root.get_by_label(label, exact=True)

    def set(self, **settings):
        for name, value in settings.items():
            self.field(LABELS[name]).fill(str(value))
            self.field(LABELS[name]).blur()  # Numbers are sent when their field is left.
        # As fast as a test types and presses, a press may come to the kernel before what was typed.
        self.wait_until(" and ".join(f"playground.{name}.value == {v!r}" for name, v in settings.items()))

    def wait_until(self, condition):
        self.notebook.wait_until(condition, within_s=20)

    def texts(self):
        return self.root.locator("pre").all_text_contents()

    def in_kernel(self):
        return json.loads(self.notebook.run(TEXTS))

    def write_whole(self, **settings):
        """Writes to the end, and waits for the page to show what the kernel has."""
        self.set(**settings)
        presses = int(self.notebook.run("print(len(presses))"))
        self.write.click()
        self.wait_until(f"len(presses) > {presses} and playground.wait()")
        self.page.wait_for_function(SHOWN, arg=self.in_kernel())
        expect(self.write).to_be_enabled()
        return self.texts()

    def wait_until_both_have(self, length):
        self.page.wait_for_function(LONGER, arg=length)
        return self.texts()


@pytest.fixture(scope="module")
def playground(lab_server, chromium):
    """The widget with two real models, in one notebook for all tests: each sets what it needs."""
    notebook = NotebookPage(lab_server, chromium, notebook_of(CELL), {"width": 1024, "height": 900})
    notebook.context.grant_permissions(["clipboard-read"])  # To read; to write, a press is enough.
    notebook.run_all()
    yield Playground(notebook)
    notebook.close()


def clipboard(playground):
    return playground.page.evaluate("navigator.clipboard.readText()")


def test_both_texts_grow_before_the_eyes_until_stop_which_keeps_them(playground):
    start = "What say you, my lord? "
    playground.set(start=start, length=LONGEST, temperature=0.5)
    playground.notebook.run("pause_s = 0.05")
    playground.field("Temperature").press("ArrowUp")
    playground.write.press("Enter")
    first = playground.wait_until_both_have(len(start) + 10)
    second = playground.wait_until_both_have(max(map(len, first)))
    assert all(text.startswith(start) for text in first)
    assert all(later.startswith(text) for text, later in zip(first, second, strict=True))
    assert playground.root.get_by_role("progressbar").is_visible()
    assert playground.notebook.run("print(playground.temperature.value)") == "0.6\n"  # The kernel answers.
    playground.stop.click()
    expect(playground.state).to_contain_text("Stopped. small: ")
    playground.notebook.run("pause_s = 0.0")
    assert all(len(text) < LONGEST for text in playground.texts())
    assert playground.texts() == playground.in_kernel()
    expect(playground.root.get_by_role("progressbar")).to_have_count(0)


def test_the_same_seed_writes_the_same_texts_and_another_seed_others(playground):
    settings = {"start": "The ", "temperature": 0.8, "length": 60}
    first, again, other = (playground.write_whole(**settings, seed=seed) for seed in (7, 7, 8))
    assert [len(text) for text in first] == [64, 64]
    assert first == again and first[0] != other[0] and first[1] != other[1]


def test_colours_come_and_go_and_the_text_stays(playground, pictures):
    texts = playground.write_whole(start="It was a dark night, and ", temperature=0.7, length=240, seed=1)
    tints = playground.root.locator("pre span")
    expect(playground.root.get_by_text("below 1%")).to_be_visible()
    grounds = tints.evaluate_all("spans => spans.map(span => getComputedStyle(span).backgroundColor)")
    assert len(set(grounds)) == 4 and all(ground.startswith("rgba(213, 94, 0, ") for ground in grounds)
    playground.notebook.photograph(playground.root, pictures / "generation_playground.png")
    playground.colour.press(" ")
    expect(tints).to_have_count(0)
    expect(playground.root.get_by_text("below 1%")).to_have_count(0)
    assert playground.texts() == texts
    playground.colour.press(" ")
    expect(tints).to_have_count(len(grounds))


def test_copy_puts_the_exact_text_on_the_clipboard(playground):
    start = "Two  spaces,\n\nlines, "
    small, _ = playground.write_whole(start=start, length=200)
    # A selection that ends in a line break is copied without it by the browser alone.
    playground.write_whole(length=small.index("\n", len(start)) + 1 - len(start))
    playground.button("Copy the text of small").click()
    expect(playground.root.get_by_text("Copied.")).to_be_visible()
    assert clipboard(playground) == playground.in_kernel()[0]
    assert clipboard(playground).endswith("\n")
    playground.button("Copy the text of large").press("Enter")
    assert clipboard(playground) == playground.in_kernel()[1]


def test_where_the_browser_refuses_to_copy_two_keys_do(playground):
    playground.write_whole(start="A  b\n\nc ", length=80)
    playground.page.evaluate("document.execCommand = () => false")
    playground.button("Copy the text of small").click()
    expect(playground.root.get_by_text("Selected: press Ctrl+C")).to_be_visible()
    playground.page.keyboard.press("Control+c")
    assert clipboard(playground) == playground.in_kernel()[0]
    playground.page.evaluate("delete document.execCommand")


def test_a_character_that_the_models_do_not_know_is_named_and_nothing_is_broken(playground):
    playground.set(start="Zo\u00eb ", length=20)
    playground.write.click()
    alert = playground.root.get_by_role("alert")
    expect(alert).to_have_count(1)
    expect(alert).to_contain_text(re.compile("1 character outside the vocabulary of 86: '\u00eb' x1"))
    expect(playground.state).to_have_text("Nothing was written.")
    playground.write_whole(start="Zoe ")
    expect(alert).to_have_count(0)
    expect(playground.state).to_contain_text("Written. small: ")


def test_tab_goes_through_the_controls_in_reading_order(playground):
    playground.write_whole(start="The ", length=20)
    playground.field("Start text").focus()
    order = [
        *(playground.field(label) for label in LABELS.values()),
        *(playground.colour, playground.write),
        *(playground.button(f"Copy the text of {name}") for name in ("small", "large")),
    ]
    for control in order:
        expect(control).to_be_focused()
        playground.page.keyboard.press("Tab")


def test_screen_readers_get_each_text_as_one_paragraph(playground):
    playground.write_whole(start="The ", length=60, seed=3)
    small, large = ("".join(text.split()) for text in playground.texts())
    spoken = "".join(playground.root.aria_snapshot().split())
    assert f"-paragraph:{small}" in spoken or f'-paragraph:"{small}' in spoken
    assert spoken.count(small) == spoken.count(large) == 1


@pytest.mark.parametrize("width", [1024, 640])
def test_nothing_sticks_out_of_the_page(playground, width):
    playground.page.set_viewport_size({"width": width, "height": 900})
    sizes = playground.root.evaluate("root => [root.scrollWidth, root.clientWidth]")
    assert sizes[0] <= sizes[1]


def test_text_reads_in_the_dark_theme(playground, pictures):
    playground.page.set_viewport_size({"width": 1024, "height": 900})
    playground.write_whole(start="It was a dark night, and ", temperature=0.7, length=240, seed=1)
    playground.notebook.use_theme("JupyterLab Dark")
    colours = playground.root.locator("pre").first.evaluate("pre => getComputedStyle(pre).color")
    assert min(map(int, re.findall(r"\d+", colours)[:3])) > 180  # Light ink.
    playground.notebook.photograph(playground.root, pictures / "generation_playground_dark.png")
    playground.notebook.use_theme("JupyterLab Light")
