"""Makes events of one call of a computation, and hands them to the listeners in the order of its steps.

Some steps are worked on at the same time, client by client: see `cohort_passes.py`. Listeners hear of them as
if each had waited for the one before it: what belongs to a later step is kept until it is that step's turn.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import itertools
import threading
import time
import typing

from fedlab.runtime.watching import events, summaries

_call_numbers = itertools.count(1)


def make_announcer(computation: str, num_clients: int) -> Announcer | SilentAnnouncer:
    """Makes what tells the listeners of now about one call; it costs nothing where there are none."""
    listeners = events.current_listeners()
    return Announcer(computation, num_clients, listeners) if listeners else SILENT


class Announcer:
    """Tells of one call.

    Attributes:
      next_step: number that the next step gets; whoever works in another order than the steps' sets it.
    """

    def __init__(self, computation: str, num_clients: int, listeners: tuple) -> None:
        """Makes a announcer for listeners as `events.current_listeners` gives them."""
        self._about = (next(_call_numbers), computation, num_clients)
        self._listeners = listeners
        self._inside = False  # Whether steps are under way that others are a part of.
        self._under_way = None  # The Step, while there is one by itself.
        self._lock = threading.RLock()
        self._turn = 0  # Number of the step whose events are handed on.
        self._kept = collections.defaultdict(list)  # By step: deliveries that wait for their turn.
        self._done = set()  # Steps that ended before their turn.
        self.next_step = 0

    # --- Of the whole call ----------------------------------------------------------------------------

    def tell(self, kind: str, **details: typing.Any) -> None:
        """Tells of the call as a whole."""
        for listener, event in self._deliveries(kind, **details):
            listener(event)

    # --- Of steps -------------------------------------------------------------------------------------

    def reserve(self, num_steps: int) -> int:
        """Sets numbers aside for steps that will be opened in any order; returns the first of them."""
        first = self.next_step
        self.next_step += num_steps
        return first

    def step(self, intrinsic, function, placement, work, argument, number=None):
        """Does a step, `work()`, and tells of it; inside another step it is a part of that."""
        if self._inside:
            return work()
        self._under_way = self.open(intrinsic, function, placement, number)
        with self.inside():
            result = work()
        self._under_way.finish(result, argument)
        return result

    def client_finished(self, index: int, started: float, result, argument) -> None:
        """Tells that a client's part of the step under way is done; see `Step.client_finished`."""
        self._under_way.client_finished(index, started, result, argument)

    def open(self, intrinsic, function, placement, number=None) -> Step:
        """Tells that a step begins; returns what tells the rest of it."""
        number = self.reserve(1) if number is None else number
        step = Step(self, dict(step=number, intrinsic=intrinsic, function=function, placement=placement))
        self.tell_of_step(number, events.STEP_STARTED, **step.details)
        return step

    @contextlib.contextmanager
    def inside(self):
        """Within it, steps are parts of the steps that are open, and not told of."""
        self._inside = True
        try:
            yield
        finally:
            self._inside = False

    def tell_of_step(self, number: int, kind: str, **details: typing.Any) -> None:
        deliveries = self._deliveries(kind, **details)
        with self._lock:
            if number != self._turn:
                self._kept[number].extend(deliveries)
                return
        for listener, event in deliveries:
            listener(event)

    def end(self, number: int) -> None:
        """Gives the turn to the next step, and to those after it that have ended already."""
        with self._lock:
            self._done.add(number)
            while self._turn in self._done:
                self._done.remove(self._turn)
                self._turn += 1
                for listener, event in self._kept.pop(self._turn, ()):
                    listener(event)

    def _deliveries(self, kind, result=None, argument=None, **details):
        """[(listener, the event as that listener wants it)]."""
        event = events.Event(kind, *self._about, **details)
        rich, deliveries = None, []
        for listener, values in self._listeners:
            if not (values(event) if callable(values) else values):
                deliveries.append((listener, event))
                continue
            if rich is None:  # Once for all listeners, and not where nobody wants it.
                rich = dataclasses.replace(event, value=_summary_of(result), argument=_summary_of(argument))
            deliveries.append((listener, rich))
        return deliveries


class Step:
    """A step that has begun."""

    def __init__(self, announcer: Announcer, details: dict) -> None:
        """Args: the announcer, and what all events of the step say."""
        self._announcer, self.details = announcer, details
        self._started = time.perf_counter()

    def client_finished(self, index: int, started: float, result, argument) -> None:
        """Tells that a client's part is done, begun at `started` of `time.perf_counter`."""
        self._tell(events.CLIENT_FINISHED, started, client=index, result=result, argument=argument)

    def finish(self, result, argument=None, seconds: float | None = None) -> None:
        """Tells that the step is done: what came out, what went in, and how long it took if known better."""
        self._tell(events.STEP_FINISHED, self._started, seconds, result=result, argument=argument)
        self._announcer.end(self.details["step"])

    def _tell(self, kind, started, seconds=None, **details):
        seconds = time.perf_counter() - started if seconds is None else seconds
        self._announcer.tell_of_step(self.details["step"], kind, seconds=seconds, **details, **self.details)


class SilentAnnouncer:
    """Tells nobody, at no cost."""

    def tell(self, kind, **unused_details):
        pass

    def reserve(self, num_steps):
        return 0

    def step(self, intrinsic, function, placement, work, argument, number=None):
        return work()

    def client_finished(self, index, started, result, argument):
        pass

    def open(self, intrinsic, function, placement, number=None):
        return _SILENT_STEP

    def inside(self):
        return _NO_CONTEXT


class _SilentStep:
    def client_finished(self, index, started, result, argument):
        pass

    def finish(self, result, argument=None, seconds=None):
        pass


SILENT, _SILENT_STEP, _NO_CONTEXT = SilentAnnouncer(), _SilentStep(), contextlib.nullcontext()


def _summary_of(value):
    return None if value is None else summaries.summarize(value)
