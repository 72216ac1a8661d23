"""A notebook with a widget, opened and run as a student would: it runs, and the widget is there."""

import nbformat
from playwright.sync_api import expect

import notebook_sources

WIDGET = "fedlab.widgets.ClientBrowser("
# Code cells: setup, imports, settings, data, and one that fails as announced.
NUM_FIRST = 5


def beginning_and_widget(path):
    """Of a notebook: its first cells, and the one that makes the widget from what these made.

    The whole notebook runs once in a test run, in tests/test_notebooks.py.
    """
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    notebook.cells = [*code[:NUM_FIRST], *(cell for cell in code[NUM_FIRST:] if WIDGET in cell.source)]
    return notebook


def test_a_notebook_of_the_course_shows_its_widget(open_notebook, tmp_path):
    (source,) = notebook_sources.find_sources(["02"])
    shortened = beginning_and_widget(notebook_sources.notebook_of(source))
    assert len(shortened.cells) == NUM_FIRST + 1
    nbformat.write(shortened, tmp_path / "02.ipynb")
    notebook = open_notebook(file=tmp_path / "02.ipynb")
    assert notebook.page.locator(".fedlab").count() == 0  # a committed notebook says its widgets in words
    notebook.run_all()
    expect(notebook.page.locator(".fedlab")).to_have_count(1)
    expect(notebook.page.locator(".fedlab")).to_be_visible()
