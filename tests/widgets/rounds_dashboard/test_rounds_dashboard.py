"""Rounds started, stopped, dropped, gone on with and begun anew, of a simulation in plain Python."""

import dataclasses
import itertools
import re
import signal
import threading
import time
import types

import ipywidgets
import pytest

from fedlab.widgets.rounds_dashboard.widget import RoundsDashboard

IDS = ["HAMLET_HAMLET", "HAMLET_OPHELIA", "OTHELLO_IAGO"]


def client(client_id, why=""):
    return types.SimpleNamespace(client_id=client_id, num_characters=1700, num_batches=2, why_left_out=why)


def evaluation(number):
    return types.SimpleNamespace(loss=2 - number / 10, accuracy=0.40 + number / 100)


@dataclasses.dataclass
class Simulation:
    """Trains nothing; where it is gated, each client waits for leave to end its work."""

    gated: bool = False
    faults: dict = dataclasses.field(default_factory=dict)  # (round, client's place) or "start" -> error
    left_out: set = frozenset()
    measurements: dict = dataclasses.field(default_factory=dict)
    ids: list = dataclasses.field(default_factory=lambda: list(IDS))
    seconds: float = 7.25
    started: list = dataclasses.field(default_factory=list)
    leave: threading.Semaphore = dataclasses.field(default_factory=lambda: threading.Semaphore(0))
    client_optimizers = {"SGD": 0.3, "Adam": 0.001}
    server_optimizers = {"SGD": 1.0, "Yogi": 0.01}
    aggregators = ("mean", "median")

    @property
    def clients(self):
        return (*map(client, self.ids), client("HAMLET_OSRIC", "needs 808 characters, has 311"))

    def start(self, **settings):
        self.started.append(settings)
        self.fail("start")
        return Run(self, settings)

    def let(self, num_clients):
        self.leave.release(num_clients)

    def fail(self, when):
        if when in self.faults:
            raise self.faults.pop(when)


class Run:
    def __init__(self, simulation, settings):
        self.simulation, self.ids = simulation, settings["client_ids"][: settings["clients_per_round"]]
        self.round_number, self.before, self.server = 0, evaluation(0), object()

    def next_cohort(self):
        return self.ids

    def rounds(self, num_rounds, on_client):
        for _ in range(num_rounds):
            for place, client_id in enumerate(self.ids):
                if self.simulation.gated:
                    self.simulation.leave.acquire()
                self.simulation.fail((self.round_number + 1, place))
                on_client(client_record(client_id, place, client_id in self.simulation.left_out))
            self.round_number += 1
            yield self.record()

    def record(self):
        number = self.round_number
        return types.SimpleNamespace(
            round_number=number,
            cohort=tuple(self.ids),
            num_examples_by_client=dict.fromkeys(self.ids, 16),
            loss=1.9 - number / 10,
            accuracy=0.41 + number / 100,
            seconds=self.simulation.seconds,
            held_out=evaluation(number),
            measurements=self.simulation.measurements,
        )

    def write(self, start, length, *, seed):
        if not start:
            raise ValueError("start is empty: give at least one character.")
        return f"{start}<{self.round_number}>"


def client_record(client_id, place, is_left_out):
    loss = None if is_left_out else 1.5 + place / 8
    return types.SimpleNamespace(
        client_id=client_id,
        loss=loss,
        accuracy=0.5,
        update_norm=0.25 + place,
        seconds=3.5,
        is_left_out=is_left_out,
    )


@pytest.fixture
def simulation():
    return Simulation()


@pytest.fixture
def gated():
    simulation = Simulation(gated=True)
    yield simulation
    simulation.let(1000)


def dashboard_of(simulation, rounds=3):
    dashboard = RoundsDashboard(simulation)
    dashboard.rounds.value = rounds
    return dashboard


def run_to_its_end(dashboard, button="start_button"):
    getattr(dashboard, button).click()
    assert dashboard.wait(60)
    return dashboard


def wait_for(condition, timeout_s=60):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def page(dashboard):
    """The text that the widget shows, without its style and its pictures."""

    def values(part):
        yield from [part.value] if isinstance(part, ipywidgets.HTML) else []
        for child in getattr(part, "children", ()):
            yield from values(child)

    shown = "\n".join(values(dashboard.root)).partition("</style>")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", shown))


