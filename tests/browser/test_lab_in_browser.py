"""The page that the browser tests work with: real outputs, real errors, real themes."""

import pytest
from playwright.sync_api import expect


def test_a_notebook_runs_in_a_real_kernel_and_shows_its_outputs(open_notebook):
    notebook = open_notebook("import fedlab", "print(6 * 7)")
    notebook.run_all()
    assert notebook.outputs()[-1]["text"] == "42\n"
    expect(notebook.page.get_by_text("42", exact=True)).to_be_visible()
    assert notebook.run("print('also', 6 * 7)") == "also 42\n"


def test_an_error_in_a_cell_is_not_taken_for_success(open_notebook):
    notebook = open_notebook("1 / 0", "print('not reached')")
    with pytest.raises(AssertionError, match="ZeroDivisionError: division by zero"):
        notebook.run_all()


def test_the_page_and_its_kernel_do_without_the_network(open_notebook):
    notebook = open_notebook("import socket", "socket.create_connection(('10.1.1.1', 80), 5)")
    with pytest.raises(AssertionError, match=r"A notebook reached for the network: 10\.1\.1\.1:80"):
        notebook.run_all()
    with pytest.raises(Exception, match="Failed to fetch"):
        notebook.page.evaluate("fetch('http://10.1.1.1/')")


def test_the_theme_changes(open_notebook):
    notebook = open_notebook("1 + 1")
    ground = "getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor"
    light = notebook.page.evaluate(ground)
    notebook.use_theme("JupyterLab Dark")
    assert notebook.page.evaluate(ground) != light
