"""Every computation gives in this process what it gives on TFF's own C++ worker: value and Python type."""

import collections

import attrs
import numpy as np
import pytest
import runtime_computations
import tensorflow as tf
from runtime_workers import needs_worker
from tensorflow_federated.python.core.impl.context_stack import context_stack_impl

from fedlab.runtime import in_process

pytestmark = [
    needs_worker,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::fedlab.runtime.compiling.SimulatedSecurityWarning"),
]


def assert_same(actual, expected, where="result"):
    """Compares two results: Python types, NumPy dtypes and shapes exactly, floats to rounding."""
    assert type_name(actual) == type_name(expected), f"{where}: {type(actual)} is not {type(expected)}"
    if isinstance(expected, tf.data.Dataset):
        assert actual.element_spec == expected.element_spec, where
        assert_same(list(actual), list(expected), where)
    elif isinstance(expected, tf.Tensor):
        assert_same(actual.numpy(), expected.numpy(), where)
    elif isinstance(expected, collections.abc.Mapping):
        assert list(actual) == list(expected), where
        for key in expected:
            assert_same(actual[key], expected[key], f"{where}[{key!r}]")
    elif attrs.has(type(expected)):
        assert_same(attrs.asdict(actual, recurse=False), attrs.asdict(expected, recurse=False), where)
    elif isinstance(expected, list | tuple):
        assert len(actual) == len(expected), where
        for index, pair in enumerate(zip(actual, expected, strict=True)):
            assert_same(*pair, f"{where}[{index}]")
    elif isinstance(expected, np.ndarray | np.generic) and expected.dtype.kind in "fc":
        assert actual.dtype == expected.dtype and actual.shape == expected.shape, where
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6, err_msg=where)
    elif isinstance(expected, np.ndarray | np.generic):
        assert actual.dtype == expected.dtype and actual.shape == expected.shape, where
        np.testing.assert_array_equal(actual, expected, err_msg=where)
    else:
        assert actual == expected, where


def type_name(value):
    # By name: dp_accounting makes a class for every event.
    return type(value).__module__, type(value).__qualname__


def run_in(context, case):
    with context_stack_impl.context_stack.install(context):
        return case()


@pytest.fixture(scope="module")
def in_process_context():
    return in_process.InProcessContext(clients_at_a_time=2)


@pytest.mark.parametrize("name", runtime_computations.CASES)
def test_a_computation_gives_the_same_as_on_tffs_worker(name, in_process_context, worker_context):
    case = runtime_computations.CASES[name]
    assert_same(run_in(in_process_context, case), run_in(worker_context, case))


@pytest.mark.parametrize(
    "one, other",
    [
        (np.float32(1), np.float64(1)),
        ([1], (1,)),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (1.0, 1.1),
        ([1], [1, 2]),
    ],
)
def test_the_comparison_tells_values_and_types_apart(one, other):
    with pytest.raises(AssertionError):
        assert_same(one, other)