def enabled(dashboard):
    names = ("start", "stop", "drop", "resume", "reset")
    return {name for name in names if not getattr(dashboard, f"{name}_button").disabled}


def numbers(dashboard):
    return [record.round_number for record in dashboard.records]


# --- Before, during and after a run ---------------------------------------------------------------


def test_before_the_run_only_start_can_be_pressed(simulation):
    dashboard = dashboard_of(simulation)
    assert enabled(dashboard) == {"start"}
    assert "Ready. Press Start." in page(dashboard)
    assert dashboard.run is None and simulation.started == []


def test_the_settings_go_to_the_simulation(simulation):
    dashboard = dashboard_of(simulation)
    form = dashboard.settings
    form.clients.value = IDS[1:]
    form.clients_per_round.value, form.local_epochs.value, form.seed.value = 1, 4, 9
    form.client_optimizer.value, form.server_optimizer.value = "Adam", "Yogi"
    form.server_rate.value, form.aggregator.value = 0.5, "median"
    run_to_its_end(dashboard)
    assert simulation.started == [
        dict(
            client_ids=(IDS[1], IDS[2]),
            clients_per_round=1,
            local_epochs=4,
            client_optimizer="Adam",
            client_rate=0.001,
            server_optimizer="Yogi",
            server_rate=0.5,
            aggregator="median",
            seed=9,
        )
    ]


def test_0_clients_per_round_is_everyone_chosen(simulation):
    run_to_its_end(dashboard_of(simulation))
    (settings,) = simulation.started
    assert settings["clients_per_round"] is None and settings["client_ids"] == tuple(IDS)


def test_another_optimizer_brings_its_own_rate(simulation):
    form = dashboard_of(simulation).settings
    form.client_optimizer.value, form.server_optimizer.value = "Adam", "Yogi"
    assert (form.client_rate.value, form.server_rate.value) == (0.001, 0.01)


def test_a_run_trains_the_rounds_that_were_asked_for(simulation):
    dashboard = run_to_its_end(dashboard_of(simulation, rounds=3))
    assert numbers(dashboard) == [1, 2, 3]
    assert "Done: 3 rounds. Held-out accuracy went from 40.0% to 43.0%. Resume adds 3 rounds." in page(
        dashboard
    )
    assert enabled(dashboard) == {"resume", "reset"}
    assert dashboard.run.round_number == 3


def test_two_presses_of_start_start_one_run(gated):
    dashboard = dashboard_of(gated, rounds=1)
    dashboard.start_button.click()
    dashboard.start_button.click()
    gated.let(3)
    assert dashboard.wait(60)
    dashboard.start_button.click()  # Nor does one more when it is done: the run is kept until Reset.
    assert dashboard.wait(60)
    assert len(gated.started) == 1 and numbers(dashboard) == [1]


def test_while_it_runs_each_client_is_shown_as_soon_as_it_is_done(gated):
    dashboard = dashboard_of(gated)
    dashboard.start()
    wait_for(lambda: "Round 1 of 3 is under way." in page(dashboard))
    assert "Hamlet Ophelia – – – – – not done yet" in page(dashboard)
    gated.let(1)
    wait_for(lambda: "Hamlet Hamlet – 1.500 50.0% 0.25 3.50 done" in page(dashboard))
    assert "rounds 0 of 3" in page(dashboard) and "clients of round 1: 1 of 3" in page(dashboard)
    assert "Hamlet Ophelia – – – – – not done yet" in page(dashboard)
    assert enabled(dashboard) == {"stop", "drop"}
    gated.let(2)
    wait_for(lambda: "rounds 1 of 3 clients of round 2: 0 of 3" in page(dashboard))
    assert "Hamlet Hamlet – – – – – not done yet" in page(dashboard)


def test_after_the_round_its_clients_stay_with_their_examples(simulation):
    dashboard = run_to_its_end(dashboard_of(simulation, rounds=2))
    assert "Clients of round 2" in page(dashboard)
    assert "Othello Iago 16 1.750 50.0% 2.25 3.50 done" in page(dashboard)
    assert [record.client_id for record in dashboard.client_records.values()] == IDS


def test_rounds_are_listed_newest_first_with_their_seconds(simulation):
    dashboard = run_to_its_end(dashboard_of(simulation, rounds=12))
    shown = page(dashboard)
    assert "The last 10 rounds" in shown
    assert "12 3 0.700 53.0% 0.800 52.0% 7.2 11 3" in shown
    assert "Seconds per round, on average: 7.2." in shown


