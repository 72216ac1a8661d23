"""The setup cell among Colab's packages: what it installs, what it leaves alone, and what it says.

It runs in real kernels, against the repository served on this machine; pip finds what it wants in the wheels
that tools/colab_environment.sh downloaded.
"""

import contextlib
import importlib.metadata
import io
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile

import pytest

import colab_runtime

pytestmark = pytest.mark.environment
ROOT = pathlib.Path(__file__).parent.parent
COLAB = ROOT / ".venv-colab"
HELLO = """
import fedlab
import tensorflow_federated as tff
print(tff.federated_computation(lambda: "Hello")())
"""
NO_SERVER = "http://127.0.0.1:9"

sys.path.append(str(ROOT / "colab"))
import set_up  # noqa: E402  what the setup cell fetches and runs


@pytest.fixture(scope="module")
def runtime():
    """A Colab runtime: its Python. Each test leaves it as it was."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("Colab is Linux on x86-64")
    assert (COLAB / "wheels").exists(), f"{COLAB.name} is missing: run `make test`."
    with colab_runtime.fresh_runtime(COLAB) as python:
        yield python


@pytest.fixture(scope="module")
def repository():
    with colab_runtime.served_repository() as address:
        yield address


def environ_of(repository, wheels=COLAB / "wheels"):
    """Of a runtime whose pip knows a folder of wheels and nothing else."""
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CONFIG_FILE": os.devnull}
    return colab_runtime.colab_environ(repository) | offline


def run_setup_cell(python, environ):
    (outputs,) = colab_runtime.run_cells(python, [colab_runtime.setup_cell()], environ)
    return outputs


def text_of(outputs):
    return "".join(output.get("text", "") for output in outputs)


def error_of(outputs):
    (error,) = [output for output in outputs if output.output_type == "error"]
    return "\n".join(error.traceback)


@pytest.fixture(scope="module")
def set_up_once(runtime, repository):
    """What comes out of a kernel that runs the setup cell, then TFF, and the cell once more."""
    before = colab_runtime.installed_packages(runtime)
    cells = [colab_runtime.setup_cell(), HELLO, colab_runtime.setup_cell()]
    outputs = colab_runtime.run_cells(runtime, cells, environ_of(repository))
    after = colab_runtime.installed_packages(runtime)
    # For the other tests, which share the runtime.
    subprocess.run(
        [runtime, "-m", "pip", "uninstall", "-q", "-y", *(after.keys() - before.keys())], check=True
    )
    return before, outputs, after


@pytest.fixture(scope="module")
def after_tensorflow(runtime, repository):
    """What comes out of a kernel that imports TensorFlow, then runs the setup cell, then imports fedlab."""
    import_fedlab = f"import sys\nsys.path.append({str(ROOT)!r})\nimport fedlab"
    cells = ["import tensorflow", colab_runtime.setup_cell(), import_fedlab]
    return colab_runtime.run_cells(runtime, cells, environ_of(repository))


def test_the_setup_cell_installs_what_colab_lacks_and_changes_nothing_else(set_up_once):
    before, _, after = set_up_once
    assert before.items() <= after.items()
    assert {"tensorflow": "2.20.0", "numpy": "2.1.3", "protobuf": "5.29.6"}.items() <= before.items()
    assert {"ipywidgets": "7.7.1", "ipython": "7.34.0", "keras": "3.13.2"}.items() <= before.items()
    added = after.keys() - before.keys()
    assert added == {
        "dp-accounting",
        "fedlab-notebooks",
        "tensorflow-model-optimization",
        "tensorflow_federated",
        "tensorflow_privacy",
    }


def test_it_ends_in_one_line_that_says_what_it_did(set_up_once):
    before, (first, _, again), after = set_up_once
    version, num_added = after["fedlab-notebooks"], len(after.keys() - before.keys()) - 1
    assert re.fullmatch(
        rf"fedlab {re.escape(version)} is ready: it and {num_added} packages were installed in \d+ s; "
        r"Colab's own, such as TensorFlow 2\.20\.0, are as they were\.",
        text_of(first).splitlines()[-1],
    )
    assert text_of(again) == (
        f"fedlab {version} is ready: it was set up before, nothing had to be installed.\n"
    )


def test_tff_runs_in_the_same_kernel_without_a_restart(set_up_once):
    _, (_, hello, _), _ = set_up_once
    assert text_of(hello).strip() == "b'Hello'"


def test_tensorflow_imported_before_fedlab_gets_the_clear_message(after_tensorflow):
    message = error_of(after_tensorflow[2])
    assert "TensorFlow was imported before fedlab and runs with Keras 3" in message
    assert "in Colab Runtime > Restart session" in message


def test_setup_after_tensorflow_says_so_in_one_line_and_installs_nothing(after_tensorflow, runtime):
    assert re.fullmatch(
        r"fedlab was not set up\. TensorFlow was imported before fedlab .*\. "
        r"Restart .*, then run this cell before all others\.",
        error_of(after_tensorflow[1]),
    )
    assert "fedlab-notebooks" not in colab_runtime.installed_packages(runtime)


def test_a_package_that_pip_does_not_find_is_named_and_nothing_is_installed(runtime, repository, tmp_path):
    for wheel in (COLAB / "wheels").glob("*.whl"):
        if not wheel.name.startswith("dp_accounting"):
            (tmp_path / wheel.name).symlink_to(wheel)
    before = colab_runtime.installed_packages(runtime)
    (outputs,) = colab_runtime.run_cells(
        runtime, [colab_runtime.setup_cell()], environ_of(repository, tmp_path)
    )
    assert re.fullmatch(
        r"fedlab was not set up\. pip says: No matching distribution found for dp-accounting==[\d.]+\. "
        r"Run this cell again in a while\.",
        error_of(outputs),
    )
    assert colab_runtime.installed_packages(runtime) == before


def test_an_installation_that_fails_half_way_is_taken_back(runtime, repository):
    before = colab_runtime.installed_packages(runtime)
    site_packages = next(runtime.parent.parent.glob("lib/python*/site-packages"))
    in_the_way = site_packages / "dp_accounting" / "__init__.py" / "a folder where pip wants to write a file"
    in_the_way.mkdir(parents=True)
    outputs = run_setup_cell(runtime, environ_of(repository))
    shutil.rmtree(site_packages / "dp_accounting")
    assert "fedlab was not set up. pip says: " in error_of(outputs)
    assert colab_runtime.installed_packages(runtime) == before
    assert not (site_packages / "tensorflow_federated").exists()


def test_a_repository_out_of_reach_is_named_without_a_page_of_traceback(runtime):
    outputs = run_setup_cell(runtime, environ_of(NO_SERVER))
    message = error_of(outputs)
    assert f"{NO_SERVER}: <urlopen error [Errno 111] Connection refused>. If a browser" in message
    assert message.count("----> ") + message.count("---> ") == 1  # one frame: the cell itself


# --- Outside Colab ------------------------------------------------------------------------------


def run_cell_in_process(environ):
    return subprocess.run(
        [sys.executable, "-c", colab_runtime.setup_cell()], env=environ, capture_output=True, text=True
    )


def without_colab(environ):
    return {name: value for name, value in environ.items() if name != "COLAB_RELEASE_TAG"}


def test_outside_colab_nothing_happens_where_fedlab_is_installed():
    # A server that does not exist: reaching for it would fail.
    ended = run_cell_in_process(without_colab(os.environ) | {"FEDLAB_SOURCE": NO_SERVER})
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_outside_colab_a_missing_fedlab_is_said(runtime):
    environ = without_colab(colab_runtime.colab_environ(NO_SERVER))
    outputs = run_setup_cell(runtime, environ)
    assert "fedlab is not installed here: see 'Two commands' in its README." in error_of(outputs)


# --- What is accepted ---------------------------------------------------------------------------


def project_that_wants(*requirements, python=">=3.11"):
    return {
        "project": {"requires-python": python, "dependencies": list(requirements)},
        "tool": {"uv": {"dependency-metadata": [{"requires-dist": ["absl-py>=1"]}]}},
    }


def test_colabs_versions_are_those_that_fedlab_accepts():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    colab = tomllib.loads((ROOT / "colab" / "pyproject.toml").read_text(encoding="utf-8"))
    has = dict(line.split("==") for line in colab["project"]["dependencies"] if "==" in line)
    checked = [one.name for one in set_up.requirements_of(project) if one.name in has]
    assert {"tensorflow", "tf-keras", "numpy", "protobuf", "ipywidgets", "grpcio"} <= set(checked)
    for requirement in set_up.requirements_of(project):
        assert requirement.name not in has or has[requirement.name] in requirement.specifier


def test_another_version_than_fedlab_accepts_is_named_with_the_way_out():
    here = importlib.metadata.version("numpy")
    project = project_that_wants("numpy<1", "packaging", "jupyterlab<1")
    message = (
        rf"numpy <1 \(here: {here}\)\. Choose another version of Colab .* or open the notebook in Binder"
    )
    with pytest.raises(set_up.SetUpError, match=message):
        set_up.check_versions(project, [])


def test_a_package_that_colab_no_longer_has_is_named():
    with pytest.raises(set_up.SetUpError, match=r"no-such-package >=2 \(here: none\)"):
        set_up.check_versions(project_that_wants("no-such-package>=2"), [])
    set_up.check_versions(
        project_that_wants("no-such-package>=2"), set_up.read_pinned("no-such-package==2.1")
    )


def test_a_python_that_does_not_suit_is_named():
    with pytest.raises(set_up.SetUpError, match=r"runs on Python >=3\.99, and this is Python 3\.\d+"):
        set_up.check_versions(project_that_wants(python=">=3.99"), [])


def test_what_is_there_in_whatever_version_is_not_missing():
    pinned = set_up.read_pinned(
        "# a comment\nnumpy==0.1\nno-such-package==1.2\nnor-this==1 ; python_version < '3'\n"
    )
    assert set_up.find_missing(pinned) == ["no-such-package==1.2"]


def test_a_cut_archive_is_said(tmp_path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("fedlab-main/pyproject.toml", "")
    (tmp_path / "whole.zip").write_bytes(content.getvalue())
    (tmp_path / "cut.zip").write_bytes(content.getvalue()[:50])
    set_up.fetch((tmp_path / "whole.zip").as_uri(), tmp_path / "1.zip")
    with pytest.raises(set_up.SetUpError, match=r"cut\.zip could not be fetched: File is not a zip file"):
        set_up.fetch((tmp_path / "cut.zip").as_uri(), tmp_path / "2.zip")


def test_colabs_requirements_are_what_the_lock_says():
    uv = pathlib.Path(sys.prefix, "bin", "uv")
    exported = subprocess.check_output(
        ["tools/export_requirements.sh", "--colab"],
        cwd=ROOT,
        env=os.environ | {"UV": str(uv), "UV_OFFLINE": "1"},
        text=True,
    )
    assert (ROOT / "colab" / "requirements.txt").read_text(encoding="utf-8") == exported, (
        "run: make requirements"
    )


def test_the_error_in_a_notebook_is_its_message_alone():
    assert set_up.SetUpError("Why.")._render_traceback_() == ["fedlab was not set up. Why."]


def test_an_interrupt_takes_back_what_was_installed(monkeypatch):
    calls = []

    def interrupted(*arguments):
        calls.append(arguments)
        if arguments[0] == "install":
            raise KeyboardInterrupt

    monkeypatch.setattr(set_up, "pip", interrupted)
    with contextlib.suppress(KeyboardInterrupt):
        set_up.install(["a==1"], names=["a"])
    assert [call[0] for call in calls] == ["install", "uninstall"]
