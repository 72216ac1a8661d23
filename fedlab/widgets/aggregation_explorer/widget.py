"""Rounds of an aggregation factory, step by step, with values that the learner types."""

import functools

import ipywidgets

from fedlab.widgets.aggregation_explorer import offered_factories
from fedlab.widgets.aggregation_explorer.client_fields import ClientFields
from fedlab.widgets.aggregation_explorer.round_page import RoundPage
from fedlab.widgets.aggregation_explorer.round_walk import RoundWalk, plan_in_words
from fedlab.widgets.parts import controls, markup
from fedlab.widgets.parts.background import BackgroundWork
from fedlab.widgets.parts.widget_base import WidgetBase

_NO_ROUND = "There is no round yet: press Next round."


class AggregationExplorer(WidgetBase):
    """Runs rounds of an aggregation with typed values, and shows what every step makes of them.

    Values are numbers, lists of numbers, or dicts of these, one a client. State goes from round to round;
    values and weights may change in between. Going back and then on repeats a round from the state before
    it. Values of another type, or another factory, begin at round 1.

    Example:
      >>> explorer = AggregationExplorer(fedlab.aggregators.ScaledSumFactory(), [1.0, 2.0, 5.0])
      >>> explorer.next_round().result
      (('', '8'),)
      >>> explorer.next_step()
      >>> explorer  # shows the widget, or says the same in words

    Attributes:
      factory: the drop-down; `.value` is the name of the factory.
      clients: the `ClientFields`: `.values[0].value = "[1, 2]"`, `.weights[0].value = 2`, `.add()`.
      next_round_button, back_button, forward_button, reset_button, previous_step_button,
        next_step_button: `.click()` presses them; the methods of these names do the same.
      plumbing: whether steps that only move values about are shown; `.value` is True or False.
    """

    def __init__(self, factories=None, client_values=(1.0, 2.0, 9.0), *, explore=None):
        """Makes the widget; no round is run yet.

        Args:
          factories: a factory, an aggregation process, a function without arguments that makes either,
            or a dict from names to these; default those of `fedlab.aggregators.example_factories`, which one
            alone is added to.
          client_values: what the clients hold at first, from 1 to 8 of them: plain values, or texts.
          explore: function of a factory and its name that gives what runs its rounds; default
            `fedlab.aggregators.Exploration`.

        Raises:
          TypeError: what was given is no factory.
          ValueError: client_values are none or too many, or not values; factories are none.
        """
        self._factories = offered_factories.offered(factories)
        self._explore = explore or offered_factories.explore
        self._background, self._problem = BackgroundWork(), ""
        self._make_controls(client_values)
        self._make_pages()
        self._chosen = self._explore_chosen()
        self._walk = RoundWalk(self._chosen)
        self._show("Aggregation explorer", *self._parts())
        self._show_choice()
        self._show_round()
        self._tell("Ready: press Next round.")

    # --- Parts ------------------------------------------------------------------------------------

    def _make_controls(self, client_values):
        self.factory = controls.choice("Factory", list(self._factories))
        self.factory.style.description_width, self.factory.layout.width = "60px", "340px"
        self.factory.observe(lambda _: self._choose(), "value")
        self.clients = ClientFields(client_values, self._show_plan)
        self.next_round_button = controls.button(
            "Next round", self._start, icon="play", style="primary", tooltip="Aggregates these values."
        )
        self.back_button = controls.button("Back", self.back, icon="arrow-left", tooltip="The round before.")
        self.forward_button = controls.button(
            "Forward", self.forward, icon="arrow-right", tooltip="The round after."
        )
        self.reset_button = controls.button(
            "Reset", self.reset, icon="undo", tooltip="Forgets all rounds and their state, keeps the values."
        )
        self.previous_step_button = controls.button(
            "Previous step",
            self.previous_step,
            icon="chevron-left",
            tooltip="The step before, in this round.",
        )
        self.next_step_button = controls.button(
            "Next step", self.next_step, icon="chevron-right", tooltip="The step after, in this round."
        )
        self.plumbing = controls.tick("Show steps that only move values about", False)
        self.plumbing.observe(lambda _: self._show_step(), "value")

    def _make_pages(self):
        self._description, self._plan, self._state, self._errors = (ipywidgets.HTML() for _ in range(4))
        self._page = RoundPage()
        self._steps_parts = ipywidgets.VBox(
            [
                controls.side_by_side(self.previous_step_button, self.next_step_button, self.plumbing),
                controls.side_by_side(self._page.steps, self._page.step),
            ]
        )

    def _parts(self):
        rounds = (self.next_round_button, self.back_button, self.forward_button, self.reset_button)
        return (
            self.factory,
            self._description,
            self.clients.root,
            self._plan,
            controls.side_by_side(*rounds),
            self._state,
            self._errors,
            self._page.headline,
            self._page.figure,
            self._steps_parts,
            self._page.outcome,
            self._page.signature,
        )

    # --- What a learner does ------------------------------------------------------------------------

    @property
    def rounds(self):
        """Records of the rounds done: tuple of `fedlab.aggregators.recorded_round.RecordedRound`."""
        return self._walk.rounds

    def next_round(self):
        """Runs a round on from the one that is shown, and waits for it.

        Returns:
          The round's record; None if there is none, and then the widget says why.
        """
        self._start()
        self.wait()
        return None if self._problem else self._walk.record

    def wait(self, timeout_s=None):
        """Waits for the round under way, `timeout_s` at most; returns whether it has ended."""
        return self._background.wait(timeout_s)

    def back(self):
        """Shows the round before."""
        self._go_to_round(-1, "This is the first round.")

    def forward(self):
        """Shows the round after."""
        self._go_to_round(+1, "This is the last round: press Next round for another.")

    def previous_step(self):
        """Shows the step before, in this round."""
        self._go_to_step(-1, "This is the first step of the round.")

    def next_step(self):
        """Shows the step after, in this round."""
        self._go_to_step(+1, "This is the last step of the round: press Next round for another round.")

    def reset(self):
        """Forgets all rounds and their state; the values stay."""
        if not self._background.is_running:
            self._chosen = self._explore_chosen()
            self._walk = RoundWalk(self._chosen)
            self._show_round()
            self._tell("All rounds are forgotten. Ready: press Next round.")

    def close(self):
        """Waits for the round under way and takes the widget from the page."""
        self.wait()
        super().close()

    def facts(self):
        lines = [f"Aggregation explorer: {self.factory.value}"]
        lines += [f"problem: {self._problem}"] * bool(self._problem)
        if not self.rounds:
            held = (f"client {index}: {text}" for index, text in enumerate(self.clients.texts()))
            return "\n".join([*lines, *held, "no round yet"])
        steps, current = self._walk.steps(self.plumbing.value)
        lines.append(
            f"round {self._walk.number} of {len(self.rounds)}, step {current + 1} of {len(steps)} (->)"
        )
        lines.append(self._walk.record.text(current=current, plumbing=self.plumbing.value))
        return "\n".join(lines)

    # --- What follows -------------------------------------------------------------------------------

    def _start(self):
        if self._background.is_running:
            return
        try:
            values, weights = self.clients.read()
        except ValueError as error:
            self._plan.value = ""  # It says the same.
            return self._show_problem(error)
        self._tell(f"{plan_in_words(self._walk, self._chosen, values)} Working …")
        work = functools.partial(self._run, self._chosen, values, weights)
        self._background.start(work, self._show_problem)

    def _run(self, exploration, values, weights):
        is_shown = exploration is self._walk.exploration
        record = exploration.next_round(values, weights, after=self._walk.number if is_shown else None)
        if not is_shown:
            self._walk = RoundWalk(exploration)
        self._walk.begin_round(record.number, values[0])
        self._show_round()
        result = ", ".join(f"{name} {text}".strip() for name, text in record.result)
        self._tell(f"Round {record.number} is done. The result is {result}.")

    def _go_to_round(self, change, otherwise):
        if self._background.is_running:
            return
        if self._walk.move_round(change):
            self._show_round()
            otherwise = f"Round {self._walk.number} of {len(self.rounds)}."
        self._tell(otherwise if self.rounds else _NO_ROUND)

    def _go_to_step(self, change, otherwise):
        if self._background.is_running:
            return
        if self._walk.move_step(change, self.plumbing.value):
            self._show_step()
            steps, current = self._walk.steps(self.plumbing.value)
            otherwise = f"Step {current + 1} of {len(steps)} in round {self._walk.number}."
        self._tell(otherwise if self.rounds else _NO_ROUND)

    def _explore_chosen(self):
        return self._explore(self._factories[self.factory.value], self.factory.value)

    def _choose(self):
        try:
            is_shown = self.factory.value == self._walk.exploration.name
            self._chosen = self._walk.exploration if is_shown else self._explore_chosen()
        except Exception as error:  # Whatever a learner's own function raises.
            self.factory.value = self._chosen.name
            self._show_problem(error)
        self._show_choice()

    # --- The page -------------------------------------------------------------------------------------

    def _show_choice(self):
        self._description.value = markup.paragraph(self._chosen.description)
        self.clients.show_weights(self._chosen.is_weighted)
        self._show_plan()

    def _show_plan(self):
        try:
            words = plan_in_words(self._walk, self._chosen, self.clients.read()[0])
        except ValueError as error:
            words = str(error)
        self._plan.value = markup.paragraph(words)

    def _show_round(self):
        self._page.show_round(self._walk.record)
        self._steps_parts.layout.display = "" if self.rounds else "none"
        self._show_step()
        self._show_plan()

    def _show_step(self):
        if self.rounds:
            self._page.show_step(*self._walk.steps(self.plumbing.value))

    def _tell(self, words):
        self._problem, self._errors.value = "", ""
        self._state.value = markup.status(words)

    def _show_problem(self, error):
        if error is not None:
            self._tell("No round was run; everything is as it was.")
            self._problem = str(error)
            self._errors.value = markup.error(self._problem)