def test_the_curves_are_those_of_the_rounds(simulation):
    dashboard = run_to_its_end(dashboard_of(simulation, rounds=2))
    alt = re.search(r'<img alt="([^"]*)"', dashboard._curves.value)[1]
    assert (
        "over 2 rounds; training accuracy goes from 42% to 43%; held-out accuracy goes from 40% to 42%" in alt
    )


def test_who_cannot_train_is_listed_with_the_reason_and_cannot_be_chosen(simulation):
    dashboard = dashboard_of(simulation)
    assert "1 client left out of every round Client Why Hamlet Osric needs 808 characters, has 311" in page(
        dashboard
    )
    assert "HAMLET_OSRIC" not in dict(dashboard.settings.clients.options).values()


def test_a_client_that_the_round_left_out_says_why():
    dashboard = run_to_its_end(dashboard_of(Simulation(left_out={"HAMLET_OPHELIA"})))
    assert "Hamlet Ophelia 16 – 50.0% 1.25 3.50 left out: its update is NaN or infinite" in page(dashboard)


def test_what_the_aggregator_measured_is_shown():
    simulation = Simulation(measurements={"clipped_count": 2.0})
    assert "Measured by the aggregator: clipped_count 2." in page(run_to_its_end(dashboard_of(simulation)))


def test_many_quick_clients_do_not_flood_the_page():
    simulation = Simulation(ids=[f"PLAY_ROLE{number}" for number in range(400)])
    dashboard = dashboard_of(simulation, rounds=1)
    updates = []
    dashboard._clients.observe(updates.append, "value")
    started = time.monotonic()
    run_to_its_end(dashboard)
    # One every 0.1 s, and those at the start and at the end.
    assert len(updates) <= (time.monotonic() - started) / 0.1 + 5
    assert len(dashboard.client_records) == 400


# --- Stop, drop, resume, reset --------------------------------------------------------------------


def test_stop_ends_after_the_round_and_keeps_it(gated):
    dashboard = dashboard_of(gated)
    dashboard.start()
    gated.let(4)
    wait_for(lambda: "Round 2 of 3 is under way." in page(dashboard))
    dashboard.stop_button.click()
    assert "Stopping after round 2, which is kept." in page(dashboard)
    assert enabled(dashboard) == {"drop"}
    gated.let(2)
    assert dashboard.wait(60)
    assert numbers(dashboard) == [1, 2]
    assert "Stopped after round 2 of 3." in page(dashboard) and "Resume adds 1 round." in page(dashboard)


def test_resume_goes_on_with_the_rounds_that_are_left_and_then_adds_more(gated):
    dashboard = dashboard_of(gated)
    dashboard.start()
    dashboard.stop()
    gated.let(100)
    assert dashboard.wait(60)
    done = len(dashboard.records)
    assert done < 3
    run_to_its_end(dashboard, "resume_button")
    assert numbers(dashboard) == [1, 2, 3]
    run_to_its_end(dashboard, "resume_button")
    assert numbers(dashboard) == [1, 2, 3, 4, 5, 6]
    assert len(gated.started) == 1


def test_two_presses_of_resume_go_on_once(gated):
    dashboard = dashboard_of(gated, rounds=1)
    gated.let(3)
    run_to_its_end(dashboard)
    dashboard.resume_button.click()
    dashboard.resume_button.click()
    gated.let(100)
    assert dashboard.wait(60)
    assert numbers(dashboard) == [1, 2]


def test_rounds_changed_while_the_run_waits_are_what_resume_adds(gated):
    dashboard = dashboard_of(gated, rounds=5)
    dashboard.start()
    dashboard.stop()
    gated.let(100)
    assert dashboard.wait(60)
    done = len(dashboard.records)
    assert done < 2
    dashboard.rounds.value = 2
    assert "Resume adds 2 rounds." in page(dashboard)
    run_to_its_end(dashboard, "resume_button")
    assert len(dashboard.records) == done + 2


