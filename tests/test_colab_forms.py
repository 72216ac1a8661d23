"""The settings of each notebook as a form on Colab: `NAME = value  # @param {"type": "integer"}`."""

import ast
import json
import re

import pytest

import notebook_sources

# Colab's kinds of fields, and the Python values that each of them gives.
KINDS = {
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "raw": (list, tuple),
    "slider": (int, float),
    "string": (str,),
}
FIELD = re.compile(r"^([A-Z][A-Z_]*) = (.+?)  # @param (.+)$", re.MULTILINE)


def settings_of(source):
    """The settings cell of a script: the first that begins with a named value."""
    cells = notebook_sources.read_source(source).cells
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    return next(cell for cell in code if re.match(r"(?:#.*\n)*[A-Z][A-Z_]+ = ", cell))


def plain_assignments(cell):
    """Names and values of the assignments whose value a form can change: {"ROUNDS": 5}."""
    values = {}
    for statement in ast.parse(cell).body:
        if isinstance(statement, ast.Assign):
            for name in ast.walk(statement.targets[0]):
                if isinstance(name, ast.Name) and is_literal(statement.value):
                    values[name.id] = ast.literal_eval(statement.value)
    return values


def is_literal(expression):
    try:
        ast.literal_eval(expression)
    except ValueError:
        return False
    return True


def problems_of(value, form):
    """What is wrong with a form, such as {"type": "integer"} or ["pocket", "tff"], for a value."""
    if isinstance(form, list):
        return [] if value in form else [f"{value!r} is none of the choices {form}"]
    kind = form.pop("type")
    wanted = {"min", "max", "step"} if kind == "slider" else set()
    if type(value) not in KINDS[kind] or form.keys() != wanted:
        return [f"{value!r} does not fit {kind} with {sorted(form)}"]
    if kind != "slider":
        return []
    steps = (value - form["min"]) / form["step"]
    on_a_step = abs(steps - round(steps)) < 1e-9
    inside = form["min"] <= value <= form["max"]
    return [] if on_a_step and inside else [f"the slider {form} cannot be set to {value}"]


@pytest.mark.parametrize("source", notebook_sources.find_sources(), ids=lambda source: source.stem)
def test_every_plain_setting_has_a_field_that_can_show_its_value(source):
    cell = settings_of(source)
    fields = {name: json.loads(form) for name, _, form in FIELD.findall(cell)}
    values = plain_assignments(cell)
    assert fields.keys() == values.keys()
    assert values, "a settings cell without settings"
    assert [problem for name in fields for problem in problems_of(values[name], fields[name])] == []


@pytest.mark.parametrize("source", notebook_sources.find_sources(), ids=lambda source: source.stem)
def test_forms_are_in_the_settings_cell_only(source):
    # A field elsewhere would be changed by nobody who looks for settings.
    assert source.read_text(encoding="utf-8").count("@param") == settings_of(source).count("@param")


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (5, {"type": "string"}),
        (0.5, {"type": "integer"}),
        (True, {"type": "integer"}),
        (5, {"type": "slider", "min": 1, "max": 4, "step": 1}),
        (5, {"type": "slider", "min": 2, "max": 8, "step": 2}),
        (5, {"type": "slider", "min": 1, "max": 8}),
        ("tff", ["pocket"]),
    ],
)
def test_a_field_that_cannot_show_the_value_is_found(value, form):
    assert problems_of(value, form)
