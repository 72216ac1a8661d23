"""AggregationExplorer as a person uses it, with every step's values computed here by hand."""

import math
import re

import pytest
from playwright.sync_api import expect

from lab_page import NotebookPage, notebook_of

EXPLORER = """\
import fedlab

explorer = fedlab.widgets.AggregationExplorer()
explorer"""
PASSED = """\
import tensorflow_federated as tff


class TripledSum(tff.aggregators.UnweightedAggregationFactory):
    \"\"\"Three times the sum.\"\"\"

    def create(self, value_type):
        inner = tff.aggregators.SumFactory().create(value_type)

        @tff.tensorflow.computation(value_type)
        def triple(value):
            return value * 3

        @tff.federated_computation(inner.state_type, tff.FederatedType(value_type, tff.CLIENTS))
        def next_fn(state, value):
            return inner.next(state, tff.federated_map(triple, value))

        return tff.templates.AggregationProcess(inner.initialize, next_fn)


passed = fedlab.widgets.AggregationExplorer(TripledSum(), [1.0, 4.0])
passed"""
VIEWPORT = {"width": 1024, "height": 900}
STEP_TABLES = re.compile("^(At each client|In the aggregation|goes in, comes out|value)$")


class Explorer:
    """The widget on its page."""

    def __init__(self, notebook, place):
        self.notebook, self.page = notebook, notebook.page
        self.root = notebook.widget("Aggregation explorer").nth(place)
        self.status = self.root.get_by_role("status")
        self.problem = self.root.get_by_role("alert")
        self.step = self.root.locator('[aria-current="step"]')

    def field(self, label):
        return self.root.get_by_label(label, exact=True)

    def button(self, name):
        # Before its words stands an icon, a letter of a font of its own.
        return self.root.get_by_role("button", name=re.compile(rf"\b{name}$"))

    def press(self, name):
        self.button(name).click()

    def type_values(self, *texts):
        for client, text in enumerate(texts):
            self.field(f"client {client}").fill(text)
        self.field(f"client {client}").blur()  # A value is sent when its field is left.

    def next_round(self, number):
        self.press("Next round")
        expect(self.status).to_contain_text(f"Round {number} is done.", timeout=60_000)

    def rows(self, table):
        """The texts of the cells of a table, row by row."""
        rows = self.root.get_by_role("region", name=table).locator("tbody tr").all()
        return [tuple(row.get_by_role("cell").all_text_contents()) for row in rows]

    def walk(self):
        """Goes through the steps with the button: [(step, rows of its table)]."""
        walked = []
        for place in range(self.root.get_by_role("listitem").count()):
            if place:
                self.press("Next step")
                expect(self.status).to_contain_text(f"Step {place + 1} of")
            walked.append((self.step.inner_text().removeprefix("▶ "), self.rows(STEP_TABLES)))
        return walked


@pytest.fixture(scope="module")
def notebook(lab_server, chromium):
    page = NotebookPage(lab_server, chromium, notebook_of(EXPLORER, PASSED), VIEWPORT)
    page.run_all()
    expect(page.widget("Aggregation explorer")).to_have_count(2)
    yield page
    page.close()


@pytest.fixture
def explorer(notebook):
    notebook.run(
        "explorer.wait(); explorer.factory.value = 'mean'; explorer.reset()\n"
        "explorer.plumbing.value = False\n"
        "clients = explorer.clients\n"
        "while len(clients.values) > 3: clients.remove()\n"
        "while len(clients.values) < 3: clients.add()\n"
        "for value, weight in zip(clients.values, clients.weights): value.value, weight.value = '0', 1"
    )
    shown = Explorer(notebook, 0)
    for client in range(3):
        expect(shown.field(f"client {client}")).to_have_value("0")
    expect(shown.field("client 3")).to_have_count(0)
    expect(shown.root.get_by_role("listitem")).to_have_count(0)
    return shown


def in_the_sum(summands):
    """The rows of an aggregation: what each client gives, and the total so far."""
    totals = [sum(summands[: index + 1]) for index in range(len(summands))]
    rows = [
        (f"client {i}", f"{s:g}", f"{t:g}") for i, (s, t) in enumerate(zip(summands, totals, strict=True))
    ]
    return [*rows, ("result", "", f"{totals[-1]:g}")]


