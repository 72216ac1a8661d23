"""Binder's files: they install what the README says, and leave out the worker that needs too much memory."""

import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).parent.parent
BINDER = ROOT / "binder"


def run_post_build(tmp_path, python_status=0):
    """Runs postBuild with a pip that only writes down its arguments, and a python that knows one package."""
    package = tmp_path / "site-packages" / "tensorflow_federated"
    (package / "data").mkdir(parents=True)
    (package / "data" / "worker_binary").write_text("300 MB")
    programs = {
        "pip": f'echo "$@" > {tmp_path}/pip-arguments',
        "python": f'case "$2" in *find_spec*) echo {package};; *) exit {python_status};; esac',
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


def test_binders_python_is_one_that_fedlab_runs_on():
    version = re.fullmatch(r"python-3\.(\d+)", (BINDER / "runtime.txt").read_text().strip())
    assert 11 <= int(version.group(1)) <= 13


def test_binders_own_pip_has_nothing_to_resolve():
    lines = (BINDER / "requirements.txt").read_text().splitlines()
    assert all(line.startswith("#") for line in lines)
