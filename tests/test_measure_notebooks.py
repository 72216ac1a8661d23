"""`make measure`: runs the notebooks, and states what it measured in them and in the README."""

import json
import shutil
import subprocess
import sys

import pytest

import notebook_index
import notebook_sources

pytestmark = pytest.mark.notebook
ROOT = notebook_sources.ROOT
SOURCE = """\
# %% [markdown]
# # 00 · A trial
#
# **You will learn** how notebooks are measured.
#
# {{ measured }}

# %%
print("out")
"""


def run_tool(course, name):
    return subprocess.run([sys.executable, course / "tools" / name], capture_output=True, text=True)


@pytest.fixture
def course(tmp_path):
    """A copy of the tools, with a course of one small notebook that was measured on a slow machine."""
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    shutil.copytree(ROOT / "tests" / "notebooks", tmp_path / "tests" / "notebooks")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "README.md").write_text(f"{notebook_index.BEGIN}\n{notebook_index.END}\n")
    (tmp_path / "notebooks" / "sources").mkdir(parents=True)
    (tmp_path / "notebooks" / "sources" / "00_trial.py").write_text(SOURCE, encoding="utf-8")
    slow = {"00_trial": {"seconds": 300, "peak_mb": 5000}, "01_gone": {"seconds": 1, "peak_mb": 1}}
    notebook_sources.write_measured(slow, tmp_path / "notebooks" / "measured.json")
    ended = run_tool(tmp_path, "build_notebooks.py")
    assert ended.returncode == 0, ended.stderr
    assert "under 6 minutes, under 5.3 GB" in (tmp_path / "README.md").read_text()
    return tmp_path


def test_what_was_measured_is_stated_or_nothing_is_where_outputs_differ(course):
    notebook, measured = course / "notebooks" / "00_trial.ipynb", course / "notebooks" / "measured.json"
    ended = run_tool(course, "measure_notebooks.py")
    assert ended.returncode == 0, ended.stderr
    found = json.loads(measured.read_text())
    assert found.keys() == {"00_trial"}  # The other notebook is gone.
    assert found["00_trial"]["seconds"] < 300 and 20 < found["00_trial"]["peak_mb"] < 5000
    stated = notebook_sources.describe_measured(found["00_trial"])
    assert stated in notebook.read_text(encoding="utf-8")
    assert stated in (course / "README.md").read_text(encoding="utf-8")

    notebook.write_text(
        notebook.read_text(encoding="utf-8").replace('"out\\n"', '"0ut\\n"'), encoding="utf-8"
    )
    ended = run_tool(course, "measure_notebooks.py")
    assert ended.returncode == 1
    assert "00_trial.ipynb gives other outputs than it was committed with" in ended.stderr
    assert json.loads(measured.read_text()) == found