def test_a_clipped_weighted_mean_by_keyboard_alone_shows_every_step(explorer):
    keyboard = explorer.page.keyboard
    explorer.field("Factory").focus()
    # Arrows: letters in a list are JupyterLab's shortcuts for the cell around it.
    keyboard.press("ArrowDown")
    expect(explorer.root).to_contain_text("Values whose norm is above 3 are shortened")
    for text in ("1", "1", "2", "1", "9", "2"):  # value, weight of each client
        keyboard.press("Tab")
        keyboard.press("Control+a")
        keyboard.type(text)
    for _ in range(3):  # over Add client and Remove client
        keyboard.press("Tab")
    expect(explorer.button("Next round")).to_be_focused()
    keyboard.press("Enter")
    expect(explorer.status).to_have_text("Round 1 is done. The result is 2.25.", timeout=60_000)

    values, weights, clipped = (1, 2, 9), (1, 1, 2), (1, 2, 3)
    products = [value * weight for value, weight in zip(clipped, weights, strict=True)]
    at_clients = [
        [
            (f"client {i}", f"<0={v}, 1=3>", f"<0={c}, 1={v}, 2={int(v > 3)}>")
            for i, (v, c) in enumerate(zip(values, clipped, strict=True))
        ],
        [
            (f"client {i}", f"<0={c}, 1={w}>", f"{c * w}")
            for i, (c, w) in enumerate(zip(clipped, weights, strict=True))
        ],
    ]
    assert explorer.walk() == [
        ("at the clients: [federated_broadcast]", [("3",)]),
        ("at the clients: clip_fn [federated_map]", at_clients[0]),
        ("at the clients: _mul [federated_map]", at_clients[1]),
        ("aggregation: [federated_aggregate]", in_the_sum(products)),
        ("aggregation: [federated_aggregate]", in_the_sum(weights)),
        ("at the server: _div [federated_apply]", [("<0=9, 1=4>", "2.25")]),
        ("aggregation: [federated_aggregate]", in_the_sum([0, 0, 1])),
    ]
    assert explorer.rows("Measurements") == [("clipping_norm", "3"), ("clipped_count", "1")]
    picture = explorer.root.get_by_role("img")
    expect(picture).to_have_attribute("alt", re.compile("client 2 holds 9 and sends 6. The result is 2.25."))


def test_the_adaptive_limit_moves_in_the_state_from_round_to_round(explorer, pictures):
    explorer.field("Factory").select_option("mean, clipped adaptively")
    explorer.type_values("1", "2", "9")
    for number in (1, 2):
        explorer.next_round(number)
        # A third of the clients is below the limit, half should be: it grows by exp(1 / 2 - 1 / 3).
        limits = [f"{math.exp(rounds / 6):.6g}" for rounds in (number - 1, number)]
        assert explorer.rows("State")[0] == ("clipping_norm.0.current_estimate", *limits, "changed")
        assert explorer.rows("Measurements") == [("clipping_norm", limits[0]), ("clipped_count", "2")]
    explorer.press("Next step")
    expect(explorer.step).to_have_text("▶ at the clients: clip_fn [federated_map]")
    explorer.notebook.photograph(explorer.root, pictures / "aggregation_explorer.png")
    explorer.page.set_viewport_size(VIEWPORT)


def test_structures_go_through_rounds_whose_state_changes_and_back_again(explorer):
    explorer.field("Factory").select_option("scaled sum")
    explorer.press("Remove client")
    explorer.type_values('{"w": [1, 2], "b": 0.5}', "{'b': 1.5, 'w': [3, -4]}")
    expect(explorer.root).to_contain_text("2 clients, values of type <w=float32[2],b=float32>.")
    explorer.next_round(1)
    assert explorer.rows("State") == [("0", "0", "1", "changed")]
    explorer.next_round(2)
    assert explorer.rows("State") == [("0", "1", "2", "changed")]
    first, second = "<w=[1., 2.], b=0.5>", "<w=[ 3., -4.], b=1.5>"
    doubled = ["<w=[2., 4.], b=1>", "<w=[ 6., -8.], b=3>", "<w=[ 8., -4.], b=4>"]
    assert explorer.walk() == [
        ("at the server: add_one [federated_apply]", [("1", "2")]),
        ("at the clients: [federated_broadcast]", [("2",)]),
        (
            "at the clients: scale [federated_map]",
            [("client 0", f"<0={first}, 1=2>", doubled[0]), ("client 1", f"<0={second}, 1=2>", doubled[1])],
        ),
        (
            "aggregation: [federated_aggregate]",
            [("client 0", doubled[0], doubled[0]), ("client 1", *doubled[1:]), ("result", "", doubled[2])],
        ),
        ("at the server: unscale [federated_apply]", [(f"<0={doubled[2]}, 1=2>", "<w=[ 4., -2.], b=2>")]),
    ]
    assert explorer.rows("Result") == [("w", "[ 4., -2.]"), ("b", "2")]
    assert explorer.rows("Measurements") == [("scaled_value.w", "[ 8., -4.]"), ("scaled_value.b", "4")]

    explorer.press("Back")
    expect(explorer.status).to_have_text("Round 1 of 2.")
    assert explorer.rows("State") == [("0", "0", "1", "changed")]
    assert explorer.rows(STEP_TABLES) == [(f"<0={'<w=[ 4., -2.], b=2>'}, 1=1>", "<w=[ 4., -2.], b=2>")]
    explorer.press("Forward")
    expect(explorer.status).to_have_text("Round 2 of 2.")
    assert explorer.rows("State") == [("0", "1", "2", "changed")]
    explorer.press("Previous step")
    expect(explorer.step).to_have_text("▶ aggregation: [federated_aggregate]")