def test_drop_abandons_the_round_keeps_those_before_and_resume_trains_it_again(gated):
    dashboard = dashboard_of(gated)
    dashboard.start()
    gated.let(4)
    wait_for(lambda: len(dashboard.records) == 1 and len(dashboard.client_records) == 1)
    dashboard.stop_button.click()
    dashboard.drop_button.click()
    assert "Dropping this round" in page(dashboard) and enabled(dashboard) == set()
    gated.let(1)
    assert dashboard.wait(60)
    assert numbers(dashboard) == [1] and dashboard.run.round_number == 1
    assert "Round 2 was dropped. Stopped after round 1 of 3." in page(dashboard)
    assert 'role="alert"' not in dashboard._errors.value
    gated.let(100)
    run_to_its_end(dashboard, "resume_button")
    assert numbers(dashboard) == [1, 2, 3]


def test_a_round_whose_clients_are_all_done_is_kept_and_drop_says_so(simulation, monkeypatch):
    being_evaluated, finish, record = threading.Event(), threading.Event(), Run.record

    def evaluate_slowly(run):
        being_evaluated.set()
        return finish.wait(60) and record(run)

    monkeypatch.setattr(Run, "record", evaluate_slowly)
    dashboard = dashboard_of(simulation)
    dashboard.start()
    assert being_evaluated.wait(60)
    dashboard.drop_button.click()
    finish.set()
    assert dashboard.wait(60)
    assert numbers(dashboard) == [1]
    assert "Round 1 was done before it could be dropped, and is kept. Stopped after round 1 of 3." in page(
        dashboard
    )


def test_stop_before_the_first_round_trains_none_and_resume_trains_them_all(simulation, monkeypatch):
    writing = threading.Event()
    monkeypatch.setattr(Run, "write", lambda *unused, **settings: str(writing.wait(60)))
    dashboard = dashboard_of(simulation)
    dashboard.sample_every.value = 1
    dashboard.start()
    dashboard.stop()
    assert "Stopping before the first round." in page(dashboard)
    writing.set()
    assert dashboard.wait(60)
    assert numbers(dashboard) == [] and "Stopped after round 0 of 3." in page(dashboard)
    run_to_its_end(dashboard, "resume_button")
    assert numbers(dashboard) == [1, 2, 3]


def test_the_process_is_built_in_the_thread_that_presses_where_no_cell_can_disturb_it(simulation):
    builders, shown, start = [], [], simulation.start

    def noting_start(**settings):
        builders.append(threading.current_thread())
        shown.append((page(dashboard), enabled(dashboard)))
        return start(**settings)

    simulation.start = noting_start
    dashboard = dashboard_of(simulation)
    run_to_its_end(dashboard)
    assert builders == [threading.main_thread()]
    assert "Building the process" in shown[0][0] and "start" not in shown[0][1]


def test_an_interrupt_while_the_process_is_built_leaves_start_to_be_pressed_again():
    dashboard = dashboard_of(Simulation(faults={"start": KeyboardInterrupt()}))
    with pytest.raises(KeyboardInterrupt):
        dashboard.start()
    assert "Ready. Press Start." in page(dashboard) and enabled(dashboard) == {"start"}
    assert numbers(run_to_its_end(dashboard)) == [1, 2, 3]


def test_reset_forgets_the_run_and_start_begins_a_new_one(simulation):
    dashboard = run_to_its_end(dashboard_of(simulation))
    dashboard.reset_button.click()
    assert dashboard.records == [] and dashboard.run is None and dashboard.client_records == {}
    shown = page(dashboard)
    assert (
        "Reset: 3 rounds forgotten, the model is the one before the first round again. Press Start." in shown
    )
    assert "Clients of round" not in shown and dashboard._curves.value == ""
    assert enabled(dashboard) == {"start"}
    run_to_its_end(dashboard)
    assert len(simulation.started) == 2 and numbers(dashboard) == [1, 2, 3]


def test_reset_while_a_run_is_under_way_changes_nothing(gated):
    dashboard = dashboard_of(gated, rounds=1)
    dashboard.start()
    wait_for(lambda: dashboard.run is not None)
    dashboard.reset()
    gated.let(3)
    assert dashboard.wait(60)
    assert numbers(dashboard) == [1]


def test_a_run_keeps_its_settings_until_reset_but_not_rounds_and_text(simulation):
    dashboard = run_to_its_end(dashboard_of(simulation))
    form = dashboard.settings
    locked = [form.clients, form.clients_per_round, form.seed, form.client_rate, form.aggregator]
    assert all(control.disabled for control in locked)
    assert "A run keeps its settings" in page(dashboard)
    assert not dashboard.rounds.disabled and not dashboard.sample_every.disabled
    dashboard.reset()
    assert not any(control.disabled for control in locked)
    assert "A run keeps its settings" not in page(dashboard)


