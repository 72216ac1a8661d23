"""RoundsDashboard as a person uses it: real rounds of the small Dickens model, from Start to Reset."""

import re
import time

import pytest
from playwright.sync_api import expect

from lab_page import NotebookPage, notebook_of

CELL = """\
import fedlab
from fedlab.datasets.federated_text import from_speeches
from fedlab.models.dickens import load_small_dickens

train, test = fedlab.load_shakespeare()
ids = ["HAMLET_HAMLET", "KING_LEAR_LEAR", "OTHELLO_IAGO", "ROMEO_AND_JULIET_JULIET", "MACBETH_THIRD_WITCH"]
some = from_speeches({client_id: [train.text(client_id)[:3232]] for client_id in ids})
held_out = from_speeches({client_id: [test.text(client_id)[:404]] for client_id in ids})
laboratory = fedlab.training.Laboratory(load_small_dickens(), some, held_out)
dashboard = fedlab.widgets.RoundsDashboard(laboratory)
starts, start = [], laboratory.start
laboratory.start = lambda **settings: starts.append(settings) or start(**settings)
dashboard"""
VIEWPORT = {"width": 1024, "height": 900}
# A round takes a second or two; a machine with much else to do may need this.
LONG_MS = 60_000
ANSWERS_WITHIN_S = 10


class Dashboard:
    """The widget on its page."""

    def __init__(self, notebook):
        self.notebook, self.page = notebook, notebook.page
        self.root = notebook.widget("Rounds dashboard")
        self.state, self.alert = self.root.get_by_role("status"), self.root.get_by_role("alert")
        self.clients = self.root.get_by_role("region", name=re.compile("Clients of round"))

    def button(self, name):
        return self.root.get_by_role("button", name=name)

    def field(self, label):
        return self.root.get_by_label(label, exact=True)

    def choose(self, *clients, **numbers):
        self.field("Clients").select_option(label=list(clients))
        for label, number in numbers.items():
            self.fill(label.replace("_", " "), number)

    def fill(self, label, text):
        self.field(label).fill(str(text))
        self.field(label).blur()  # Numbers are sent when their field is left.

    def expect_state(self, words):
        expect(self.state).to_contain_text(words, timeout=LONG_MS)

    def print(self, expression):
        return self.notebook.run(f"print({expression})").strip()

    def wait_until(self, condition):
        """Waits until an expression is true in the kernel."""
        deadline = time.monotonic() + 60
        while self.print(condition) != "True":
            assert time.monotonic() < deadline, condition
            time.sleep(0.05)


@pytest.fixture(scope="module")
def opened(lab_server, chromium):
    notebook = NotebookPage(lab_server, chromium, notebook_of(CELL), VIEWPORT)
    notebook.run_all()
    yield Dashboard(notebook)
    notebook.close()


@pytest.fixture
def dashboard(opened):
    """The widget before a run."""
    yield opened
    opened.notebook.run("dashboard.drop(); dashboard.wait(); dashboard.reset()")
    expect(opened.button("Start")).to_be_enabled()


HAMLET = "Hamlet Hamlet (4 batches)"
THREE = [HAMLET, "Othello Iago (4 batches)", "Romeo and Juliet Juliet (4 batches)"]
TAB_ORDER = [
    *("Clients", "Clients per round", "Local epochs", "Seed", "Aggregator"),
    *("Client optimizer", "Client learning rate", "Server optimizer", "Server learning rate"),
    *("Rounds", "Text every n rounds", "Start of the text"),
]