def test_the_type_signature_unfolds_and_plumbing_is_there_for_the_asking(explorer):
    explorer.type_values("1", "2", "3")
    explorer.next_round(1)
    signature = explorer.root.get_by_text("value={float32}@CLIENTS")
    expect(signature).to_be_hidden()
    explorer.root.get_by_text("Type signature of next, for values of type float32").click()
    expect(signature).to_be_visible()
    assert explorer.root.get_by_role("listitem").count() == 4
    explorer.field("Show steps that only move values about").check()
    expect(explorer.root.get_by_role("listitem").first).to_have_text(
        "at the clients: [federated_zip_at_clients]"
    )
    expect(explorer.step).to_have_text("▶ at the clients: _mul [federated_map]")


def test_what_is_being_typed_stays_while_the_kernel_changes_what_is_around_it(explorer):
    typed, weight = explorer.field("client 1"), explorer.field("weight of client 1")
    typed.fill("[2, ")
    expect(weight).to_be_visible()
    explorer.notebook.run("explorer.factory.value = 'sum'; explorer.clients.remove()")
    expect(weight).to_be_hidden()
    expect(explorer.field("client 2")).to_have_count(0)
    expect(typed).to_be_focused()
    expect(typed).to_have_value("[2, ")
    typed.press_sequentially("3]")
    explorer.field("client 0").fill("[1, 1]")
    explorer.next_round(1)
    expect(explorer.status).to_have_text("Round 1 is done. The result is [3., 4.].")


def test_bad_input_is_answered_in_words_and_mended(explorer):
    explorer.type_values("1", "2", "3")
    explorer.next_round(1)
    explorer.type_values("1", "[2, 3", "3")
    explorer.press("Next round")
    expect(explorer.problem).to_have_text(
        'client 1: [2, 3 cannot be read: write 1.5, [1, 2, 3] or {"w": [1, 2], "b": 0.5}.'
    )
    expect(explorer.root.get_by_text("Result: 2", exact=True)).to_be_visible()
    explorer.type_values("1", "[2, 3]", "3")
    explorer.press("Next round")
    expect(explorer.problem).to_contain_text("client 1 holds float32[2], but client 0 holds float32")
    explorer.type_values("1", "8", "3")
    explorer.next_round(2)
    expect(explorer.problem).to_have_count(0)
    expect(explorer.root.get_by_text("Result: 4", exact=True)).to_be_visible()


def test_a_factory_of_ones_own_is_offered_first_and_explored(notebook):
    passed = Explorer(notebook, 1)
    options = passed.field("Factory").get_by_role("option").all_text_contents()
    assert options[:2] == ["TripledSum", "mean"]
    expect(passed.root).to_contain_text("Three times the sum.")
    passed.next_round(1)
    assert passed.walk() == [
        ("at the clients: triple [federated_map]", [("client 0", "1", "3"), ("client 1", "4", "12")]),
        ("aggregation: [federated_aggregate]", in_the_sum([3, 12])),
    ]
    expect(passed.root.get_by_text("Result: 15", exact=True)).to_be_visible()


def test_nothing_is_wider_than_the_page_and_both_themes_can_be_read(explorer, pictures):
    explorer.press("Add client")
    explorer.type_values(*['{"w": [1, 2], "b": 0.5, "c": [[1, 2], [3, 4]]}'] * 4)
    explorer.next_round(1)
    too_wide = "element => element.scrollWidth - element.clientWidth"
    assert explorer.root.evaluate(too_wide) <= 0
    contrasts = {}
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        explorer.notebook.use_theme(theme)
        explorer.notebook.photograph(
            explorer.root, pictures / f"aggregation_explorer_{theme[11:].lower()}.png"
        )
        contrasts[theme] = explorer.step.evaluate("element => getComputedStyle(element).color")
    explorer.page.set_viewport_size(VIEWPORT)
    assert contrasts["JupyterLab Dark"] != contrasts["JupyterLab Light"]
