"""A run in the background: started, stopped between rounds, gone on with, begun anew; and how far it is."""

import functools
import threading

from fedlab.widgets.parts.background import BackgroundWork
from fedlab.widgets.parts.wording import count
from fedlab.widgets.rounds_dashboard.run_log import RunLog


class RoundDropped(Exception):  # noqa: N818  Not an error: it is what the learner asked for.
    """The round under way is abandoned, at the end of a client's work."""


class TrainingSession:
    """One run at a time, of one simulation.

    Attributes:
      run: the simulation's run, or None.
      log: RunLog of that run.
      goal: the round after which it is done.
      error: what ended the training last; None where nothing went wrong.
    """

    def __init__(self, simulation, write_sample, on_change):
        """Makes a session in which nothing is trained yet.

        Args:
          simulation: see `RoundsDashboard`.
          write_sample: function from the run to a text, or None where none is due; called before the first
            round and after each.
          on_change: function of what has changed: "state", "client" (one of the round), "clients" (all of
            them), "rounds" or "samples". It is called in the threads that train.
        """
        self._simulation, self._write_sample, self._on_change = simulation, write_sample, on_change
        self._background, self._dropping = BackgroundWork(), threading.Event()
        self.run, self.log, self.goal, self.error = None, RunLog(), 0, None
        self._is_building = False
        self._news = ""  # What the state does not tell by itself.

    @property
    def is_running(self):
        return self._is_building or self._background.is_running

    @property
    def is_stopping(self):
        """Whether the run under way was asked to end."""
        return self._background.is_running and self._background.stop_requested

    @property
    def is_dropping(self):
        """Whether the round under way was asked to end."""
        return self._background.is_running and self._dropping.is_set()

    @property
    def num_done(self):
        """How many whole rounds there are."""
        return 0 if self.run is None else self.run.round_number

    # --- What may be asked of it ------------------------------------------------------------------

    def start(self, settings, num_rounds):
        """Builds a run in the thread that calls, and trains it in another; does nothing while there is one.

        Args:
          settings: dict of arguments for the simulation's `start`.
          num_rounds: how many rounds to train.
        """
        if self.run is not None or self.is_running or not self.wait():
            return
        try:
            self._build(settings, num_rounds)
        except Exception as error:
            self._end(error)
        else:
            self._background.start(functools.partial(self._start, num_rounds), self._end)

    def resume(self, num_rounds):
        """Goes on with the run; does nothing where there is none, or while it is under way."""
        if self.run is not None:
            self._background.start(functools.partial(self._resume, num_rounds), self._end)

    def stop(self, why=""):
        """Ends the training after the round under way, which is kept.

        Args:
          why: what to add to "Stopped after round 2".
        """
        if self.is_running:
            self._news = why
            self._background.request_stop()
            self._on_change("state")

    def drop(self):
        """Ends the training as soon as a client is done; the rounds before are kept."""
        if self.is_running:
            self._dropping.set()
            self.stop()

    def reset(self):
        """Forgets the run; does nothing while it is under way."""
        if self.is_running or not self.wait():
            return
        gone = count(len(self.log.records), "round")
        self.run, self.log, self.goal, self.error = None, RunLog(), 0, None
        self._news = f"Reset: {gone} forgotten, the model is the one before the first round again."
        self._show_all()

    def wait(self, timeout_s=None):
        """Waits for the training to end, as `BackgroundWork.wait` does."""
        return self._background.wait(timeout_s)

    def _build(self, settings, num_rounds):
        # Not in the background: Keras models that a cell makes while TFF builds graphs break, and the graphs.
        self.log, self.goal, self._is_building = RunLog(), num_rounds, True
        self._begin()
        self._show_all()
        try:
            self.run = self._simulation.start(**settings)
            self.log.before = self.run.before
        finally:
            self._is_building = False
            self._on_change("state")  # Of an interrupt as well.

    # --- In a thread of its own -------------------------------------------------------------------

    def _start(self, num_rounds):
        self._on_change("state")
        self._on_change("rounds")
        self._add_sample()
        self._train(num_rounds)

    def _resume(self, num_rounds):
        self._begin()
        self._train(num_rounds)

    def _begin(self):
        self._dropping.clear()
        self.error, self._news = None, ""
        self._on_change("state")

    def _train(self, num_rounds):
        self.goal = self.num_done + num_rounds
        rounds = self.run.rounds(num_rounds, self._hear_client)
        while self.num_done < self.goal and not self._background.stop_requested:
            self._train_one(rounds)
        if self._dropping.is_set():  # All clients had been done when that was asked for.
            self._news = f"Round {self.num_done} was done before it could be dropped, and is kept."

    def _train_one(self, rounds):
        self.log.begin_round(self.num_done + 1, self.run.next_cohort())
        self._on_change("state")
        self._on_change("clients")
        self.log.add_round(next(rounds))
        self._on_change("clients")
        self._on_change("rounds")
        self._add_sample()

    def _hear_client(self, record):
        """Called in the threads in which clients train; what it raises ends the round."""
        self.log.add_client(record)
        self._on_change("client")
        if self._dropping.is_set():
            raise RoundDropped

    def _add_sample(self):
        text = self._write_sample(self.run)
        if text is not None:
            self.log.samples.append((self.num_done, text))
            self._on_change("samples")

    def _end(self, error):
        if isinstance(error, RoundDropped):
            error, self._news = None, f"Round {self.log.round_number} was dropped."
        self.error = error
        if error is not None and self.num_done == 0:
            self.run = None  # Nothing to keep: starting is the way on.
        self._show_all()

    def _show_all(self):
        for part in ("state", "clients", "rounds", "samples"):
            self._on_change(part)

    # --- In words ---------------------------------------------------------------------------------

    def in_words(self, num_rounds):
        """Where the training is, and the way on.

        Args:
          num_rounds: how many rounds would be added next.
        """
        if self.is_running:
            return self._running_in_words()
        way_on = f"Resume adds {count(num_rounds, 'round')}."
        if self.run is None:
            way_on = "Press Start." if self.error is None else "Change the settings, and press Start."
        parts = [self._news, self._ended_in_words(), self._gain_in_words(), way_on]
        return " ".join(part for part in parts if part)

    def _running_in_words(self):
        if self.is_dropping:
            return "Dropping this round as soon as the client at work is done; the rounds before are kept."
        if self.run is None:
            return "Building the process, and evaluating the model before the first round."
        if self.log.round_number == 0:
            return "Stopping before the first round." if self.is_stopping else "The first round begins."
        if self.is_stopping:
            return f"Stopping after round {self.log.round_number}, which is kept."
        return f"Round {self.log.round_number} of {self.goal} is under way."

    def _ended_in_words(self):
        if self.error is not None:
            kept = f"; the {count(self.num_done, 'round')} before it are kept" if self.num_done else ""
            return f"Ended by an error in round {self.num_done + 1}{kept}."
        if self.run is None:
            return "" if self._news else "Ready."
        if self.num_done < self.goal:
            return f"Stopped after round {self.num_done} of {self.goal}."
        return f"Done: {count(self.num_done, 'round')}."

    def _gain_in_words(self):
        last = self.log.records[-1].held_out if self.log.records else None
        if last is None or self.log.before is None:
            return ""
        return f"Held-out accuracy went from {self.log.before.accuracy:.1%} to {last.accuracy:.1%}."
