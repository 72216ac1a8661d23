"""The notebooks, run by nbval with outputs compared; and that the comparison notices."""

import nbformat
import pytest

import notebook_sources
from compare_notebooks import run_nbval
from notebook_sources import LATEST

NOTEBOOKS = sorted(notebook_sources.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
# A public Binder gives 2 GB; the browser's other notebooks and the server want some of it.
MEMORY_LIMIT_MB = 1600


def beginning_of(notebook, num_code_cells):
    """The first cells of a notebook, up to so many code cells."""
    code = [n for n, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    notebook.cells = notebook.cells[: code[num_code_cells - 1] + 1]
    return notebook


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_gives_the_outputs_that_it_was_committed_with(path, tmp_path):
    measured = tmp_path / "measured.json"
    result = run_nbval(path, measured=measured)
    assert result.returncode == 0, result.stdout + result.stderr
    latest = notebook_sources.read_measured(measured)[path.stem]
    notebook_sources.write_measured(notebook_sources.read_measured(LATEST) | {path.stem: latest}, LATEST)
    assert latest["peak_mb"] < MEMORY_LIMIT_MB


def test_a_corrupted_output_is_noticed(tmp_path):
    path = NOTEBOOKS[0]
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    number, cell = next(
        (n, c) for n, c in enumerate(code, start=1) if any(o.output_type == "stream" for o in c.outputs)
    )
    nbformat.write(beginning_of(notebook, number), tmp_path / "whole.ipynb")
    cell.outputs[0].text = cell.outputs[0].text.replace("e", "3", 1)
    nbformat.write(notebook, tmp_path / "corrupted.ipynb")

    whole = run_nbval(tmp_path / "whole.ipynb", measured=tmp_path / "measured.json")
    corrupted = run_nbval(tmp_path / "corrupted.ipynb", measured=tmp_path / "measured.json")

    assert whole.returncode == 0, whole.stdout + whole.stderr
    assert corrupted.returncode == 1, corrupted.stdout + corrupted.stderr
    assert f"1 failed, {number - 1} passed" in corrupted.stdout
    assert f"Cell {number - 1}: Cell outputs differ" in corrupted.stdout


@pytest.mark.parametrize("source", notebook_sources.find_sources(), ids=lambda source: source.stem)
def test_notebook_has_the_cells_of_its_source(source):
    measured = notebook_sources.read_measured().get(source.stem)
    wanted = notebook_sources.read_source(source)
    notebook_sources.fill(wanted, source, measured)
    committed = nbformat.read(notebook_sources.notebook_of(source), as_version=4)

    def cells(notebook):
        return [
            (cell.id, cell.cell_type, cell.source, cell.metadata.get("tags", [])) for cell in notebook.cells
        ]

    assert cells(committed) == cells(wanted), f"make notebooks ARGS={source.stem[:2]}"


def test_every_notebook_has_a_source():
    sources = [notebook_sources.notebook_of(source) for source in notebook_sources.find_sources()]
    assert sources == NOTEBOOKS
