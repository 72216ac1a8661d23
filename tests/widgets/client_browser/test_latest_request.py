"""Of slow work only the latest request counts."""

import threading

import pytest

from fedlab.widgets.client_browser.latest_request import LatestRequest


class Slow:
    """Makes requests upper case, each when it is let go."""

    def __init__(self):
        self.made, self.shown, self.errors = [], [], []
        self.begun, self.go_on = threading.Semaphore(0), threading.Semaphore(0)
        self.latest = LatestRequest(self.make, self.shown.append, self.errors.append)

    def make(self, request):
        self.begun.release()
        assert self.go_on.acquire(timeout=60)
        self.made.append(request)
        if request == "bad":
            raise ValueError("no such thing")
        return request.upper()


@pytest.fixture
def slow():
    return Slow()


def test_something_is_shown_at_once_and_the_rest_when_it_is_ready(slow):
    slow.latest.ask("a", "wait")
    assert slow.shown == ["wait"]
    slow.go_on.release()
    assert slow.latest.wait(60)
    assert slow.shown == ["wait", "A"]


def test_what_nobody_wants_any_more_is_neither_made_nor_shown(slow):
    slow.latest.ask("a", "wait a")
    assert slow.begun.acquire(timeout=60)
    for request in "bcd":
        slow.latest.ask(request, f"wait {request}")
    slow.go_on.release(2)
    assert slow.latest.wait(60)
    assert slow.made == ["a", "d"]
    assert slow.shown == ["wait a", "wait b", "wait c", "wait d", "D"]


def test_what_is_whole_at_once_is_not_overwritten_by_what_was_asked_before(slow):
    slow.latest.ask("a", "wait")
    assert slow.begun.acquire(timeout=60)
    slow.latest.show_now("b", "B")
    slow.go_on.release(2)
    assert slow.latest.wait(60)
    assert slow.shown == ["wait", "B", "B"]


def test_an_error_is_shown_and_the_next_request_works(slow):
    slow.go_on.release(2)
    slow.latest.ask("bad", "wait")
    assert slow.latest.wait(60)
    assert [str(error) for error in slow.errors] == ["no such thing"]
    slow.latest.ask("good", "wait")
    assert slow.latest.wait(60)
    assert slow.shown[-1] == "GOOD"


def test_an_error_in_what_nobody_wants_any_more_is_not_shown(slow):
    slow.latest.ask("bad", "wait")
    assert slow.begun.acquire(timeout=60)
    slow.latest.show_now("b", "B")
    slow.go_on.release(2)
    assert slow.latest.wait(60)
    assert slow.errors == [] and slow.shown == ["wait", "B", "B"]


def test_one_request_after_the_other_is_always_answered():
    shown = []
    latest = LatestRequest(str.upper, shown.append, shown.append)
    for number in range(300):
        latest.ask(f"request {number}", "wait")
    assert latest.wait(60)
    assert shown[-1] == "REQUEST 299"