def test_an_interrupt_while_waiting_stops_after_the_round(gated):
    dashboard = dashboard_of(gated)
    dashboard.start()
    wait_for(lambda: "Round 1 of 3 is under way." in page(dashboard))
    main = threading.main_thread().ident
    threading.Timer(0.2, signal.pthread_kill, [main, signal.SIGINT]).start()
    threading.Timer(0.5, gated.let, [100]).start()
    assert dashboard.wait(60)
    assert numbers(dashboard) == [1]


def test_a_new_dashboard_stops_the_run_of_the_one_before_after_its_round(gated):
    first = dashboard_of(gated)
    first.start()
    wait_for(lambda: "Round 1 of 3 is under way." in page(first))
    dashboard_of(Simulation())
    gated.let(100)
    assert first.wait(60)
    assert numbers(first) == [1]
    assert "Another dashboard was opened. Stopped after round 1 of 3." in page(first)


def test_closing_ends_the_run_and_takes_the_widget_from_the_page(gated):
    dashboard = dashboard_of(gated)
    dashboard.start()
    gated.let(1)
    wait_for(lambda: dashboard.client_records)
    dashboard.close()
    gated.let(1)
    assert dashboard.wait(60)
    assert numbers(dashboard) == [] and dashboard.root.comm is None


# --- What goes wrong ------------------------------------------------------------------------------


def test_no_client_chosen_is_said_and_nothing_starts(simulation):
    dashboard = dashboard_of(simulation)
    dashboard.settings.clients.value = ()
    dashboard.start_button.click()
    assert "No client is chosen: choose at least one in the list Clients." in page(dashboard)
    assert simulation.started == []
    dashboard.settings.clients.value = IDS[:1]
    run_to_its_end(dashboard)
    assert "No client is chosen" not in page(dashboard) and numbers(dashboard) == [1, 2, 3]


def test_a_cohort_larger_than_the_choice_is_said_with_both_numbers(simulation):
    dashboard = dashboard_of(simulation)
    dashboard.settings.clients_per_round.value = 3
    dashboard.settings.clients.value = IDS[:2]
    dashboard.start_button.click()
    assert "Clients per round is 3, but only 2 are chosen" in page(dashboard)
    assert simulation.started == []


def test_an_error_at_the_start_is_shown_and_start_works_again():
    simulation = Simulation(faults={"start": ValueError("client_rate=-1: give a number of at least 0.")})
    dashboard = run_to_its_end(dashboard_of(simulation))
    assert "client_rate=-1: give a number of at least 0." in page(dashboard)
    assert "Change the settings, and press Start." in page(dashboard)
    assert enabled(dashboard) == {"start"} and not dashboard.settings.client_rate.disabled
    run_to_its_end(dashboard)
    assert numbers(dashboard) == [1, 2, 3] and "client_rate=-1" not in page(dashboard)


def test_an_error_in_the_first_round_shows_its_clients_and_start_works_again():
    diverged = ArithmeticError("Round 1: the loss is nan. Take a smaller learning rate.")
    simulation = Simulation(faults={(1, 1): diverged})
    dashboard = run_to_its_end(dashboard_of(simulation))
    assert "Round 1: the loss is nan." in page(dashboard)
    assert "Hamlet Hamlet – 1.500" in page(dashboard)
    assert enabled(dashboard) == {"start"}
    run_to_its_end(dashboard)
    assert numbers(dashboard) == [1, 2, 3]


def test_an_error_in_a_later_round_loses_nothing_and_resume_tries_again():
    simulation = Simulation(faults={(3, 0): RuntimeError("The worker is gone.")})
    dashboard = run_to_its_end(dashboard_of(simulation))
    assert numbers(dashboard) == [1, 2]
    assert "The worker is gone." in page(dashboard)
    assert "Ended by an error in round 3; the 2 rounds before it are kept." in page(dashboard)
    assert enabled(dashboard) == {"resume", "reset"}
    run_to_its_end(dashboard, "resume_button")
    assert numbers(dashboard) == [1, 2, 3] and "The worker is gone." not in page(dashboard)


