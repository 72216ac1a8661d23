import numpy as np
import pytest

from fedlab.arguments import check_whole_numbers


def test_whole_numbers_from_one_are_fine_of_python_and_of_numpy():
    check_whole_numbers(rounds=1, batch_size=np.int64(8))


@pytest.mark.parametrize("value", [0, -1, 1.0, np.float32(2), "3", None, True])
def test_anything_else_is_refused_by_name_and_value(value):
    with pytest.raises(ValueError) as error:
        check_whole_numbers(rounds=1, batch_size=value)
    assert str(error.value) == f"batch_size={value!r}: give a whole number of at least 1."
