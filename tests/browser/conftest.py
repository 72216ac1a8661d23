"""A real JupyterLab on 127.0.0.1 and a real Chromium, for notebooks that are used as a person would."""

import os
import pathlib

import nbformat
import pytest
from playwright.sync_api import expect, sync_playwright

from get_browser import find_browser
from lab_page import LabServer, NotebookPage, notebook_of

FOLDER = pathlib.Path(__file__).parent
# A laptop of the smaller kind, on which the widgets must be usable.
VIEWPORT = {"width": 1024, "height": 900}
# How long a page may take to show something: far more than any needs, on a machine with much else to do.
expect.set_options(timeout=30_000)


def pytest_collection_modifyitems(items):
    """All tests of this folder are of the tier "browser"."""
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory):
    """JupyterLab, serving an empty folder; its kernels are those in which notebooks are tested."""
    with LabServer(tmp_path_factory.mktemp("jupyterlab")) as server:
        yield server


# Not for the session: while Playwright runs, an event loop runs in the main thread, and the tests of
# other folders have loops of their own.
@pytest.fixture(scope="module")
def chromium():
    path = find_browser()
    assert path, "There is no Chromium: run `make test`, which gets one, or see tools/get_browser.py."
    with sync_playwright() as playwright:
        # No sandbox: containers have none to give, and the pages are our own.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Where pictures of the widgets go: $FEDLAB_PICTURES, else a folder of this run."""
    named = os.environ.get("FEDLAB_PICTURES")
    folder = pathlib.Path(named) if named else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def open_notebook(lab_server, chromium):
    """Opens a notebook of the given cells: `notebook = open_notebook("import fedlab", "1 + 1")`.

    Or one of the repository's: `open_notebook(file=path)`. Gives a `lab_page.NotebookPage`, whose `page`
    is Playwright's. Kernels and pages end with the test.
    """
    opened = []

    def open_(*cells, file=None):
        notebook = nbformat.read(file, as_version=4) if file else notebook_of(*cells)
        opened.append(NotebookPage(lab_server, chromium, notebook, VIEWPORT))
        return opened[-1]

    yield open_
    for notebook in opened:
        notebook.close()
