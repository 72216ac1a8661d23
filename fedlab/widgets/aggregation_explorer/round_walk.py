"""Where a learner stands in the rounds of an exploration, and in the steps of the round that is shown."""

from fedlab.aggregators.plain_values import describe_type, in_order_of
from fedlab.widgets.parts.wording import count


class RoundWalk:
    """A round and a step of it, and ways to the ones before and after.

    Attributes:
      exploration: what runs the rounds; its `rounds` are their records.
      example: a client's value in the last round that was run; None before the first.
    """

    def __init__(self, exploration):
        """Stands at the beginning."""
        self.exploration, self.example = exploration, None
        self._round, self._place = 0, 0  # Counted from 0; the place is among all steps, plumbing too.

    @property
    def rounds(self):
        return self.exploration.rounds

    @property
    def number(self):
        """Number of the round that is shown, from 1; 0 if there is none."""
        return min(self._round + 1, len(self.rounds))

    @property
    def record(self):
        """The round that is shown; None if there is none."""
        return self.rounds[self.number - 1] if self.rounds else None

    def begin_round(self, number, example):
        """Shows a new round, of clients with values like the example, from its first step but plumbing."""
        self.example = example
        self._round, self._place = number - 1, 0
        self._place = next(iter(self._places(plumbing=False)), 0)

    def move_round(self, change):
        """Shows a round before or after, at the same step; returns whether there is one."""
        exists = 1 <= self.number + change <= len(self.rounds)
        if exists:
            self._round = self.number - 1 + change
        return exists

    def steps(self, plumbing):
        """The steps that are shown of the round, and the index of the current one among them."""
        places = self._places(plumbing)
        return [self.record.steps[place] for place in places], self._current(places)

    def move_step(self, change, plumbing):
        """Shows a step before or after; returns whether there is one."""
        places = self._places(plumbing)
        index = self._current(places) + change
        exists = 0 <= index < len(places)
        if exists:
            self._place = places[index]
        return exists

    def _places(self, plumbing):
        steps = self.record.steps if self.record else ()
        return [place for place, step in enumerate(steps) if plumbing or not step.is_plumbing]

    def _current(self, places):
        # The last one up to here: plumbing that is no longer shown gives way to the step before it.
        return max(0, sum(place <= self._place for place in places) - 1)


def plan_in_words(walk, chosen, values):
    """Says what the next round would be, and what of the rounds so far it would end.

    Args:
      walk: RoundWalk.
      chosen: exploration that would run it; another than the walk's begins at round 1.
      values: the clients' checked values.
    """
    value = in_order_of(walk.example, values[0])
    value_type = describe_type(value)
    held = f"{count(len(values), 'client')}, values of type {value_type}. Next round is round"
    if not walk.rounds:
        return f"{held} 1."
    if chosen is not walk.exploration:
        return f"{held} 1 of {chosen.name}; what {walk.exploration.name} did goes."
    if value_type != describe_type(walk.example):
        return f"{held} 1 again, for a process is made for one type; the rounds so far go."
    if walk.number < len(walk.rounds):
        return f"{held} {walk.number + 1} again, from the state after round {walk.number}; later ones go."
    return f"{held} {walk.number + 1}."
