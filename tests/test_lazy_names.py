"""Names that wait in their modules: found when used, listed before, missed with words."""

import subprocess
import sys

import pytest

import fedlab.plots


def test_a_name_is_fetched_from_its_module_when_it_is_used():
    program = (
        "import sys, fedlab.plots as p; assert 'matplotlib' not in sys.modules; p.PALETTE;"
        "assert 'matplotlib' in sys.modules and 'fedlab.plots.comparison' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_names_are_listed_before_they_are_fetched():
    assert {"plot_run", "readable", "__name__"} <= set(dir(fedlab.plots))


def test_a_name_that_is_not_there_is_an_error_that_lists_those_that_are():
    with pytest.raises(AttributeError, match=r"'fedlab\.plots' has no attribute 'plot'; it has COLOURS, "):
        fedlab.plots.plot  # noqa: B018
