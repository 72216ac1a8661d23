"""The notebooks with other settings than those they were committed with, every section run twice.

Learners change the form of a notebook and run cells again. Then no cell fails but those that are meant to, and
what a notebook checks and prints as "…: True" is still true.
"""

import ast
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

import nbclient
import nbformat
import pytest

import notebook_sources
from notebook_kernel import kernel_environment

pytestmark = pytest.mark.notebook

FIELD = re.compile(r"^([A-Z][A-Z_]*) = (.+?)(  # @param .+)$", re.MULTILINE)
# The end of a line that reports a check, such as "the same numbers: True".
VERDICT = re.compile(r"^(.*\S):? +(True|False)$", re.MULTILINE)

# For each notebook two sets of settings within what its form offers. Those of notebooks that train are small.
OTHER_SETTINGS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "00_welcome": (
        {"READINGS_CELSIUS": [17, 20, 24], "READINGS_TAKEN": [1, 1, 2]},
        {"READINGS_CELSIUS": [-3.5, 0.0, 12.25, 30.0], "READINGS_TAKEN": [4.0, 1.0, 1.0, 0.5]},
    ),
    "01_dickens_model": (
        {"START": "Please, sir, ", "LENGTH": 40, "TEMPERATURES": (0.3, 1.0), "SEED": 7},
        {"START": "M", "LENGTH": 60, "TEMPERATURES": (1.0,), "SEED": 0},
    ),
    "02_shakespeare_clients": (
        {"CLIENT": "MACBETH_MACBETH", "BATCH_SIZE": 4, "SEQUENCE_LENGTH_CHARS": 50, "SEED": 3},
        {"CLIENT": "HAMLET_OPHELIA", "BATCH_SIZE": 2, "SEQUENCE_LENGTH_CHARS": 20, "SEED": 0},
    ),
    "03_federated_fine_tuning": (
        {"ROUNDS": 1, "CLIENTS_PER_ROUND": 2, "SEED": 5, "START": "Enter ", "LENGTH": 60},
        {"ROUNDS": 2, "CLIENTS_PER_ROUND": 1, "CLIENT_LEARNING_RATE": 0.0005, "LENGTH": 60},
    ),
    "05_experiments": (
        {"ROUNDS": 1, "CLIENTS_PER_ROUND": 1, "BATCHES_PER_CLIENT": 1, "HELD_OUT_WINDOWS": 1, "SEED": 4},
        {"ROUNDS": 2, "CLIENTS_PER_ROUND": 3, "BATCHES_PER_CLIENT": 2, "HELD_OUT_WINDOWS": 2, "SEED": 0},
    ),
    "06_aggregation_processes": (
        {"VALUES": [1, 2, 5], "WEIGHTS": [1, 1, 2], "ROUNDS": 2},
        {"VALUES": [4.0, -1.0, 0.5, 9.0], "WEIGHTS": [0.5, 1.0, 2.0, 3.0], "CLIP_NORM": 1.5, "ROUNDS": 3},
    ),
    "07_custom_aggregators": (
        {"VALUES": [1, 2, 5], "ROUNDS": 2},
        {"VALUES": [-2.0, 0.0, 3.5, 10.0], "ROUNDS": 4},
    ),
    "08_composing_aggregators": (
        {"ROUNDS": 1, "CLIENTS_PER_ROUND": 2, "BATCHES_PER_CLIENT": 1, "HELD_OUT_WINDOWS": 1, "SEED": 3},
        {"ROUNDS": 2, "CLIENTS_PER_ROUND": 3, "BATCHES_PER_CLIENT": 2, "HELD_OUT_WINDOWS": 2, "SEED": 0},
    ),
}
NOTEBOOKS = [notebook_sources.notebook_of(source) for source in notebook_sources.find_sources()]


def test_every_notebook_with_a_form_has_other_settings():
    with_form = [path.stem for path in NOTEBOOKS if settings_of(read(path))]
    assert sorted(OTHER_SETTINGS) == with_form


