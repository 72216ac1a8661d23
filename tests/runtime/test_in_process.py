"""The default context: TFF computations called like Python functions."""

import asyncio
import collections
import concurrent.futures
import subprocess
import sys
import threading

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff

import fedlab
from fedlab.runtime import compiling, in_process

AT_CLIENTS = tff.FederatedType(np.float32, tff.CLIENTS)


@tff.federated_computation(AT_CLIENTS)
def mean(numbers):
    return tff.federated_mean(numbers)


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


def test_a_tensorflow_computation_returns_a_numpy_scalar():
    add_one = tff.tensorflow.computation(lambda number: number + 1, np.int32)
    assert add_one(3) == 4
    assert type(add_one(3)) is np.int32


def test_a_mean_over_clients_is_the_mean():
    assert mean([1.0, 2.0, 6.0]) == 3.0


def test_importing_the_runtime_is_cheap():
    code = "import fedlab.runtime, sys; print({'tensorflow', 'tensorflow_federated'} & set(sys.modules))"
    assert run_python(code).stdout == "set()\n"


def test_a_script_ends_without_a_word_and_without_a_child():
    code = """
import fedlab, numpy as np, psutil, tensorflow_federated as tff
print(tff.tensorflow.computation(lambda x: x + 1, np.int32)(1), psutil.Process().children())
"""
    ended = run_python(code)
    assert ended.stdout.split() == ["2", "[]"]
    assert ended.stderr == ""
    assert ended.returncode == 0


def test_tffs_worker_is_not_needed():
    code = """
import os
isfile = os.path.isfile
os.path.isfile = lambda path: "worker_binary" not in str(path) and isfile(path)
import fedlab, numpy as np, tensorflow_federated as tff
print(tff.tensorflow.computation(lambda x: x + 1, np.int32)(1))
"""
    assert run_python(code).stdout == "2\n"


def test_computations_run_in_threads_that_tff_knows_nothing_of():
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert pool.submit(mean, [1.0, 3.0]).result() == 2.0


def test_computations_called_from_several_threads_do_not_mix():
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda n: mean([float(n), float(n + 2)]), range(40)))
    assert results == [n + 1 for n in range(40)]


def test_an_async_context_gives_something_to_await():
    context = in_process.AsyncInProcessContext()

    async def two():
        with tff.framework.get_context_stack().install(context):
            return await asyncio.gather(mean([1.0, 3.0]), mean([5.0, 5.0]))

    assert asyncio.run(two()) == [2.0, 5.0]


def test_tff_program_runs_on_the_async_context():
    context = tff.program.NativeFederatedContext(in_process.AsyncInProcessContext())

    async def program():
        return await tff.program.materialize_value(mean([2.0, 4.0]))

    with tff.framework.get_context_stack().install(context):
        assert asyncio.run(program()) == 3.0


@pytest.mark.parametrize("limit", [0, -1, 1.5, "2"])
def test_a_senseless_limit_is_refused_with_its_value(limit):
    with pytest.raises(ValueError, match=f"clients_at_a_time={limit!r}"):
        fedlab.runtime.use_in_process(clients_at_a_time=limit)


def test_the_number_of_clients_can_have_a_default(in_process):
    count = tff.federated_computation(lambda: tff.federated_sum(tff.federated_value(1, tff.CLIENTS)))
    assert count() == 0
    fedlab.runtime.use_in_process(default_num_clients=5)
    assert count() == 5


def test_a_map_over_no_clients_gives_no_results():
    doubled = tff.federated_computation(
        lambda numbers: tff.federated_map(tff.tensorflow.computation(lambda x: 2 * x, np.float32), numbers),
        AT_CLIENTS,
    )
    assert doubled([]) == []


def test_a_variable_can_begin_as_anothers_beginning():
    @tff.tensorflow.computation(np.float32)
    def twice_and_once(number):
        first = tf.Variable(number)
        second = tf.Variable(first * 2)
        return second + first

    # Often: read too early, the first one is empty; TensorFlow changes its order after some hundred runs.
    assert [float(twice_and_once(5.0)) for _ in range(500)] == [15.0] * 500


def test_arguments_of_a_wrong_type_are_refused_in_tffs_words():
    with pytest.raises(TypeError, match="Failed to serialize a value of dtype <class 'str'> to dtype"):
        mean([1.0, "two"])
    with pytest.raises(TypeError, match="Expected non-all-equal value with placement CLIENTS to be a `list`"):
        mean(1.0)
    with pytest.raises(TypeError, match="with shape .2,. to shape .3,."):
        tff.tensorflow.computation(lambda x: x, tff.TensorType(np.float32, [3]))(np.zeros(2, np.float32))
    with pytest.raises(TypeError, match="Cannot serialize dataset with elements of type int64"):
        tff.tensorflow.computation(lambda x: x.reduce(0, tf.add), tff.SequenceType(np.int32))(
            tf.data.Dataset.range(3)
        )


