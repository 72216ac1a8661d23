"""What learners type becomes values, or a sentence that says which client and what to write."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest

from fedlab.aggregators.plain_values import (
    check_clients,
    check_value,
    check_weights,
    describe_type,
    read_clients,
    read_value,
)


@pytest.mark.parametrize(
    ("text", "value", "value_type"),
    [
        ("1", 1.0, "float32"),
        (" -2.5e1 ", -25.0, "float32"),
        ("[1, 2, 3]", [1.0, 2.0, 3.0], "float32[3]"),
        ("[[1, 2], [3, 4], [5, 6]]", [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "float32[3,2]"),
        ('{"w": [1, 2], "b": 0.5}', {"w": [1.0, 2.0], "b": 0.5}, "<w=float32[2],b=float32>"),
        ("{'w': {'a': 1}, 'b': [2],}", {"w": {"a": 1.0}, "b": [2.0]}, "<w=<a=float32>,b=float32[1]>"),
        ("([1, 2], 0.5)", ([1.0, 2.0], 0.5), "<float32[2],float32>"),
        ("inf", math.inf, "float32"),
        ("[-Infinity, 3.4e38]", [-math.inf, 3.4e38], "float32[2]"),
        ('{"nan": 1, "w_inf": 2}', {"nan": 1.0, "w_inf": 2.0}, "<nan=float32,w_inf=float32>"),
        pytest.param(
            "[" * 8 + "1" + "]" * 8, [[[[[[[[1.0]]]]]]]], "float32[1,1,1,1,1,1,1,1]", id="eight deep"
        ),
    ],
)
def test_values_are_read_as_json_and_python_write_them(text, value, value_type):
    assert read_value(text) == value
    assert describe_type(read_value(text)) == value_type


def test_nan_is_a_value_like_any_other():
    first, second = read_value("[nan, 1]")
    assert math.isnan(first) and second == 1.0
    assert math.isnan(read_value("NaN"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "nothing is written: write 1.5"),
        ("[1, 2", r"\[1, 2 cannot be read: write 1.5"),
        ("one", "one cannot be read"),
        ("__import__('os').getpid()", "cannot be read"),
        pytest.param("[" * 100_000, "nested too deeply: write 1.5", id="a hundred thousand brackets"),
        pytest.param("[" * 300 + "1" + "]" * 300, "nested too deeply", id="three hundred deep"),
        pytest.param("[" * 9 + "1" + "]" * 9, "nested too deeply", id="nine deep"),
        pytest.param("-" * 100_000 + "1", "cannot be read|nested too deeply", id="a hundred thousand signs"),
        ('{"a": ' * 5000 + "1" + "}" * 5000, "nested too deeply"),
        ("1,5", "a number has a point"),
        ("1, 2", "a list stands in brackets"),
        ('"abc"', "'abc' is no number"),
        ("true", "True is no number"),
        ("null", "None is no number"),
        ("2j", "2j is no number"),
        ("[1, [2, 3]]", "parts of different sizes: give each a name"),
        ("[[1, 2], [3]]", "parts of different sizes"),
        ("[]", r"\[\] is empty"),
        ("{}", "{} is empty"),
        ("()", r"\(\) is empty"),
        ('{"a b": 1}', "'a b' is no name: write letters"),
        ("{1: 2}", "1 is no name"),
        ("1e39", r"1e\+39 is too large for float32"),
        ("1" + "0" * 400, "too large for float32"),
    ],
)
def test_what_is_no_value_is_answered_with_what_to_write(text, complaint):
    with pytest.raises(ValueError, match=complaint) as caught:
        read_value(text)
    assert len(str(caught.value)) < 200


def test_numpys_numbers_and_arrays_are_values_too():
    value = {"w": np.array([1, 2]), "b": np.float32(0.5)}
    assert check_value(value) == {"w": [1.0, 2.0], "b": 0.5}


def test_errors_name_the_client():
    with pytest.raises(ValueError, match="client 2: x cannot be read"):
        read_clients(["1", "2", "x"])
    with pytest.raises(ValueError, match=r"client 1: '2' is no number"):
        check_clients([1, "2"])


def test_the_odd_client_is_the_one_that_differs_from_most():
    with pytest.raises(
        ValueError, match=r"client 0 holds float32\[2\], but client 1 holds float32: .* client 0's like 2.0"
    ):
        read_clients(["[1, 2]", "2", "3"])


def test_names_may_come_in_any_order():
    values = read_clients(['{"w": 1, "b": {"x": 2, "y": 3}}', '{"b": {"y": 4, "x": 5}, "w": 6}'])
    assert [list(value) for value in values] == [["w", "b"]] * 2
    assert list(values[1]["b"].items()) == [("x", 5.0), ("y", 4.0)]


def test_without_clients_there_is_nothing_to_aggregate():
    with pytest.raises(ValueError, match="There are no clients"):
        check_clients([])


def test_weights_are_numbers_from_zero_one_for_each_client():
    assert check_weights([1, 0.5, 0], 3) == [1.0, 0.5, 0.0]
    with pytest.raises(ValueError, match="1 weights for 2 clients"):
        check_weights([1], 2)
    with pytest.raises(ValueError, match="client 1: a weight of -1: write 0 or more"):
        check_weights([1, -1], 2)


def test_reading_values_loads_neither_tensorflow_nor_tff():
    code = (
        "import sys, fedlab.aggregators.plain_values, fedlab.aggregators.recorded_round\n"
        "assert not {'tensorflow', 'tensorflow_federated'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)
