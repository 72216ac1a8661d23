"""Values as learners write them: numbers, lists of numbers, and dicts or tuples of these.

    1.5                          float32
    [1, 2, 3]                    float32[3]
    {"w": [1, 2], "b": 0.5}      <w=float32[2],b=float32>
    ([1, 2], 0.5)                <float32[2],float32>

Nothing here needs TFF: widgets read what is typed with it, and `exploring` checks what it is given.
"""

import ast
import collections
import json
import numbers
import re

import numpy as np

EXAMPLES = '1.5, [1, 2, 3] or {"w": [1, 2], "b": 0.5}'
_LARGEST = float(np.finfo(np.float32).max)
_DEEPEST = 8  # Dimensions of an array.
# nan and inf as Python prints them, but as names, become what JSON's reader knows.
_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "infinity": "Infinity"}
_NOT_FINITE_PATTERN = re.compile(r"\b(nan|infinity|inf)\b(?![\"'])", re.IGNORECASE)
# TensorFlow makes names of graphs from them.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def read_value(text):
    """Reads a value from text, as JSON or as Python writes it; nothing is executed.

    Raises:
      ValueError: it cannot be read; the message says what to write.
    """
    if not text.strip():
        raise ValueError(f"nothing is written: write {EXAMPLES}.")
    try:
        return _checked(text.strip())
    except RecursionError:
        raise ValueError(f"{_shortened(text.strip())} is nested too deeply: write {EXAMPLES}.") from None


def _checked(text):
    value = _parse(text)
    if isinstance(value, tuple) and not text.startswith("("):
        raise ValueError(
            f"{_shortened(text)}: a list stands in brackets, as [1, 2], and a number has a point, as 1.5."
        )
    return check_value(value)


def _parse(text):
    try:
        return json.loads(_NOT_FINITE_PATTERN.sub(lambda found: _NOT_FINITE[found[0].lower()], text))
    except ValueError:
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError):
        raise ValueError(f"{_shortened(text)} cannot be read: write {EXAMPLES}.") from None


def check_value(value):
    """Checks one client's value.

    Args:
      value: number, list of numbers, NumPy array, or dict or tuple of these.

    Returns:
      The same with floats, in lists, dicts and tuples.

    Raises:
      ValueError: something else is in it; the message says what to write.
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, dict):
        _check_names(value)
        return {name: check_value(part) for name, part in value.items()}
    if isinstance(value, tuple):
        return tuple(check_value(part) for part in _not_empty(value))
    return _check_list(value) if isinstance(value, list) else _check_number(value)


def _check_names(value):
    for name in _not_empty(value):
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name: write letters, digits and _, as in {{'w_1': 0.5}}.")


def _check_list(items):
    checked = [_check_list(item) if isinstance(item, list) else _check_number(item) for item in items]
    if any(np.ndim(item) == _DEEPEST for item in checked):
        raise ValueError(f"{_shortened(repr(items))} is nested too deeply: write {EXAMPLES}.")
    if len({np.shape(item) for item in _not_empty(checked)}) > 1:
        raise ValueError(
            f"{_shortened(repr(items))} has parts of different sizes: give each a name, as in "
            '{"w": [1, 2], "b": [3]}.'
        )
    return checked


def _check_number(value):
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ValueError(f"{_shortened(repr(value))} is no number: write {EXAMPLES}.")
    try:
        number = float(value)
    except OverflowError:
        number = _LARGEST * 2
    if _LARGEST < abs(number) < float("inf"):
        raise ValueError(f"{_shortened(repr(value))} is too large for float32: write at most 3.4e38, or inf.")
    return number


def _not_empty(parts):
    if not parts:
        raise ValueError(f"{parts!r} is empty: write {EXAMPLES}.")
    return parts


def describe_type(value):
    """The type of a checked value as TFF writes it: {"w": [1.0], "b": 0.5} -> <w=float32[1],b=float32>"""
    if isinstance(value, dict):
        return f"<{','.join(f'{name}={describe_type(part)}' for name, part in value.items())}>"
    if isinstance(value, tuple):
        return f"<{','.join(map(describe_type, value))}>"
    shape = ",".join(map(str, np.shape(value)))
    return f"float32[{shape}]" if shape else "float32"


def check_clients(client_values):
    """Checks the values of all clients: each by itself, and that they are of one type.

    Returns:
      List of the checked values; names in dicts are in the order of the first client's.

    Raises:
      ValueError: there are none, or one does not fit; the message says which client and what to write.
    """
    if not client_values:
        raise ValueError("There are no clients: give one value for each, as in [1.0, 2.0, 5.0].")
    checked = [_of_client(index, check_value, value) for index, value in enumerate(client_values)]
    return _of_one_type([in_order_of(checked[0], value) for value in checked])


def read_clients(texts):
    """Reads the values of all clients from their texts; returns and raises as `check_clients`."""
    return check_clients([_of_client(index, read_value, text) for index, text in enumerate(texts)])


def _of_client(index, check, value):
    try:
        return check(value)
    except ValueError as error:
        raise ValueError(f"client {index}: {error}") from None


def in_order_of(example, value):
    """The value with the names in its dicts in the order of an example's, where they have the same names."""
    if isinstance(example, dict) and isinstance(value, dict) and set(example) == set(value):
        return {name: in_order_of(part, value[name]) for name, part in example.items()}
    return value


def _of_one_type(client_values):
    types = [describe_type(value) for value in client_values]
    (usual, _), *others = collections.Counter(types).most_common()
    if others:
        odd = next(index for index, one in enumerate(types) if one != usual)
        example = types.index(usual)
        raise ValueError(
            f"client {odd} holds {types[odd]}, but client {example} holds {usual}: all clients' values have "
            f"one type. Write client {odd}'s like {_shortened(repr(client_values[example]))}."
        )
    return client_values


def check_weights(weights, num_clients):
    """Checks the clients' weights.

    Returns:
      List of floats.

    Raises:
      ValueError: not one for each client, or one is negative or no number.
    """
    if len(weights) != num_clients:
        raise ValueError(f"{len(weights)} weights for {num_clients} clients: give one weight for each.")
    return [_of_client(index, _check_weight, weight) for index, weight in enumerate(weights)]


def _check_weight(weight):
    number = _check_number(weight)
    if number < 0:
        raise ValueError(f"a weight of {number:g}: write 0 or more.")
    return number


def _shortened(text):
    return text if len(text) <= 60 else text[:59] + "…"
