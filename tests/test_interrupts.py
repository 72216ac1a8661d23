"""Interrupts that wait: real ones, sent by the process to itself."""

import os
import signal
import threading

import pytest

from fedlab.interrupts import uninterrupted, uninterrupted_items


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_is_raised_when_the_work_is_done():
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        interrupt()
        done.append("first")
        interrupt()
        done.append("second")
    assert done == ["first", "second"]


def test_afterwards_interrupts_are_what_they_were():
    with uninterrupted():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(KeyboardInterrupt):
        interrupt()


def test_of_one_inside_another_the_outer_one_ends_first():
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        with uninterrupted():
            interrupt()
        done.append("outer")
    assert done == ["outer"]


def test_an_error_of_the_work_is_told_beside_the_interrupt():
    with pytest.raises(KeyboardInterrupt) as caught, uninterrupted():
        interrupt()
        raise ValueError("the work's own")
    assert str(caught.value.__context__) == "the work's own"


def test_a_process_that_ignores_interrupts_still_does():
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with uninterrupted():
            interrupt()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, handler)


def test_other_threads_work_as_without_it():
    done = []

    @uninterrupted()
    def work():
        done.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [signal.default_int_handler]


def test_an_interrupt_comes_between_two_items_and_none_is_half_made():
    made, seen = [], []

    def items():
        for number in range(5):
            if number == 2:
                interrupt()
            made.append(number)
            yield number

    with pytest.raises(KeyboardInterrupt):
        for item in uninterrupted_items(items()):
            seen.append(item)
    assert made == [0, 1, 2] and seen == [0, 1]
    assert list(uninterrupted_items("abc")) == ["a", "b", "c"]
