"""Checks of arguments that many functions share, so that one mistake reads the same everywhere."""

import numbers


def check_whole_numbers(**arguments):
    """Refuses what is not a whole number of at least 1; True does not count as one.

    Args:
      **arguments: the values, by the names that the caller's user knows.

    Raises:
      ValueError: names the argument and its value.
    """
    for name, value in arguments.items():
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
            raise ValueError(f"{name}={value!r}: give a whole number of at least 1.")
