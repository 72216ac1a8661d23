import copy
import json
import re

import nbformat
import pytest

import check_notebooks

CLEAN = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    },
    "cells": [
        {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# Rounds"},
        {
            "cell_type": "code",
            "id": "one-round",
            "metadata": {"tags": ["raises-exception"]},
            "source": "1 / 0",
            "execution_count": 1,
            "outputs": [{"output_type": "stream", "name": "stdout", "text": "é\n"}],
        },
    ],
}


@pytest.fixture
def notebook(tmp_path):
    """Returns a function that writes a notebook, changed by the caller, and gives its path."""

    def write(change=lambda notebook: None, name="rounds.ipynb"):
        content = copy.deepcopy(CLEAN)
        change(content)
        path = tmp_path / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return write


def notebook_metadata(**metadata):
    return lambda notebook: notebook["metadata"].update(metadata)


def cell_metadata(**metadata):
    return lambda notebook: notebook["cells"][1]["metadata"].update(metadata)


def second_cell(**parts):
    return lambda notebook: notebook["cells"][1].update(parts)


def without_cell_id(notebook):
    del notebook["cells"][0]["id"]


def without_kernel(notebook):
    del notebook["metadata"]["kernelspec"]


DIRTY = {
    "execution timings": (
        cell_metadata(execution={"iopub.status.busy": "2024-01-01"}),
        "cell 2 .*'execution'",
    ),
    "other timings": (cell_metadata(ExecuteTime={"duration": 3}), "cell 2 .*'ExecuteTime'"),
    "collapsed output": (cell_metadata(collapsed=True), "cell 2 .*'collapsed'"),
    "unknown tag": (cell_metadata(tags=["raise-exception"]), "'raise-exception', on which no tool acts"),
    "widget state": (notebook_metadata(widgets={"state": {}}), "notebook metadata 'widgets'"),
    "Colab's own": (notebook_metadata(colab={"provenance": []}), "notebook metadata 'colab'"),
    "Python version": (
        notebook_metadata(language_info={"name": "python", "version": "3.13.0"}),
        "'language_info.version'",
    ),
    "own kernel": (
        notebook_metadata(kernelspec={"name": "my-venv", "display_name": "Mine"}),
        "kernel is 'my-venv'",
    ),
    "no language": (notebook_metadata(language_info={}), "'language_info.name' is missing"),
    "no kernel": (without_kernel, "'kernelspec.name' is missing"),
    "no cell id": (without_cell_id, "cell 1 has no id"),
    "repeated cell id": (second_cell(id="title"), "cell 2 has the id 'title'"),
    "old format": (lambda notebook: notebook.update(nbformat_minor=4), "format is 4.4"),
}

# These need a decision, or Jupyter.
NOT_FIXABLE = {"unknown tag", "own kernel", "no kernel", "no language", "old format"}


def test_clean_notebook_passes(notebook, capsys):
    path = notebook()
    nbformat.validate(nbformat.read(path, as_version=4))
    assert check_notebooks.main([str(path)]) == 0
    assert "1 checked, 0 not clean" in capsys.readouterr().out


@pytest.mark.parametrize("kind", DIRTY)
def test_dirty_notebook_fails_and_says_where(kind, notebook, capsys):
    change, message = DIRTY[kind]
    path = notebook(change)
    assert check_notebooks.main([str(path)]) == 1
    printed = capsys.readouterr().out
    assert str(path) in printed
    assert re.search(message, printed)


@pytest.mark.parametrize("kind", sorted(DIRTY.keys() - NOT_FIXABLE))
def test_fix_takes_out_what_does_not_belong(kind, notebook):
    path = notebook(DIRTY[kind][0])
    assert check_notebooks.main(["--fix", str(path)]) == 0
    fixed = nbformat.read(path, as_version=4)
    nbformat.validate(fixed)
    assert [cell.source for cell in fixed.cells] == ["# Rounds", "1 / 0"]
    assert fixed.cells[1].outputs[0].text == "é\n"


def test_fix_keeps_tags_and_leaves_clean_notebooks_alone(notebook):
    path = notebook()
    before = path.read_bytes()
    assert check_notebooks.main(["--fix", str(path)]) == 0
    assert path.read_bytes() == before
    fixed = notebook(cell_metadata(collapsed=True))
    check_notebooks.main(["--fix", str(fixed)])
    assert nbformat.read(fixed, as_version=4).cells[1].metadata == {"tags": ["raises-exception"]}


def test_every_notebook_of_a_folder_is_checked_but_jupyters_own_copies(notebook, tmp_path, capsys):
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / "exercises").mkdir()
    notebook(name="clean.ipynb")
    notebook(without_cell_id, name="exercises/dirty.ipynb")
    notebook(without_cell_id, name=".ipynb_checkpoints/copy.ipynb")
    assert check_notebooks.main([str(tmp_path)]) == 1
    assert "2 checked, 1 not clean" in capsys.readouterr().out


def test_file_that_is_no_notebook_fails(tmp_path, capsys):
    for name, content in {"cut-off.ipynb": '{"cells": [', "list.ipynb": "[]"}.items():
        (tmp_path / name).write_text(content)
    assert check_notebooks.main([str(tmp_path), str(tmp_path / "missing.ipynb")]) == 3
    printed = capsys.readouterr().out
    assert "cut-off.ipynb: not a notebook" in printed
    assert "list.ipynb: not a notebook" in printed
    assert "missing.ipynb" in printed


def test_without_a_notebooks_folder_there_is_nothing_to_check(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(check_notebooks, "NOTEBOOKS", tmp_path / "notebooks")
    assert check_notebooks.main([]) == 0
    assert "0 checked" in capsys.readouterr().out


def test_our_own_notebooks_are_clean():
    assert check_notebooks.main([]) == 0


@pytest.mark.parametrize("kind", sorted(NOT_FIXABLE))
def test_fix_does_not_hide_what_it_cannot_mend(kind, notebook):
    assert check_notebooks.main(["--fix", str(notebook(DIRTY[kind][0]))]) == 1