def test_a_run_is_watched_stopped_between_rounds_resumed_and_reset(dashboard, pictures):
    dashboard.choose(*THREE, Rounds=3, Text_every_n_rounds=3)
    dashboard.wait_until("dashboard.rounds.value == dashboard.sample_every.value == 3")
    # A double press, as impatient people do.
    dashboard.button("Start").dblclick()
    expect(dashboard.root.get_by_text(re.compile("clients of round 1: [12] of 3"))).to_be_visible(
        timeout=LONG_MS
    )
    expect(dashboard.clients.get_by_role("row", name=re.compile("^Hamlet Hamlet .* done"))).to_be_visible()
    expect(dashboard.root.get_by_role("img", name=re.compile("held-out accuracy is"))).to_be_visible()

    dashboard.button("Stop").click()
    dashboard.expect_state(re.compile(r"Stopped after round [12] of 3\. .* Resume adds [12] rounds?\."))
    done = int(dashboard.print("len(dashboard.records)"))
    assert 1 <= done < 3 and dashboard.print("dashboard.run.round_number") == str(done)
    expect(dashboard.clients.get_by_role("cell", name="not done yet")).to_have_count(0)

    dashboard.button("Resume").click()
    dashboard.expect_state("Done: 3 rounds.")
    assert dashboard.print("[record.round_number for record in dashboard.records]") == "[1, 2, 3]"
    expect(dashboard.root.get_by_role("img", name=re.compile("over 3 rounds"))).to_be_visible()
    expect(dashboard.root.get_by_role("heading", name="Text after round 3")).to_be_visible()
    expect(dashboard.root.locator("pre").last).to_contain_text("What say you, my lord? ")
    expect(
        dashboard.root.get_by_role("row", name=re.compile("Third Witch needs 808 characters"))
    ).to_be_visible()
    assert dashboard.print("len(starts)") == "1"
    dashboard.notebook.photograph(dashboard.root, pictures / "rounds_dashboard.png")

    dashboard.button("Reset").click()
    dashboard.expect_state("Reset: 3 rounds forgotten")
    expect(dashboard.clients).to_have_count(0)
    assert dashboard.print("dashboard.run, dashboard.records") == "None []"


def drop_the_round(dashboard):
    """Presses until it was soon enough: once its clients are done, a round is kept."""
    for _ in range(20):
        dashboard.button("Drop round").click()
        dashboard.expect_state(re.compile(r"Stopped after round \d+ of 500\."))
        if "was done before it could be dropped" not in dashboard.state.inner_text():
            break
        dashboard.button("Resume").click()
    dashboard.expect_state(re.compile(r"Round \d+ was dropped\. Stopped after round \d+ of 500\."))


def test_while_rounds_run_the_page_and_the_kernel_answer_until_the_round_is_dropped(dashboard):
    dashboard.choose(*THREE, Rounds=500)
    dashboard.wait_until("dashboard.rounds.value == 500")
    dashboard.button("Start").click()
    dashboard.expect_state("Round 2 of 500 is under way.")
    for number in (2, 3, 4):
        asked = time.monotonic()
        dashboard.fill("Text every n rounds", number)
        dashboard.wait_until(f"dashboard.sample_every.value == {number}")
        assert time.monotonic() - asked < ANSWERS_WITHIN_S
    expect(dashboard.button("Start")).to_be_disabled()
    expect(dashboard.field("Seed")).to_be_disabled()
    drop_the_round(dashboard)
    expect(dashboard.alert).to_have_count(0)
    assert dashboard.print("dashboard.run.round_number == len(dashboard.records) > 0") == "True"


def test_the_keyboard_reaches_everything_and_what_cannot_be_is_said_until_it_is_mended(dashboard):
    dashboard.field("Clients").select_option([])
    dashboard.wait_until("dashboard.settings.clients.value == ()")
    dashboard.field("Clients").focus()
    for label in TAB_ORDER:
        expect(dashboard.field(label)).to_be_focused()
        dashboard.page.keyboard.press("Tab")
    expect(dashboard.button("Start")).to_be_focused()
    dashboard.page.keyboard.press("Enter")
    expect(dashboard.alert).to_have_text("No client is chosen: choose at least one in the list Clients.")

    dashboard.choose(HAMLET, Rounds=1, Text_every_n_rounds=0)
    dashboard.wait_until("len(dashboard.settings.clients.value) == dashboard.rounds.value == 1")
    dashboard.button("Start").press("Enter")
    dashboard.expect_state("Done: 1 round.")
    expect(dashboard.alert).to_have_count(0)


def test_an_interrupted_kernel_and_a_cell_run_again_leave_no_run_behind(dashboard, pictures):
    dashboard.notebook.use_theme("JupyterLab Dark")
    dashboard.choose(*THREE, Rounds=500, Text_every_n_rounds=0)
    dashboard.wait_until("dashboard.rounds.value == 500")
    dashboard.button("Start").click()
    dashboard.expect_state("Round 2 of 500 is under way.")
    dashboard.notebook.interrupt()
    dashboard.expect_state(re.compile("Round [3-9] of 500 is under way"))  # The run is not the kernel's cell.
    dashboard.notebook.photograph(dashboard.root, pictures / "rounds_dashboard_dark.png")
    dashboard.notebook.run("first = dashboard; dashboard = fedlab.widgets.RoundsDashboard(laboratory)")
    assert dashboard.print("first.wait(60), len(first.records) < 500, dashboard.run") == "True True None"
    dashboard.notebook.run("dashboard.close(); dashboard = first")
    dashboard.expect_state("Another dashboard was opened. Stopped after round")