def test_a_dataset_whose_fields_could_be_misread_is_refused():
    point = collections.namedtuple("Point", "y x")
    data = tf.data.Dataset.from_tensors(point(1, 2))
    spec = tff.SequenceType(collections.OrderedDict(y=np.int32, x=np.int32))
    with pytest.raises(ValueError, match="ambiguous"):
        tff.tensorflow.computation(lambda numbers: numbers.reduce(0, lambda a, b: a + b["x"]), spec)(data)


def test_fixed_batches_are_accepted_where_any_size_is():
    spec = tff.SequenceType(tff.TensorType(np.float32, [None]))
    total = tff.tensorflow.computation(
        lambda batches: batches.reduce(0.0, lambda a, b: a + tf.reduce_sum(b)), spec
    )
    ones = tf.data.Dataset.from_tensor_slices(np.ones(6, np.float32))
    assert total(ones.batch(2, drop_remainder=True)) == total(ones.batch(4)) == 6


def test_an_argument_changed_after_the_call_does_not_change_the_result():
    array = np.ones(1000, np.float32)
    same = tff.tensorflow.computation(lambda x: x, tff.TensorType(np.float32, [1000]))
    result = same(array)
    array[:] = 7
    assert result.sum() == 1000
    result[0] = 5  # And results are the caller's own.
    assert same(array)[0] == 7


def test_a_mapped_sequence_comes_back_as_a_dataset():
    square = tff.tensorflow.computation(lambda x: x * x, np.int32)
    squares = tff.federated_computation(
        lambda data: tff.sequence_map(square, data), tff.SequenceType(np.int32)
    )
    assert [int(number) for number in squares([1, 2, 3])] == [1, 4, 9]
    assert list(squares([])) == []


def test_a_sequence_sum_adds_structures_part_by_part():
    element = collections.OrderedDict(a=np.int32, b=tff.TensorType(np.float32, [2]))
    total = tff.federated_computation(lambda data: tff.sequence_sum(data), tff.SequenceType(element))
    items = [{"a": 1, "b": [1.0, 2.0]}, {"a": 10, "b": [0.5, 0.5]}]
    result = total([collections.OrderedDict(item) for item in items])
    assert result["a"] == 11
    np.testing.assert_array_equal(result["b"], [1.5, 2.5])


def test_a_key_out_of_range_is_named_with_its_client():
    pick = tff.tensorflow.computation(lambda v, k: v[k], (tff.TensorType(np.int32, [3]), np.int32))

    @tff.federated_computation(
        tff.FederatedType(tff.TensorType(np.int32, [1]), tff.CLIENTS),
        tff.FederatedType(np.int32, tff.SERVER),
        tff.FederatedType(tff.TensorType(np.int32, [3]), tff.SERVER),
    )
    def select(keys, max_key, value):
        return tff.federated_select(keys, max_key, value, pick)

    with pytest.raises(
        ValueError, match="client 1 asks for key 9, but its keys run from 0 to max_key, which is 2"
    ):
        select([[0], [9]], 2, [5, 6, 7])


def test_secure_sums_say_that_they_are_simulated_and_check_their_inputs():
    total = tff.federated_computation(
        lambda x: tff.federated_secure_sum(x, 10), tff.FederatedType(np.int32, tff.CLIENTS)
    )
    compiling._say_that_security_is_simulated.cache_clear()
    with pytest.warns(fedlab.runtime.SimulatedSecurityWarning, match="added up in the clear"):
        assert total([3, 10]) == 13
    with pytest.raises(fedlab.runtime.ComputationError, match="larger than maximum specified for secure sum"):
        total([3, 11])


def test_a_seeded_shuffle_is_the_same_in_every_call():
    data = tf.data.Dataset.range(20).shuffle(20, seed=3)
    first = tff.tensorflow.computation(
        lambda numbers: numbers.take(3).reduce(np.int64(0), lambda a, b: a * 100 + b),
        tff.SequenceType(np.int64),
    )
    assert len({int(first(data)) for _ in range(5)}) == 1


def test_the_context_stack_survives_many_changes_of_context():
    mean([1.0])
    before = threading.active_count()
    for _ in range(30):
        fedlab.runtime.use_in_process()
        assert mean([1.0]) == 1.0
    assert threading.active_count() < before + 5
