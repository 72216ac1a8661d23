"""A contender's side of a benchmark: it does one thing at a time, and says how long it took.

Needs nothing but Python, for peers run it in environments of their own. `contenders.py` is the other side.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

LOOK_FOR_BENCHMARK_EVERY_S = 0.25


def serve(build: Callable[[], object]) -> None:
    """Calls methods of what `build` makes, as standard input asks, until that ends.

    A request is a line `{"call": "train_round", "arguments": [2]}`; the answer is a line
    `{"value": ..., "seconds": ...}`. The first answer, unasked, is that of `build` itself.
    """
    threading.Thread(target=_end_with_the_benchmark, daemon=True).start()
    answers = _take_standard_output()
    started = time.perf_counter()
    contender = build()
    _answer(answers, None, started)
    for line in sys.stdin:
        request = json.loads(line)
        method = getattr(contender, request["call"])
        started = time.perf_counter()
        _answer(answers, method(*request["arguments"]), started)
    # Input has ended. A benchmark that closes its contenders ends what they started; one that is gone cannot.
    time.sleep(2 * LOOK_FOR_BENCHMARK_EVERY_S)


def _end_with_the_benchmark() -> None:
    """Ends this process and what it started, whatever it is doing, once the benchmark is gone."""
    benchmark = os.getppid()
    while os.getppid() == benchmark:
        time.sleep(LOOK_FOR_BENCHMARK_EVERY_S)
    if os.getpgrp() == os.getpid():  # A group of its own, as `contenders.py` starts it.
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _answer(answers, value: object, started: float) -> None:
    seconds = time.perf_counter() - started
    answers.write(json.dumps({"value": value, "seconds": seconds}) + "\n")
    answers.flush()


def _take_standard_output():
    """The stream that answers go to. What libraries print goes to standard error from now on."""
    sys.stdout.flush()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers
