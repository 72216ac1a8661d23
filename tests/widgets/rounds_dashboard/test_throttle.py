import threading
import time

from fedlab.widgets.rounds_dashboard.throttle import Throttled


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_first_call_is_made_at_once():
    calls = []
    Throttled(lambda: calls.append(threading.current_thread()), 60)()
    assert calls == [threading.current_thread()]


def test_many_calls_at_once_are_one_now_and_one_later():
    calls = []
    show = Throttled(lambda: calls.append(time.monotonic()), 1)
    for _ in range(1000):
        show()
    wait_for(lambda: len(calls) == 2)
    assert calls[1] - calls[0] >= 1
    time.sleep(0.1)
    assert len(calls) == 2


def test_the_late_call_sees_the_last_change():
    shown, value = [], [0]
    show = Throttled(lambda: shown.append(value[0]), 1)
    for number in range(50):
        value[0] = number
        show()
    wait_for(lambda: len(shown) == 2)
    assert shown == [0, 49]


def test_calls_far_enough_apart_are_all_made_at_once():
    calls = []
    show = Throttled(lambda: calls.append(threading.current_thread()), 0.05)
    for _ in range(3):
        show()
        time.sleep(0.1)
    assert calls == [threading.current_thread()] * 3
