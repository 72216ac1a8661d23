"""Which value types are refused, and in what words."""

import collections

import numpy as np
import pytest
import tensorflow_federated as tff

from fedlab.aggregators import CoordinateMedianFactory, ScaledSumFactory, StackFactory, TrimmedMeanFactory
from fedlab.aggregators.value_types import check_numbers, stacked_type, zeros

Point = collections.namedtuple("Point", ["x", "y"])


@pytest.mark.parametrize(
    ("factory", "value_type", "words"),
    [
        (
            ScaledSumFactory(),
            tff.FederatedType(np.float32, tff.CLIENTS),
            "give it float32, not {float32}@CLIENTS",
        ),
        (ScaledSumFactory(), np.float32, "such as tff.TensorType"),
        (ScaledSumFactory(), tff.SequenceType(np.float32), "not SequenceType"),
        (ScaledSumFactory(), tff.TensorType(np.str_), "integers and floats, not string"),
        (CoordinateMedianFactory(), tff.to_type([np.float32, np.bool_]), "integers and floats, not bool"),
        (CoordinateMedianFactory(), tff.TensorType(np.complex64), "integers and floats, not complex64"),
        (TrimmedMeanFactory(), tff.to_type([np.float32, np.int32]), "needs floats, not int32"),
        (StackFactory(), tff.TensorType(np.float32, (None, 2)), "shape of every tensor, but got float32"),
        (StackFactory(), tff.StructType([("a", np.float32), np.int32]), "Name all parts or none"),
    ],
)
def test_unfit_types_are_refused_with_the_way_out(factory, value_type, words):
    with pytest.raises(TypeError, match=type(factory).__name__) as error:
        factory.create(value_type)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("value_type", "container"),
    [
        (tff.to_type(Point(np.float32, np.int32)), Point),
        (tff.to_type([np.float32, np.int32]), list),
        (tff.StructType([np.float32, np.int32]), tuple),
        (tff.StructType([("a", np.float32), ("b", np.int32)]), collections.OrderedDict),
    ],
)
def test_structures_keep_their_container_or_get_one(value_type, container):
    checked = check_numbers(value_type, None)
    assert checked.python_container is container
    assert checked.is_equivalent_to(value_type)


def test_stacks_have_one_dimension_more_and_no_rows_to_begin_with():
    value_type = tff.to_type(collections.OrderedDict(a=(np.float32, (2, 3)), b=[np.int32]))
    assert str(stacked_type(value_type)) == "<a=float32[?,2,3],b=<int32[?]>>"
    empty = zeros(stacked_type(value_type))
    assert empty["a"].shape == (0, 2, 3)
    assert (empty["b"][0].shape, empty["b"][0].dtype) == ((0,), np.int32)
