"""The widgets' tests once more, among the packages that Colab has: ipywidgets 7.7.1 and IPython 7.34."""

import importlib.metadata
import os
import pathlib
import platform
import re
import subprocess

import pytest

import colab_runtime

ROOT = pathlib.Path(__file__).parent.parent
COLAB = ROOT / ".venv-colab"
pytestmark = [
    pytest.mark.environment,
    pytest.mark.skipif(
        (platform.system(), platform.machine()) != ("Linux", "x86_64"), reason="Colab is Linux on x86-64"
    ),
]
# As in pyproject.toml, warnings are errors but for other people's code; these are from the years that
# Colab's packages are of.
WARNINGS = [
    "error",
    "ignore::DeprecationWarning:(matplotlib|jupyter_client)\\b",
]


@pytest.fixture(scope="module")
def colab_python():
    """The Python of a runtime with what the setup cell installs there, but for fedlab: it is the one here."""
    assert (COLAB / "wheels").exists(), f"{COLAB.name} is missing: run `make test`."
    with colab_runtime.fresh_runtime(COLAB) as python:
        offline = ["--no-index", "--find-links", COLAB / "wheels", "--no-deps", "--ignore-requires-python"]
        install = [python, "-m", "pip", "install", "--quiet", *offline, "-r", COLAB / "missing.txt"]
        subprocess.run(install, check=True)
        yield python


def test_the_widgets_there_are_colabs(colab_python):
    versions = colab_runtime.installed_packages(colab_python)
    names = ("ipywidgets", "ipython", "ipykernel", "traitlets", "tensorflow_federated")
    assert [versions.get(name) for name in names] == ["7.7.1", "7.34.0", "6.17.1", "5.7.1", "0.87.0"]
    assert "fedlab-notebooks" not in versions
    assert importlib.metadata.version("ipywidgets").startswith("8."), "this would test the same twice"


def test_widgets_pass_their_tests_with_colabs_packages(colab_python):
    options = ["-q", "-p", "no:cacheprovider", "-o", "filterwarnings=" + "\n".join(WARNINGS)]
    result = subprocess.run(
        [colab_python, "-m", "pytest", *options, ROOT / "tests" / "widgets"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    passed = re.search(r"^(\d+) passed", result.stdout, re.MULTILINE)
    assert passed and int(passed.group(1)) > 0, result.stdout