def test_an_error_goes_from_the_page_as_soon_as_one_tries_again(gated):
    gated.faults[2, 0] = RuntimeError("The worker is gone.")
    dashboard = dashboard_of(gated)
    gated.let(4)
    run_to_its_end(dashboard)
    assert "The worker is gone." in page(dashboard)
    dashboard.resume()
    wait_for(lambda: "Round 2 of 3 is under way." in page(dashboard))
    assert "The worker is gone." not in page(dashboard)


def test_an_error_at_a_client_names_the_client():
    error = RuntimeError("'client_update' failed at client 1.")
    error.client = 1
    dashboard = run_to_its_end(dashboard_of(Simulation(faults={(1, 1): error})))
    assert "Hamlet Ophelia: &#x27;client_update&#x27; failed at client 1." in dashboard._errors.value


def test_what_comes_from_outside_never_becomes_html():
    evil = "<img src=x>"
    simulation = Simulation(faults={"start": ValueError(f"no {evil}")}, ids=[evil], measurements={evil: 1.0})
    dashboard = dashboard_of(simulation)
    dashboard.sample_every.value, dashboard.sample_start.value = 1, evil
    run_to_its_end(dashboard)
    assert evil not in dashboard._errors.value and "&lt;img" in dashboard._errors.value
    run_to_its_end(dashboard)
    for part in (dashboard._clients, dashboard._samples):
        assert "<img src" not in part.value.lower() and "&lt;" in part.value


# --- Texts ----------------------------------------------------------------------------------------


def test_texts_come_before_the_first_round_and_every_so_many_rounds(simulation):
    dashboard = dashboard_of(simulation, rounds=5)
    dashboard.sample_every.value, dashboard.sample_start.value = 2, "To be"
    run_to_its_end(dashboard)
    assert dashboard.samples == [(0, "To be<0>"), (2, "To be<2>"), (4, "To be<4>")]
    assert "Text before the first round To be&lt;0&gt; Text after round 2" in page(dashboard)


def test_0_is_no_text(simulation):
    dashboard = dashboard_of(simulation)
    dashboard.sample_every.value = 0
    assert run_to_its_end(dashboard).samples == []


def test_a_text_every_two_rounds_is_what_a_learner_gets_without_asking(simulation):
    assert [number for number, _ in run_to_its_end(dashboard_of(simulation)).samples] == [0, 2]


def test_a_text_that_cannot_be_written_does_not_end_the_training(simulation):
    dashboard = dashboard_of(simulation)
    dashboard.sample_every.value, dashboard.sample_start.value = 3, ""
    run_to_its_end(dashboard)
    assert numbers(dashboard) == [1, 2, 3]
    assert "No text: start is empty: give at least one character." in page(dashboard)


# --- Words ----------------------------------------------------------------------------------------


def test_facts_are_the_same_on_slow_and_fast_machines():
    slow, fast = (run_to_its_end(dashboard_of(Simulation(seconds=s), rounds=1)) for s in (90.5, 0.5))
    assert slow.facts() == fast.facts()
    assert slow.facts().splitlines() == [
        "Rounds dashboard: Done: 1 round. Held-out accuracy went from 40.0% to 41.0%. Resume adds 1 round.",
        "3 of 3 clients chosen, all a round, 1 local epoch; at the clients SGD at 0.3, "
        "at the server SGD at 1; mean; seed 0",
        "before: held-out accuracy 40%",
        "round 1: 3 clients, training accuracy 42%, held-out accuracy 41%",
        "text samples: 1",
    ]


def test_the_example_in_the_docstring_works(simulation):
    lines = re.findall(r">>> (.*)", RoundsDashboard.__doc__)
    names = {"simulation": simulation, "RoundsDashboard": RoundsDashboard}
    for line in itertools.islice(lines, 1, len(lines) - 1):
        exec(line, names)
    assert eval(lines[-1], names) == [1, 2, 3]


def test_every_control_and_button_has_words(simulation):
    dashboard = dashboard_of(simulation)

    def parts(part):
        yield part
        for child in getattr(part, "children", ()):
            yield from parts(child)

    shown = [
        part for part in parts(dashboard.root) if not isinstance(part, (ipywidgets.Box, ipywidgets.HTML))
    ]
    assert len(shown) == 17 and all(part.description for part in shown)
    assert all(part.tooltip for part in shown if isinstance(part, ipywidgets.Button))