@pytest.mark.parametrize("name", OTHER_SETTINGS)
def test_other_settings_are_other_and_of_this_notebook(name):
    given = settings_of(read(notebook_sources.NOTEBOOKS / f"{name}.ipynb"))
    for settings in OTHER_SETTINGS[name]:
        assert set(settings) <= set(given)
        assert any(settings[field] != given[field] for field in settings)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", OTHER_SETTINGS)
def test_a_notebook_works_with_other_settings_and_its_sections_run_twice(name):
    assert_true_to_its_text(name, OTHER_SETTINGS[name][0], times=2)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", OTHER_SETTINGS)
def test_a_notebook_works_with_a_second_set_of_settings(name):
    assert_true_to_its_text(name, OTHER_SETTINGS[name][1], times=1)


def assert_true_to_its_text(name: str, settings: Mapping[str, Any], times: int) -> None:
    """Runs a notebook with other settings, each of its sections several times."""
    committed = read(notebook_sources.NOTEBOOKS / f"{name}.ipynb")
    expected = dict(verdicts(committed))
    changed = with_settings(committed, settings)
    problems = [problem for cell in run(changed, times) for problem in problems_of(cell, expected)]
    assert not problems, "\n".join(problems)


def read(path: os.PathLike) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def settings_of(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """The fields of a notebook's form with their values."""
    found = [match for cell in notebook.cells for match in FIELD.finditer(cell.source)]
    return {match[1]: ast.literal_eval(match[2]) for match in found}


def with_settings(notebook: nbformat.NotebookNode, settings: Mapping[str, Any]) -> nbformat.NotebookNode:
    """A copy whose form has other values."""
    changed = nbformat.from_dict(notebook)

    def replace(match: re.Match) -> str:
        value = repr(settings[match[1]]) if match[1] in settings else match[2]
        return f"{match[1]} = {value}{match[3]}"

    for cell in changed.cells:
        cell.source = FIELD.sub(replace, cell.source)
    return changed


def run(notebook: nbformat.NotebookNode, times: int) -> Iterator[nbformat.NotebookNode]:
    """Runs the sections one after the other, each several times; yields every cell after each of its runs."""
    client = nbclient.NotebookClient(
        notebook,
        timeout=900,
        allow_errors=True,
        resources={"metadata": {"path": str(notebook_sources.NOTEBOOKS)}},
    )
    with kernel_environment() as environment, client.setup_kernel(env=environment):
        for section in sections(notebook):
            for _ in range(times):
                for index in section:
                    yield client.execute_cell(notebook.cells[index], index)


def sections(notebook: nbformat.NotebookNode) -> list[list[int]]:
    """The indices of the code cells under each heading."""
    found: list[list[int]] = [[]]
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown" and cell.source.lstrip().startswith("#"):
            found.append([])
        elif cell.cell_type == "code":
            found[-1].append(index)
    return [section for section in found if section]


def verdicts(notebook: nbformat.NotebookNode) -> Iterator[tuple[str, str]]:
    """What the cells report of their checks: ("the same numbers", "True")."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            yield from verdicts_of(cell)


def verdicts_of(cell: nbformat.NotebookNode) -> list[tuple[str, str]]:
    text = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    return [(match[1].rstrip(": "), match[2]) for match in VERDICT.finditer(text)]


def problems_of(cell: nbformat.NotebookNode, expected: Mapping[str, str]) -> Iterator[str]:
    """Why a cell that was run contradicts the notebook."""
    failed = [output for output in cell.outputs if output.output_type == "error"]
    should_fail = "raises-exception" in cell.metadata.get("tags", [])
    if bool(failed) != should_fail:
        what = f"{failed[0].ename}: {failed[0].evalue}" if failed else "no error, and one is announced"
        yield f"{what}\n    in the cell\n{cell.source}"
    for claim, verdict in verdicts_of(cell):
        if expected.get(claim, verdict) != verdict:
            yield f"{claim!r} is {verdict}, and was {expected[claim]}\n    in the cell\n{cell.source}"
