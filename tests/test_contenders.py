import os
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from contenders import Contender, ContenderError, clean_environment, median_ratio, take_turns

SCRIPT = """
import os, subprocess, sys
import taking_turns

class Adder:
    def __init__(self):
        self.child = subprocess.Popen(["sleep", "600"])

    def add(self, a, b):
        print("a library's words")
        return a + b

    def family(self):
        return [os.getpid(), self.child.pid]

    def fail(self):
        raise ValueError("no such number")

    def take_memory(self, mb):
        self.kept = b"x" * (mb << 20)

    def wait(self):
        import time
        time.sleep(600)

taking_turns.serve(Adder)
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "adder.py"
    path.write_text(SCRIPT)
    return path


def wait_for_end(pids, timeout_s=30):
    """Whether these processes have ended, in time."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids):
            return True
        time.sleep(0.05)
    return False


def test_a_contender_answers_and_what_libraries_print_is_no_answer(script):
    with Contender(script) as contender:
        answers = [contender.call("add", 2, 3), contender.call("add", 4, 5)]
    assert [answer.value for answer in answers] == [5, 9]
    assert all(answer.seconds >= 0 for answer in answers)


def test_a_contender_that_fails_is_an_error_with_its_words(script):
    with Contender(script) as contender, pytest.raises(ContenderError, match="no such number"):
        contender.call("fail")


def test_a_contender_that_does_not_answer_is_ended(script):
    with Contender(script, timeout_s=2) as contender:
        family = contender.call("family").value
        with pytest.raises(ContenderError, match="status -9"):
            contender.call("wait")
    assert wait_for_end(family)


def test_closing_ends_what_a_contender_started(script):
    with Contender(script) as contender:
        family = contender.call("family").value
    assert wait_for_end(family)


def test_a_contender_ends_with_a_benchmark_that_is_killed(script):
    code = (
        "import sys, time, contenders, pathlib\n"
        "contender = contenders.Contender(pathlib.Path(sys.argv[1]))\n"
        "print(*contender.call('family').value, flush=True)\n"
        "contender.call('wait')\n"
    )
    command = [sys.executable, "-c", code, str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=clean_environment()) as benchmark:
        family = [int(pid) for pid in benchmark.stdout.readline().split()]
        benchmark.kill()
    assert len(family) == 2
    assert wait_for_end(family)


def test_the_most_memory_of_a_contender_is_known(script):
    with Contender(script) as contender:
        contender.call("add", 1, 1)
        contender.call("take_memory", 300)
        time.sleep(0.2)
        contender.call("add", 1, 1)
    assert contender.peak_mb > 300


def test_choices_of_the_shell_do_not_reach_a_contender(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.setenv("PATH_OF_MINE", "kept")
    environment = clean_environment()
    assert "OPENBLAS_CORETYPE" not in environment and "TF_ENABLE_ONEDNN_OPTS" not in environment
    assert environment["PATH_OF_MINE"] == "kept" and environment["PATH"] == os.environ["PATH"]


def test_contenders_take_turns_and_the_first_turn_is_not_kept():
    order = []

    def action(name, seconds):
        def act():
            order.append(name)
            return next(seconds)

        return act

    taken = take_turns({"a": action("a", iter([9, 1, 2])), "b": action("b", iter([8, 3, 4]))}, 2)
    assert "".join(order) == "ababab"
    assert taken == {"a": [1, 2], "b": [3, 4]}
    assert median_ratio([1.0, 2.0, 30.0], [4.0, 1.0, 9.0]) == 0.5


def test_all_forms_of_a_product_are_the_same_product():
    import tensorflow as tf

    import arithmetic_limit

    random = np.random.default_rng(1)
    for transpose_a, transpose_b in ((False, False), (False, True), (True, False)):
        left = random.normal(size=[5, 3] if transpose_a else [3, 5]).astype(np.float32)
        right = random.normal(size=[7, 5] if transpose_b else [5, 7]).astype(np.float32)
        product = arithmetic_limit.Product("", left.shape, right.shape, 1, transpose_a, transpose_b)
        expected = (left.T if transpose_a else left) @ (right.T if transpose_b else right)
        forms = arithmetic_limit.forms_of(product, tf.constant(right))
        assert len(forms) == (2 if transpose_a else 4)
        for name, form in forms.items():
            np.testing.assert_allclose(form(tf.constant(left)), expected, rtol=1e-5, atol=1e-6, err_msg=name)
