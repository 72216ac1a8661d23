"""One piece of work at a time, in a thread, that can be asked to end."""

import signal
import threading
import time

from fedlab.widgets.parts.background import BackgroundWork


class Piece:
    """Work that lasts until it is let go or asked to stop."""

    def __init__(self, background):
        self.background = background
        self.times_started = 0
        self.go_on = threading.Event()

    def __call__(self):
        self.times_started += 1
        while not self.go_on.is_set() and not self.background.stop_requested:
            time.sleep(0.01)


def test_work_runs_beside_its_caller_and_tells_its_end():
    background, ends = BackgroundWork(), []
    piece = Piece(background)
    assert background.start(piece, ends.append)
    assert background.is_running and ends == []
    piece.go_on.set()
    assert background.wait(60)
    assert not background.is_running and ends == [None]


def test_a_second_start_while_work_is_under_way_starts_nothing():
    background = BackgroundWork()
    piece = Piece(background)
    assert background.start(piece, lambda error: None)
    assert not background.start(piece, lambda error: None)
    background.request_stop()
    assert background.wait(60)
    assert piece.times_started == 1


def test_work_that_was_stopped_can_be_started_again():
    background = BackgroundWork()
    piece = Piece(background)
    for _ in range(2):
        assert background.start(piece, lambda error: None)
        background.request_stop()
        assert background.wait(60)
    assert piece.times_started == 2


def test_start_from_the_end_of_the_last_piece_waits_for_that_end_to_be_shown():
    background, shown = BackgroundWork(), []

    def show_slowly(error):
        time.sleep(0.2)
        shown.append("first")

    background.start(lambda: None, show_slowly)
    while background.is_running:
        time.sleep(0.001)
    assert background.start(lambda: shown.append("second"), lambda error: None)
    assert background.wait(60)
    assert shown == ["first", "second"]


def test_an_error_in_the_work_goes_to_whoever_shows_its_end():
    background, ends = BackgroundWork(), []
    background.start(lambda: 1 / 0, ends.append)
    assert background.wait(60)
    assert isinstance(ends[0], ZeroDivisionError)


def test_waiting_ends_when_the_time_is_over():
    background = BackgroundWork()
    background.start(Piece(background), lambda error: None)
    assert not background.wait(0.05)
    background.request_stop()
    assert background.wait(60)


def test_an_interrupt_while_waiting_asks_the_work_to_stop_and_waits_for_it():
    background, ends = BackgroundWork(), []
    background.start(Piece(background), ends.append)
    main = threading.main_thread().ident
    threading.Timer(0.2, signal.pthread_kill, [main, signal.SIGINT]).start()
    assert background.wait(60)
    assert ends == [None]
