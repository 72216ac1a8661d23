import io
import os
import sys
import urllib.error
import urllib.request
import zipfile

import nbformat
import pytest

import colab_runtime
import notebook_sources
import run_in_colab

pytestmark = pytest.mark.notebook


def write_notebook(path, *cells):
    """Writes a notebook whose code cells printed what `cells` say: (source, printed), ..."""
    notebook = nbformat.v4.new_notebook()
    for source, printed in cells:
        output = nbformat.v4.new_output("stream", name="stdout", text=printed)
        notebook.cells.append(nbformat.v4.new_code_cell(source, outputs=[output] if printed else []))
    nbformat.write(notebook, path)
    return path


def run(path):
    return run_in_colab.run_committed(path, sys.executable, dict(os.environ))


def test_a_notebook_whose_cell_fails_fails_the_run(tmp_path, capsys):
    path = write_notebook(tmp_path / "41_fails.ipynb", ("", ""), ("1 / 0", ""))
    assert run(path) == ["41_fails failed"]
    assert "ZeroDivisionError" in capsys.readouterr().out


def test_a_cell_that_prints_something_else_is_noted_and_fails_nothing(tmp_path, capsys):
    cells = [("print('setup')", ""), ("print('0.5 s')", "0.7 s\n"), ("print(1 + 1)", "3\n")]
    path = write_notebook(tmp_path / "42_differs.ipynb", *cells)
    assert run(path) == []
    # The setup cell is silent elsewhere, and seconds differ each time.
    assert capsys.readouterr().out.endswith("(other numbers or words than committed in code cells [3])\n")


def test_a_notebook_starts_in_an_empty_folder(tmp_path):
    path = write_notebook(tmp_path / "43_empty.ipynb", ("import os; assert os.listdir() == []", ""))
    assert run(path) == []


def test_packages_that_changed_or_went_are_named():
    before = {"numpy": "2.1.3", "protobuf": "5.29.6", "tornado": "6.5.7"}
    assert run_in_colab.changed(before, before | {"safetensors": "0.7.0"}) == []
    assert run_in_colab.changed(before, {"numpy": "2.2.0", "tornado": "6.5.7"}) == ["numpy", "protobuf"]


def test_the_repository_is_served_under_githubs_addresses():
    branch = notebook_sources.publication()["branch"]
    with colab_runtime.served_repository() as address:
        script = urllib.request.urlopen(f"{address}/raw/{branch}/colab/set_up.py").read()
        archive = urllib.request.urlopen(f"{address}/archive/refs/heads/{branch}.zip").read()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{address}/raw/{branch}/colab/nothing.py")
    assert script == (colab_runtime.ROOT / "colab" / "set_up.py").read_bytes()
    names = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    folder = f"fedlab-{branch}/"
    assert names[0] == folder
    assert {f"{folder}pyproject.toml", f"{folder}fedlab/__init__.py"} <= set(names)
