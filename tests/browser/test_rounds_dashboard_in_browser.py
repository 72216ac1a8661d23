"""RoundsDashboard as a person uses it: real rounds of the small Dickens model, from Start to Reset."""

import re
import time

import pytest
from playwright.sync_api import expect

from lab_page import NotebookPage, notebook_of

# Rounds are quicker than a busy machine's page: while `go_on` is not set, one waits in its midst.
CELL = """\
import threading

import fedlab
from fedlab.datasets.federated_text import from_speeches
from fedlab.models.dickens import load_small_dickens

train, test = fedlab.load_shakespeare()
ids = ["HAMLET_HAMLET", "KING_LEAR_LEAR", "OTHELLO_IAGO", "ROMEO_AND_JULIET_JULIET", "MACBETH_THIRD_WITCH"]
some = from_speeches({client_id: [train.text(client_id)[:3232]] for client_id in ids})
held_out = from_speeches({client_id: [test.text(client_id)[:404]] for client_id in ids})
simulation = fedlab.training.Simulation(load_small_dickens(), some, held_out)
dashboard = fedlab.widgets.RoundsDashboard(simulation)
starts, start = [], simulation.start
go_on, is_held = threading.Event(), threading.Event()


def hold():
    if not go_on.is_set():
        is_held.set()
        go_on.wait()


def holding(hear):
    def hear_first_client_and_hold(client):
        if client.client_id == ids[0]:
            hear(client)
            hold()
        else:
            hold()
            hear(client)

    return hear_first_client_and_hold


def start_watched(**settings):
    starts.append(settings)
    run = start(**settings)
    rounds = run.rounds
    run.rounds = lambda num_rounds, hear: rounds(num_rounds, holding(hear))
    return run


simulation.start = start_watched
dashboard"""
VIEWPORT = {"width": 1024, "height": 900}
# A machine with much else to do may need this.
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

    def hold_rounds(self):
        """From now on a round waits with Hamlet done and others to come."""
        self.notebook.run("is_held.clear(); go_on.clear()")

    def expect_held(self):
        """Waits until a round waits, and the page shows it; returns how many rounds were done before it."""
        self.wait_until("is_held.is_set()")
        done = int(self.print("dashboard.run.round_number"))
        progress = self.root.get_by_text(re.compile(f"clients of round {done + 1}: [12] of 3"))
        expect(progress).to_be_visible(timeout=LONG_MS)
        return done

    def let_go(self):
        self.notebook.run("go_on.set()")

    def print(self, expression):
        return self.notebook.run(f"print({expression})").strip()

    def wait_until(self, condition):
        self.notebook.wait_until(condition, within_s=60)


@pytest.fixture(scope="module")
def opened(lab_server, chromium):
    notebook = NotebookPage(lab_server, chromium, notebook_of(CELL), VIEWPORT)
    notebook.run_all()
    yield Dashboard(notebook)
    notebook.close()


@pytest.fixture
def dashboard(opened):
    """The widget before a run."""
    opened.let_go()
    yield opened
    opened.let_go()
    opened.notebook.run("dashboard.drop(); dashboard.wait(); dashboard.reset()")
    expect(opened.button("Start")).to_be_enabled()


ANY_BUT_THE_FIRST = re.compile("Round (?!1 )[0-9]+ of 500 is under way.")
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
    dashboard.hold_rounds()
    # A double press, as impatient people do.
    dashboard.button("Start").dblclick()
    assert dashboard.expect_held() == 0
    expect(dashboard.clients.get_by_role("cell", name="not done yet")).to_have_count(2)
    expect(dashboard.clients.get_by_role("row", name=re.compile("^Hamlet Hamlet .* done"))).to_be_visible()
    expect(dashboard.root.get_by_role("img", name=re.compile("held-out accuracy is"))).to_be_visible()

    dashboard.button("Stop").click()
    dashboard.expect_state("Stopping after round 1, which is kept.")
    dashboard.let_go()
    dashboard.expect_state(re.compile(r"Stopped after round 1 of 3\. .* Resume adds 2 rounds\."))
    assert dashboard.print("len(dashboard.records), dashboard.run.round_number") == "1 1"
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


def test_while_rounds_run_the_page_and_the_kernel_answer_until_the_round_is_dropped(dashboard):
    dashboard.choose(*THREE, Rounds=500)
    dashboard.wait_until("dashboard.rounds.value == 500")
    dashboard.button("Start").click()
    dashboard.expect_state(ANY_BUT_THE_FIRST)
    for number in (2, 3, 4):
        asked = time.monotonic()
        dashboard.fill("Text every n rounds", number)
        dashboard.wait_until(f"dashboard.sample_every.value == {number}")
        assert time.monotonic() - asked < ANSWERS_WITHIN_S
    expect(dashboard.button("Start")).to_be_disabled()
    expect(dashboard.field("Seed")).to_be_disabled()
    dashboard.hold_rounds()
    done = dashboard.expect_held()
    assert done > 0
    dashboard.button("Drop round").click()
    dashboard.expect_state("Dropping this round as soon as the client at work is done")
    dashboard.let_go()
    dashboard.expect_state(f"Round {done + 1} was dropped. Stopped after round {done} of 500.")
    expect(dashboard.alert).to_have_count(0)
    assert dashboard.print("dashboard.run.round_number, len(dashboard.records)") == f"{done} {done}"


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
    dashboard.expect_state(ANY_BUT_THE_FIRST)
    dashboard.notebook.interrupt()
    done = int(dashboard.print("len(dashboard.records)"))
    dashboard.wait_until(f"len(dashboard.records) > {done + 1}")  # The run is not the kernel's cell.
    dashboard.expect_state(ANY_BUT_THE_FIRST)
    dashboard.notebook.photograph(dashboard.root, pictures / "rounds_dashboard_dark.png")
    dashboard.notebook.run("first = dashboard; dashboard = fedlab.widgets.RoundsDashboard(simulation)")
    assert dashboard.print("first.wait(60), len(first.records) < 500, dashboard.run") == "True True None"
    dashboard.notebook.run("dashboard.close(); dashboard = first")
    dashboard.expect_state("Another dashboard was opened. Stopped after round")
