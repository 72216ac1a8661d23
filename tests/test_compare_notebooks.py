"""The comparison of a notebook's outputs with those that it was committed with notices a difference."""

import nbformat.v4
import pytest

import notebook_sources
from compare_notebooks import run_nbval


@pytest.mark.notebook
def test_an_output_that_differs_is_noticed_and_one_that_is_the_same_passes(tmp_path):
    cells = [
        nbformat.v4.new_code_cell(
            f"print({said!r})",
            execution_count=1,
            outputs=[nbformat.v4.new_output("stream", name="stdout", text=f"{stored}\n")],
        )
        for said, stored in [("the same", "the same"), ("0.5 s", "0.7 s"), ("changed", "ch4nged")]
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbformat.write(notebook, tmp_path / "three.ipynb")
    ended = run_nbval(tmp_path / "three.ipynb", measured=tmp_path / "measured.json")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "1 failed, 2 passed" in ended.stdout
    assert "Cell 2: Cell outputs differ" in ended.stdout
    assert notebook_sources.read_measured(tmp_path / "measured.json")["three"]["peak_mb"] > 20
