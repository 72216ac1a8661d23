"""Notebooks with widgets, opened and run as a student would: everything runs, and the widgets are there."""

import pytest
from playwright.sync_api import expect

import notebook_sources

# The quick ones of those with widgets; all notebooks run in tests/test_notebooks.py, without a browser.
WIDGETS = {
    "02": "ClientBrowser",
    "06": "AggregationExplorer",
}


@pytest.mark.parametrize(("number", "widget"), WIDGETS.items())
def test_a_notebook_that_is_run_from_top_to_bottom_shows_its_widget(open_notebook, number, widget):
    (source,) = notebook_sources.find_sources([number])
    notebook = open_notebook(file=notebook_sources.notebook_of(source))
    assert notebook.page.locator(".fedlab").count() == 0  # a committed notebook says its widgets in words
    notebook.run_all()
    shown = notebook.page.locator(".fedlab")
    expect(shown).to_have_count(1)
    expect(shown).to_be_visible()
    assert f"fedlab.widgets.{widget}(" in "".join(cell["source"] for cell in notebook.cells())
