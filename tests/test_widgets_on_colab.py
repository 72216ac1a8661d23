"""The widgets' tests once more, among the packages that Colab has: ipywidgets 7.7.1 and IPython 7.34."""

import importlib.metadata
import os
import pathlib
import platform
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parent.parent
COLAB = ROOT / ".venv-colab"
pytestmark = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"), reason="Colab is Linux on x86-64"
)
# As in pyproject.toml, warnings are errors but for other people's code; these are from the years that
# Colab's packages are of.
WARNINGS = [
    "error",
    "ignore::DeprecationWarning:(matplotlib|jupyter_client)\\b",
]


@pytest.fixture(scope="module")
def colab_python():
    python = COLAB / "bin" / "python"
    assert python.exists(), f"{COLAB.name} is missing: run `make test`, or tools/colab_environment.sh."
    return python


def run(python, *arguments):
    return subprocess.run(
        [python, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=500,
    )


def test_the_environment_has_colabs_widgets_and_none_of_what_fedlab_brings(colab_python):
    names = ("ipywidgets", "ipython", "ipykernel", "traitlets", "tensorflow-federated", "fedlab-notebooks")
    listed = run(colab_python, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check")
    versions = dict(line.split("==") for line in listed.stdout.split())
    assert [versions.get(name) for name in names] == ["7.7.1", "7.34.0", "6.17.1", "5.7.1", None, None]
    assert importlib.metadata.version("ipywidgets").startswith("8."), "this would test the same twice"


def test_widgets_pass_their_tests_with_colabs_packages(colab_python):
    warnings = "filterwarnings=" + "\n".join(WARNINGS)
    result = run(
        colab_python,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-o",
        warnings,
        ROOT / "tests" / "widgets",
    )
    assert result.returncode == 0, result.stdout + result.stderr
    passed = re.search(r"^(\d+) passed", result.stdout, re.MULTILINE)
    assert passed and int(passed.group(1)) > 0, result.stdout
