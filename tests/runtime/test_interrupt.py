"""Ctrl-C, or a notebook's Stop button, in the middle of a round."""

import os
import signal
import threading
import time

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff

from fedlab.runtime.watching import events


@tff.tensorflow.computation(np.int64)
def count_to(limit):
    return tf.while_loop(
        lambda i: i < limit, lambda i: i + 1, [tf.constant(0, tf.int64)], parallel_iterations=1
    )[0]


@tff.tensorflow.computation(tff.SequenceType(np.int64))
def count_items(data):
    return data.reduce(np.int64(0), lambda count, item: count + 1)


def over_clients(computation):
    member = computation.type_signature.parameter
    return tff.federated_computation(
        lambda x: tff.federated_sum(tff.federated_map(computation, x)), tff.FederatedType(member, tff.CLIENTS)
    )


FOREVER = {
    "a TensorFlow loop": (over_clients(count_to), [2**62] * 3, [5, 6]),
    "an endless dataset": (
        over_clients(count_items),
        [tf.data.Dataset.range(1).repeat()] * 3,
        [tf.data.Dataset.range(5), tf.data.Dataset.range(6)],
    ),
    "no clients": (count_to, 2**62, 11),
}


def interrupt_once_started(after_s):
    """Interrupts the main thread some time after a computation has begun."""

    def hear(event):
        if event.kind == events.STEP_STARTED and event.intrinsic in ("federated_map", ""):
            threading.Timer(after_s, os.kill, [os.getpid(), signal.SIGINT]).start()
            stop()

    stop = events.listen(hear)


@pytest.mark.parametrize("name", FOREVER)
def test_an_interrupt_ends_an_endless_round_and_the_next_is_right(name):
    computation, endless, finite = FOREVER[name]
    assert computation(finite) == 11
    interrupt_once_started(after_s=0.3)
    with pytest.raises(KeyboardInterrupt):
        computation(endless)
    assert computation(finite) == 11


def test_an_interrupted_round_leaves_nothing_running():
    interrupt_once_started(after_s=0.2)
    with pytest.raises(KeyboardInterrupt):
        over_clients(count_to)([2**62] * 3)
    end = time.monotonic() + 60
    while any(thread.name.startswith("fedlab-client") for thread in threading.enumerate()):
        assert time.monotonic() < end, "clients still run"
        time.sleep(0.05)
