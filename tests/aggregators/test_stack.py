"""Every client's value reaches the server, whatever it is."""

import collections

import numpy as np
import pytest
import tensorflow_federated as tff
from odd_aggregation import run, signatures

from fedlab.aggregators import StackFactory
from fedlab.aggregators.stack import append, join


def test_values_stand_below_each_other_in_the_order_of_the_cohort():
    result = run(StackFactory(), (np.float32, (2,)), [[1.0, 2.0], [3.0, np.nan], [np.inf, 6.0]])[0].result
    np.testing.assert_array_equal(result, [[1.0, 2.0], [3.0, np.nan], [np.inf, 6.0]])


def test_structures_are_stacked_tensor_by_tensor():
    value_type = tff.StructType([("a", np.int32), ("b", tff.StructType([np.str_, np.bool_]))])
    clients = [{"a": 1, "b": ("x", True)}, {"a": 2, "b": ("yy", False)}]
    result = run(StackFactory(), value_type, clients)[0].result
    assert list(result["a"]) == [1, 2]
    assert list(result["b"][0]) == [b"x", b"yy"]
    assert list(result["b"][1]) == [True, False]


def test_no_clients_give_no_rows():
    assert run(StackFactory(), (np.float32, (2,)), [])[0].result.shape == (0, 2)


@pytest.mark.parametrize("num_clients", [0, 1, 2])
def test_an_empty_structure_stays_empty(num_clients):
    assert run(StackFactory(), (), [()] * num_clients)[0].result == ()


def test_parts_of_a_cohort_are_joined():
    left = append(np.zeros((0, 2), np.float32), np.float32([1, 2]))
    right = append(left, np.float32([3, 4]))
    np.testing.assert_array_equal(join(left, right), [[1, 2], [1, 2], [3, 4]])


def test_type_signatures():
    assert signatures(StackFactory(), collections.OrderedDict(a=(np.float32, (2,)), b=np.str_)) == (
        "( -> <>@SERVER)",
        "(<state=<>@SERVER,value={<a=float32[2],b=str>}@CLIENTS> -> "
        "<state=<>@SERVER,result=<a=float32[?,2],b=str[?]>@SERVER,measurements=<>@SERVER>)",
    )
