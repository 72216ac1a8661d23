"""Federated training, watched while it runs: every round, every client, curves and text samples."""

import functools
import threading
import time
import weakref

import ipywidgets

from fedlab.plots.run_curves import plot_run
from fedlab.plots.style import readable
from fedlab.widgets.parts import controls, markup
from fedlab.widgets.parts.widget_base import WidgetBase
from fedlab.widgets.parts.wording import error_in_words
from fedlab.widgets.rounds_dashboard import run_pages
from fedlab.widgets.rounds_dashboard.run_form import RunForm
from fedlab.widgets.rounds_dashboard.throttle import Throttled
from fedlab.widgets.rounds_dashboard.training_session import TrainingSession

_SHOWN_EVERY_S = 0.1
_DRAWN_EVERY_S = 1.0
_SAMPLE_LENGTH_CHARS = 200
_HINT = "A text is written after every so many rounds, and before the first; 0 is never."
_LOCKED = "A run keeps its settings; Rounds and the text may change. To choose others, press Reset."

_dashboards = weakref.WeakSet()


class RoundsDashboard(WidgetBase):
    """Starts, stops and shows rounds of federated averaging.

    A run goes on beside the notebook. A new dashboard, such as the one that a cell makes when it is run
    again, stops the runs of those before after the round that they are in.

    Example:
      >>> simulation = fedlab.training.Simulation(load_small_dickens(), *fedlab.load_shakespeare())
      >>> dashboard = RoundsDashboard(simulation)
      >>> dashboard.settings.clients_per_round.value = 2
      >>> dashboard.rounds.value = 3
      >>> dashboard.start()
      >>> dashboard.wait()
      True
      >>> [record.round_number for record in dashboard.records]
      [1, 2, 3]

    Attributes:
      settings: the controls that a run keeps until Reset; see `RunForm`.
      rounds, sample_every, sample_start: the other controls; `.value` is what they are set to.
      start_button, stop_button, drop_button, resume_button, reset_button: `.click()` presses them;
        `start()`, `stop()`, `drop()`, `resume()` and `reset()` do the same.
    """

    def __init__(self, simulation):
        """Makes the widget; nothing is trained yet.

        Args:
          simulation: a `fedlab.training.Simulation`, or what has its `clients`, `client_optimizers`,
            `server_optimizers`, `aggregators` and `start`.
        """
        self._showing, self._drawn_at = threading.Lock(), 0.0
        self._show_clients_soon = Throttled(functools.partial(self._show_change, "clients"), _SHOWN_EVERY_S)
        self._session = TrainingSession(simulation, self._write_sample, self._show_change)
        self._make_controls(simulation)
        self._make_buttons()
        self._make_pages(simulation)
        for other in tuple(_dashboards):
            other.stop("Another dashboard was opened.")
        _dashboards.add(self)

    # --- What a learner may do --------------------------------------------------------------------

    def start(self):
        """Starts a run beside the notebook; does nothing while there is one."""
        try:
            settings = self.settings.settings()
        except ValueError as error:
            self._errors.value = markup.error(error_in_words(error))
        else:
            self._session.start(settings, self.rounds.value)

    def stop(self, why=""):
        """Ends the run after the round under way, which is kept.

        Args:
          why: a sentence to show with it; may be "".
        """
        self._session.stop(why)

    def drop(self):
        """Ends the run as soon as a client is done; the rounds before are kept, the one under way is not."""
        self._session.drop()

    def resume(self):
        """Goes on with the rounds that are left, or adds as many as Rounds says."""
        self._session.resume(self._num_to_add())

    def reset(self):
        """Forgets the run: the model is as before the first round again. Not while a run is under way."""
        self._session.reset()

    def wait(self, timeout_s=None):
        """Waits for the run to end. An interrupt stops it after the round under way, and waits for that.

        Args:
          timeout_s: how long to wait at most; None for as long as it takes.

        Returns:
          Whether the run has ended.
        """
        return self._session.wait(timeout_s)

    def close(self):
        """Ends the run as soon as a client is done, and takes the widget from the page."""
        _dashboards.discard(self)
        self.drop()
        super().close()

    # --- What it knows ----------------------------------------------------------------------------

    @property
    def records(self):
        """The RoundRecords of the run so far, as a list."""
        return list(self._session.log.records)

    @property
    def client_records(self):
        """The ClientRecords of the round under way, or of the last one: {client id: record}."""
        return self._session.log.client_records

    @property
    def samples(self):
        """The texts so far: [(round number, text)], 0 for the model before the first round."""
        return list(self._session.log.samples)

    @property
    def run(self):
        """The simulation's run, for going on in code (`run.server`, `run.rounds`); None before Start."""
        return self._session.run

    def facts(self):
        state = self._session.in_words(self._num_to_add())
        return "\n".join([f"Rounds dashboard: {state}", self.settings.in_words(), *self._log_facts()])

    def _log_facts(self):
        return run_pages.list_facts(self._session.log)

    def _num_to_add(self):
        """How many rounds Resume adds: the rest, or as many as Rounds says."""
        return self._session.goal - self._session.num_done or self.rounds.value

    def _change_rounds(self):
        session = self._session
        if session.run is not None and not session.is_running:
            session.goal = session.num_done + self.rounds.value
            self._show_state()

    def _write_sample(self, run):
        every = self.sample_every.value
        if every == 0 or run.round_number % every:
            return None
        try:
            return run.write(self.sample_start.value, _SAMPLE_LENGTH_CHARS, seed=self.settings.seed.value)
        except Exception as error:  # A text that cannot be written is no reason to end the training.
            return f"No text: {error_in_words(error)}"

    # --- Parts ------------------------------------------------------------------------------------

    def _make_controls(self, simulation):
        self.settings = RunForm(simulation)
        self.rounds = controls.whole_number("Rounds", 5, 1, 1000)
        self.rounds.observe(lambda _: self._change_rounds(), "value")
        self.sample_every = controls.whole_number("Text every n rounds", 2, 0, 1000)
        self.sample_start = controls.text_line("Start of the text", "What say you, my lord? ")

    def _make_buttons(self):
        def button(label, press, tooltip, icon, style=""):
            return controls.button(label, press, tooltip=tooltip, icon=icon, style=style)

        self.start_button = button("Start", self.start, "Starts a run.", "play", "primary")
        self.stop_button = button("Stop", self.stop, "Ends the run after this round, which is kept.", "stop")
        self.drop_button = button(
            "Drop round", self.drop, "Ends the run when a client is done, without this round.", "eject"
        )
        self.resume_button = button("Resume", self.resume, "Adds rounds to the run.", "forward")
        self.reset_button = button("Reset", self.reset, "Forgets the run.", "undo")

    def _make_pages(self, simulation):
        self._locked, self._errors, self._state, self._progress = (ipywidgets.HTML() for _ in range(4))
        self._curves, self._clients, self._rounds, self._samples = (ipywidgets.HTML() for _ in range(4))
        self._show(
            "Rounds dashboard",
            self.settings.root,
            controls.side_by_side(self.rounds, self.sample_every, self.sample_start),
            ipywidgets.HTML(markup.paragraph(_HINT)),
            self._locked,
            controls.side_by_side(
                *(self.start_button, self.stop_button, self.drop_button),
                *(self.resume_button, self.reset_button),
            ),
            *(self._errors, self._state, self._progress, self._curves, self._clients, self._rounds),
            self._samples,
            ipywidgets.HTML(run_pages.show_left_out(simulation.clients)),
        )
        self._show_state()

    # --- What is shown ----------------------------------------------------------------------------

    def _show_change(self, part):
        """Shows what has changed; called in the threads that train."""
        getattr(self, f"_show_{part}")()

    def _show_state(self):
        session = self._session
        self._state.value = markup.status(session.in_words(self._num_to_add()))
        self._errors.value = "" if session.error is None else markup.error(self._error_in_words())
        self._show_buttons()

    def _show_buttons(self):
        session = self._session
        running, exists = session.is_running, session.run is not None
        self.settings.lock(running or exists)
        self._locked.value = markup.note(_LOCKED) if running or exists else ""
        self.start_button.disabled = running or exists
        self.stop_button.disabled = not running or session.is_stopping
        self.drop_button.disabled = not running or session.is_dropping
        self.resume_button.disabled = self.reset_button.disabled = running or not exists

    def _show_client(self):
        self._show_clients_soon()  # Clients may be quicker than a page can follow.

    def _show_clients(self):
        session = self._session
        self._progress.value = (
            run_pages.show_progress(session.log, session.goal) if session.is_running else ""
        )
        self._clients.value = run_pages.show_clients(session.log)

    def _show_rounds(self):
        self._rounds.value = run_pages.show_rounds(self._session.log)
        # A drawing takes a quarter of a second that quick rounds would wait for; the last is always drawn.
        if not self._session.is_running or time.monotonic() - self._drawn_at >= _DRAWN_EVERY_S:
            self._drawn_at = time.monotonic()
            self._show_curves()

    def _show_curves(self):
        log = self._session.log
        has_curves = log.records or log.before is not None
        self._curves.value = markup.figure(plot_run(log.records, log.before)) if has_curves else ""

    def _show_samples(self):
        self._samples.value = run_pages.show_samples(self._session.log)

    def _error_in_words(self):
        error = self._session.error
        client, cohort = getattr(error, "client", None), self._session.log.cohort
        who = f"{readable(cohort[client])}: " if isinstance(client, int) and client < len(cohort) else ""
        return who + error_in_words(error)
