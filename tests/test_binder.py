"""Binder's files: they install what the README says, and leave out the worker that needs too much memory."""

import json
import os
import pathlib
import re
import subprocess
import sys

import nbformat
import pytest

import binder_build

ROOT = pathlib.Path(__file__).parent.parent
BINDER = ROOT / "binder"


def run_post_build(tmp_path, python_status=0):
    """Runs postBuild with a pip that only writes down its arguments, and a python that knows one package."""
    package = tmp_path / "site-packages" / "tensorflow_federated"
    (package / "data").mkdir(parents=True)
    (package / "data" / "worker_binary").write_text("300 MB")
    answers = f"*find_spec*) echo {package};; *prefix*) echo {tmp_path};; *) exit {python_status};;"
    programs = {
        "pip": f'echo "$@" > {tmp_path}/pip-arguments',
        "python": f'case "$2" in {answers} esac',
    }
    for name, text in programs.items():
        (tmp_path / name).write_text(f"#!/usr/bin/env bash\n{text}\n")
        (tmp_path / name).chmod(0o755)
    ended = subprocess.run(
        [BINDER / "postBuild"],
        cwd=ROOT,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    return ended, package


def test_post_build_installs_with_the_readmes_command_and_removes_the_worker(tmp_path):
    ended, package = run_post_build(tmp_path)
    assert ended.returncode == 0, ended.stderr
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command = re.search(r"^pip (install --no-deps .*)$", readme, re.MULTILINE).group(1)
    arguments = (tmp_path / "pip-arguments").read_text().split()
    assert [word for word in arguments if word != "--no-cache-dir"] == command.split()
    assert list((package / "data").iterdir()) == []


def test_an_environment_in_which_tff_does_not_run_fails_the_build(tmp_path):
    ended, _ = run_post_build(tmp_path, python_status=1)
    assert ended.returncode != 0


def test_post_build_has_a_bare_launch_open_the_first_notebook(tmp_path):
    ended, _ = run_post_build(tmp_path)
    assert ended.returncode == 0, ended.stderr
    installed = tmp_path / "etc" / "jupyter" / "jupyter_lab_config.json"
    opened = json.loads(installed.read_text())["LabApp"]["default_url"]
    assert opened.startswith("/lab/tree/notebooks/00_")
    assert (ROOT / opened.removeprefix("/lab/tree/")).is_file()


# --- What repo2docker makes of it ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def dockerfile():
    return binder_build.print_dockerfile()


def test_repo2docker_takes_the_python_that_is_pinned(dockerfile):
    version = binder_build.python_version(dockerfile)
    assert (BINDER / "runtime.txt").read_text().strip() == f"python-{version}"
    assert version in ("3.11", "3.12", "3.13")


def test_repo2docker_runs_post_build_and_nothing_else_of_ours(dockerfile, tmp_path):
    of_an_empty_repository = commands(binder_build.print_dockerfile(tmp_path))
    ours = [command for command in commands(dockerfile) if command not in of_an_empty_repository]
    assert ours == [
        '${KERNEL_PYTHON_PREFIX}/bin/pip install --no-cache-dir -r "binder/requirements.txt"',
        "chmod +x binder/postBuild",
        "./binder/postBuild",
    ]
    assert binder_build.own_steps(dockerfile) == ours


def commands(dockerfile):
    return re.findall(r"^RUN ((?:.*\\\n)*.*)", dockerfile, re.MULTILINE)


def test_what_binder_needs_is_not_ignored_by_git():
    ignored = subprocess.run(
        ["git", "check-ignore", *BINDER.iterdir()], cwd=ROOT, capture_output=True, text=True
    )
    assert ignored.stdout == ""


def test_binders_own_pip_has_nothing_to_resolve():
    lines = (BINDER / "requirements.txt").read_text().splitlines()
    assert all(line.startswith("#") for line in lines)


def test_the_base_environment_is_read_from_repo2docker():
    found = dict(requirement.split("==") for requirement in binder_build.base_requirements("3.11"))
    assert found.keys() >= {"jupyterlab", "notebook", "jupyterhub"}
    assert found["jupyterlab"].startswith("4.")


# --- A visit ------------------------------------------------------------------------------------------


@pytest.fixture
def as_post_build_left_it(monkeypatch):
    """JupyterLab finds Binder's configuration, which postBuild would have put into the environment."""
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(BINDER))


# Takes 300 MB. The course's own notebooks run once in a test run, in tests/test_notebooks.py, which holds
# their memory to the limit too; `make test-binder` visits them all.
SMALL_NOTEBOOK = "taken = b'1' * 300_000_000\nprint(len(taken))"


@pytest.fixture
def notebook(tmp_path):
    path = tmp_path / "small.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SMALL_NOTEBOOK)]), path)
    return path


@pytest.mark.slow
def test_a_visitor_sees_notebook_00_and_a_notebook_runs_on_one_core_and_is_measured(
    as_post_build_left_it, notebook
):
    visit = binder_build.visit(sys.prefix, ROOT, [notebook])
    assert visit.returncode == 0, visit.output
    assert "JupyterLab opens lab/tree/notebooks/00_welcome.ipynb" in visit.output
    assert "small: " in visit.output
    assert 300 < visit.peak_mb < binder_build.MEMORY_MB


@pytest.mark.slow
def test_a_visit_that_wants_more_memory_than_there_is_ends(as_post_build_left_it, notebook):
    visit = binder_build.visit(sys.prefix, ROOT, [notebook], memory_mb=250)
    assert visit.wanted_more_memory
    assert visit.returncode != 0
