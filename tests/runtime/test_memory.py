"""Memory: graphs are released, values are not kept, rounds do not add up."""

import gc
import weakref

import numpy as np
import psutil
import pytest
import tensorflow as tf
import tensorflow_federated as tff
from tensorflow.python.eager import context as eager_context

from fedlab.runtime import compiling, values
from fedlab.runtime.interpreter import calls, cohort_passes


def resident_mb():
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20


def registered_functions():
    gc.collect()
    return len(eager_context.context().list_function_names())


def new_computation(seed):
    @tff.tensorflow.computation(np.float32)
    def scale(x):
        @tf.function
        def inner(y):
            return tf.while_loop(lambda i, z: i < 2, lambda i, z: (i + 1, z * seed), (0, y))[1]

        return inner(x)

    return scale


def test_graphs_of_programs_that_were_pushed_out_are_released():
    compiler = compiling.Compiler(most_programs=3)
    from fedlab.runtime.interpreter import calls

    def run(seed):
        program = compiler.compile(new_computation(float(seed)))
        return float(program(calls.Call("test", 0, 1), tf.constant(1.0)))

    assert run(2) == 4
    for seed in range(3, 8):
        run(seed)
    settled = registered_functions()
    for seed in range(10, 30):
        assert run(seed) == seed**2
    assert registered_functions() <= settled


def test_programs_of_computations_that_are_gone_are_released_but_for_the_latest():
    compiler = compiling.Compiler(most_programs=50)
    kept = new_computation(1.0)
    program = compiler.compile(kept)
    programs_made = [weakref.ref(compiler.compile(new_computation(float(seed)))) for seed in range(2, 12)]
    gc.collect()
    compiler.compile(new_computation(12.0))
    gc.collect()
    alive = [made() is not None for made in programs_made]
    assert alive == [False] * 6 + [True] * compiling.MOST_UNUSED_PROGRAMS
    assert compiler.compile(kept) is program


def test_a_program_is_found_again_by_computation_and_by_content():
    def times(factor):
        return tff.tensorflow.computation(lambda x: x * factor, np.float32)

    compiler = compiling.Compiler()
    first = times(2.0)
    assert compiler.compile(first) is compiler.compile(first)
    assert compiler.compile(first) is compiler.compile(times(2.0))
    assert compiler.compile(first) is not compiler.compile(times(3.0))


def test_a_value_goes_when_nothing_needs_it_any_more(monkeypatch):
    """A client's update is released as soon as it has been summed, before the next one is made."""
    updates, alive = [], []
    make = tff.tensorflow.computation(lambda x: tf.fill([1000], x), np.float32)
    shrink = tff.tensorflow.computation(lambda v: tf.reduce_sum(v), tff.TensorType(np.float32, [1000]))

    @tff.federated_computation(tff.FederatedType(np.float32, tff.CLIENTS))
    def two_steps(x):
        total = tff.federated_sum(tff.federated_map(make, x))
        return tff.federated_map(shrink, total)

    take = cohort_passes._Pass._take

    def take_and_remember(self, index, own):
        gc.collect()
        alive.append(sum(ref() is not None for ref in updates))
        updates.extend(weakref.ref(value) for value in own.values())
        take(self, index, own)

    monkeypatch.setattr(cohort_passes._Pass, "_take", take_and_remember)
    compiled = compiling.Compiler().compile(two_steps)
    numbers = [tf.constant(float(number)) for number in range(4)]
    result = compiled(calls.Call("test", 4, 1), values.AtClients(numbers))
    gc.collect()
    assert float(result.member) == 6000
    assert len(updates) == 4
    assert max(alive) <= 1
    assert not any(ref() is not None for ref in updates)


@pytest.mark.slow
def test_a_hundred_rounds_with_cohorts_of_all_sizes_take_no_more_memory_than_ten():
    size = 250_000  # 1 MB a client.

    @tff.tensorflow.computation(tff.TensorType(np.float32, [size]), tff.SequenceType(np.float32))
    def train(weights, data):
        variable = tf.Variable(tf.zeros([size]))

        @tf.function
        def step(count, number):
            variable.assign_add(weights * number)
            return count + 1

        with tf.control_dependencies([data.reduce(0, step)]):
            return variable.read_value()

    weights_type = tff.TensorType(np.float32, [size])

    @tff.federated_computation(
        tff.FederatedType(weights_type, tff.SERVER),
        tff.FederatedType(tff.SequenceType(np.float32), tff.CLIENTS),
    )
    def next_round(weights, data):
        return tff.federated_mean(tff.federated_map(train, (tff.federated_broadcast(weights), data)))

    random, weights = np.random.default_rng(0), np.ones(size, np.float32)
    for round_ in range(100):
        num_clients = int(random.integers(1, 12))
        data = [tf.data.Dataset.from_tensor_slices(np.full(2, 0.5, np.float32))] * num_clients
        weights = next_round(weights, data)
        if round_ == 9:
            after_ten = resident_mb()
    np.testing.assert_allclose(weights[:3], 1.0, rtol=1e-5)
    assert resident_mb() < after_ten * 1.05
