"""A notebook of the course, run as a whole: the outputs that it was committed with, in Binder's memory.

A run takes minutes. So each notebook is run once in a test run: by tests/test_notebooks.py, or where
RUN_BY says.
"""

import pathlib
import sys

import notebook_sources
from compare_notebooks import run_nbval

# What else is to be shown of a notebook is shown by its one run.
RUN_BY = {"06_custom_aggregators": "tests/test_platforms.py"}
# A public Binder gives 2 GB; the browser's other notebooks and the server want some of it.
MEMORY_LIMIT_MB = 1600


def assert_gives_committed_outputs(
    notebook: pathlib.Path, folder: pathlib.Path, python: str | pathlib.Path = sys.executable
) -> None:
    """Runs a notebook and compares its outputs; its kernel stays within the memory limit.

    Args:
      notebook: its path.
      folder: an empty one, for what is measured.
      python: the Python that runs the kernel.
    """
    result = run_nbval(notebook, measured=folder / "measured.json", python=python)
    assert result.returncode == 0, result.stdout + result.stderr
    measured = notebook_sources.read_measured(folder / "measured.json")[notebook.stem]
    assert measured["peak_mb"] < MEMORY_LIMIT_MB
