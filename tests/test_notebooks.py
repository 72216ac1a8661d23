"""The notebooks give the outputs that they were committed with, and are what their sources say."""

import nbformat
import pytest
from committed_outputs import RUN_BY, assert_gives_committed_outputs

import notebook_sources

NOTEBOOKS = sorted(notebook_sources.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


@pytest.mark.notebook
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "path", [path for path in NOTEBOOKS if path.stem not in RUN_BY], ids=lambda path: path.stem
)
def test_notebook_gives_the_outputs_that_it_was_committed_with(path, tmp_path):
    assert_gives_committed_outputs(path, tmp_path)


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
