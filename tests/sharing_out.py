"""How the tests are shared out between processes (pytest-xdist): whole files, what takes long first.

tests/conftest.py takes these hooks in; `make test` asks for them with `-n auto --dist loadfile`.
"""

import os

import pytest

NUM_PROCESSES = 2
# The one file that is not kept together: each of its tests runs a notebook.
ONE_BY_ONE = "tests/test_notebooks.py::test_notebook_gives_"
# Files of more than half a minute, in seconds on two fast cores: roughly, since only their order matters.
# What takes long begins early, so that both processes end together; --durations=60 tells what it is.
LONG_FILES = {
    "tests/test_colab_set_up.py": 90,
    "tests/runtime/test_same_as_tffs_worker.py": 80,
    "tests/test_widgets_on_colab.py": 70,
    "tests/browser/test_rounds_dashboard_in_browser.py": 60,
    "tests/training/test_simulation.py": 60,
    "tests/browser/test_aggregation_explorer_in_browser.py": 55,
    "tests/browser/test_generation_playground_in_browser.py": 50,
    "tests/test_platforms.py": 50,
    "tests/browser/test_client_browser_in_browser.py": 45,
    "tests/training/test_rounds.py": 40,
    "tests/training/test_run.py": 35,
    "tests/runtime/test_tff_workers.py": 30,
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """Two processes; none but pytest's own for a single file, which one of them would run alone."""
    files = {argument.partition("::")[0] for argument in config.args}
    is_one_file = len(files) == 1 and files.pop().endswith(".py")
    return 0 if is_one_file else min(NUM_PROCESSES, os.cpu_count() or 1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Shares out whole files, but notebooks one by one."""
    if config.option.dist != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling  # Not at the top: Colab's environment lacks xdist.

    class FilesAndNotebooks(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return nodeid if nodeid.startswith(ONE_BY_ONE) else super()._split_scope(nodeid)

    return FilesAndNotebooks(config, log)


def pytest_collection_modifyitems(config, items):
    """Puts what takes long first, where tests are shared out; else the order of the files stays."""
    if hasattr(config, "workerinput"):
        import notebook_sources  # Not at the top: Colab's environment lacks what it needs.

        measured = notebook_sources.read_measured()
        items.sort(key=lambda item: -seconds_of(item.nodeid, measured))


def seconds_of(nodeid: str, measured: dict[str, dict[str, float]]) -> float:
    """About how long what a test is shared out with takes; 0 for short ones.

    Args:
      nodeid: such as "tests/test_notebooks.py::test_notebook_gives_…[00_welcome]".
      measured: as `notebook_sources.read_measured` gives it.
    """
    if nodeid.startswith(ONE_BY_ONE):
        name = nodeid.partition("[")[2].rstrip("]")
        return measured.get(name, {}).get("seconds", 0)
    return LONG_FILES.get(nodeid.partition("::")[0], 0)
