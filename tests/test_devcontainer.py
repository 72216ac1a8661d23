"""The devcontainer sets up as the README says, on a Python that fedlab runs on."""

import json
import pathlib
import re
import subprocess
import tomllib

import pytest
from jupyter_server.serverapp import DEFAULT_JUPYTER_SERVER_PORT
from packaging.specifiers import SpecifierSet

ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture
def devcontainer():
    return json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))


def test_it_is_an_official_python_image_of_a_version_that_fedlab_runs_on(devcontainer):
    image = re.fullmatch(r"mcr\.microsoft\.com/devcontainers/python:(3\.\d+)", devcontainer["image"])
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert f"{image.group(1)}.1" in SpecifierSet(pyproject["project"]["requires-python"])


def test_its_command_is_one_of_the_makefile(devcontainer):
    command = devcontainer["postCreateCommand"].split()
    assert command[0] == "make"
    planned = subprocess.run([*command, "--dry-run"], cwd=ROOT, capture_output=True, text=True)
    assert planned.returncode == 0, planned.stderr
    assert "tools/setup.sh" in planned.stdout


def test_its_kernel_is_where_set_up_puts_it(devcontainer):
    settings = devcontainer["customizations"]["vscode"]["settings"]
    path = settings["python.defaultInterpreterPath"].removeprefix("${containerWorkspaceFolder}/")
    assert f'UV_PROJECT_ENVIRONMENT="$PWD/{path.partition("/")[0]}"' in (ROOT / "tools/setup.sh").read_text()
    assert path == ".venv/bin/python"


def test_editors_get_python_and_jupyter_and_open_the_first_notebook(devcontainer):
    customizations = devcontainer["customizations"]
    assert set(customizations["vscode"]["extensions"]) == {"ms-python.python", "ms-toolsai.jupyter"}
    (opened,) = customizations["codespaces"]["openFiles"]
    assert (ROOT / opened).is_file()


def test_the_port_of_jupyterlab_is_forwarded_under_its_name(devcontainer):
    (port,) = devcontainer["forwardPorts"]
    assert port == DEFAULT_JUPYTER_SERVER_PORT
    assert "make lab" in devcontainer["portsAttributes"][str(port)]["label"]
