"""What `make` promises about the environment: the lock, requirements.txt, set-up, CI."""

import hashlib
import os
import pathlib
import re
import shutil
import socket
import stat
import subprocess
import sys
import tomllib
import warnings
import zipfile

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import fetch_uv

ROOT = pathlib.Path(__file__).parent.parent
LOCK = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


# --- The lock -----------------------------------------------------------------------------------


def locked_versions(name):
    return [package["version"] for package in LOCK["package"] if package["name"] == name]


def test_lock_is_for_python_3_11_to_3_13():
    assert SpecifierSet(LOCK["requires-python"]) == SpecifierSet(">=3.11,<3.14")


@pytest.mark.parametrize(
    "name", ["jax", "jaxlib", "google-vizier", "scikit-learn", "tensorflow-probability", "pandas"]
)
def test_lock_has_no_package_whose_code_never_runs(name):
    assert locked_versions(name) == []


@pytest.mark.parametrize(
    ("name", "versions"),
    [
        ("tensorflow", "==2.20.*"),
        ("tf-keras", "==2.20.*"),
        ("tensorflow-federated", "==0.87.0"),
        # What Colab has (2.1) and what TensorFlow 2.20 accepts.
        ("numpy", ">=1.26,<2.2"),
        # TFF's generated code loads with 5, as Colab has it; 6 refuses gencode this old.
        ("protobuf", ">=5.28,<6"),
    ],
)
def test_locked_version_is_within_what_colab_and_tff_accept(name, versions):
    (version,) = locked_versions(name)
    assert version in SpecifierSet(versions)


def test_locked_uv_is_one_that_setup_accepts():
    (version,) = locked_versions("uv")
    assert version in SpecifierSet(PYPROJECT["tool"]["uv"]["required-version"])


# --- requirements.txt ---------------------------------------------------------------------------


def export_requirements():
    # The locked uv, offline: the same export whatever uv the machine has.
    environment = os.environ | {"UV": str(pathlib.Path(sys.prefix, "bin", "uv")), "UV_OFFLINE": "1"}
    result = subprocess.run(
        ["tools/export_requirements.sh"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_requirements_txt_is_what_the_lock_says():
    exported = export_requirements()
    assert (ROOT / "requirements.txt").read_text(encoding="utf-8") == exported, "run: make requirements"


def test_requirements_txt_names_every_runtime_dependency_and_no_tool():
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    listed = {Requirement(line).name for line in text.splitlines() if line and not line.startswith("#")}
    wanted = {Requirement(line).name for line in PYPROJECT["project"]["dependencies"]}
    assert wanted <= listed
    assert not listed & {"pytest", "ruff", "uv", "fedlab-notebooks"}


# --- tools/setup.sh -----------------------------------------------------------------------------

# The only programs of the machine that the sandbox sees: no uv, no python, no network.
PROGRAMS = [
    "bash",
    "cat",
    "chmod",
    "cksum",
    "dirname",
    "env",
    "head",
    "ln",
    "mkdir",
    "mv",
    "rm",
    "sed",
    "sort",
    "uname",
]

FAKE_UV = """#!/usr/bin/env bash
[[ $1 != --version ]] || { echo "uv $UV_VERSION (stub)"; exit; }
[[ "$1 $2" != "python find" ]] || { [[ -n $UV_FINDS ]] && echo "$UV_FINDS"; exit; }
echo "$0 $*" >> "$LOG"
[[ $1 != python ]] || exit 1
[[ $1 != pip ]] || exit 0
[[ -z $FAIL_SYNC ]] || { echo 'no space left'; exit 2; }
mkdir -p .venv/bin && ln -sf "${@: -1}" .venv/bin/python
"""
# Answers as setup.sh asks: its version; the program that is installed; whether pip is there.
FAKE_PYTHON = """#!/usr/bin/env bash
case "$*" in
  *version_info*) echo {version} ;;
  *_base_executable*) echo {path} ;;
  "-m pip --version") exit {pip_is_missing} ;;
  "-m pip install"*) echo "pip $*" >> "$LOG"; mkdir -p .tools/uv.part/bin && cp {uv} .tools/uv.part/bin/uv ;;
  *) echo "python $*" >> "$LOG"; exit 1 ;;
esac
"""
# The same, and it makes the wheel that tools/portable_tff.py would.
FAKE_PORTABLE_PYTHON = """#!/usr/bin/env bash
case "$*" in
  *version_info*) echo 3.11.7 ;;
  *_base_executable*) echo {path} ;;
  *) echo "python $*" >> "$LOG"; mkdir -p portable; > portable/tensorflow_federated-0.87.0-py3-none-any.whl ;;
esac
"""


class Sandbox:
    """A copy of the project's set-up on a machine that has next to nothing."""

    def __init__(self, folder):
        self.project, self.bin, self.log = folder / "project", folder / "bin", folder / "log"
        (self.project / "tools").mkdir(parents=True)
        self.bin.mkdir()
        for file in ("pyproject.toml", "uv.lock", "tools/setup.sh", "tools/fetch_uv.py"):
            shutil.copy(ROOT / file, self.project / file)
        for program in [*PROGRAMS, "cp"]:
            (self.bin / program).symlink_to(shutil.which(program))
        self.environment = {"PATH": str(self.bin), "LOG": str(self.log), "UV_VERSION": "99.0"}

    def add(self, name, script):
        path = self.bin / name
        path.write_text(script)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def add_python(self, name, version, *, pip=True):
        uv = self.bin.parent / "uv-from-pip"
        uv.write_text(FAKE_UV)
        uv.chmod(0o755)
        path = self.bin / name
        return self.add(
            name, FAKE_PYTHON.format(version=version, path=path, pip_is_missing=int(not pip), uv=uv)
        )

    def add_uv(self):
        return self.add("uv", FAKE_UV)

    def setup(self, *arguments, **environment):
        return subprocess.run(
            ["tools/setup.sh", *arguments],
            cwd=self.project,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def calls(self):
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def sandbox(tmp_path):
    return Sandbox(tmp_path)


@pytest.mark.parametrize("version", ["3.10.13", "3.14.0", "2.7.18"])
def test_python_that_does_not_suit_is_named_with_the_way_out(sandbox, version):
    sandbox.add_uv()
    sandbox.add_python("python3", version)
    result = sandbox.setup(MAKE_TARGET="demo")
    assert result.returncode == 1
    assert f"fedlab runs on Python 3.11 to 3.13; python3 is Python {version}." in result.stderr
    assert "make demo PYTHON=python3.13" in result.stderr
    assert result.stderr.count("error") == 1
    assert sandbox.calls() == []


def test_machine_without_python_is_told_so(sandbox):
    sandbox.add_uv()
    result = sandbox.setup()
    assert result.returncode == 1
    assert "there is no python3 on the PATH" in result.stderr


def test_suitable_python_beside_an_old_python3_is_found(sandbox):
    sandbox.add_uv()
    sandbox.add_python("python3", "3.9.2")
    sandbox.add("python3.13", "#!/usr/bin/env bash\nexit 127\n")  # a shim for a Python that is not there
    chosen = sandbox.add_python("python3.12", "3.12.1")
    assert sandbox.setup().returncode == 0
    assert sandbox.calls() == [f"{sandbox.bin}/uv sync --frozen --compile-bytecode --python {chosen}"]


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ("python3.14", "PYTHON=python3.14 is Python 3.14.0; fedlab runs on Python 3.11 to 3.13."),
        ("3.10", "PYTHON=3.10: fedlab runs on Python 3.11 to 3.13."),
        ("python3.99", "PYTHON=python3.99: there is no Python that runs under this name."),
    ],
)
def test_wish_that_does_not_suit_is_refused(sandbox, wish, message):
    sandbox.add_uv()
    sandbox.add_python("python3", "3.11.7")
    sandbox.add_python("python3.14", "3.14.0")
    result = sandbox.setup(PYTHON=wish)
    assert result.returncode == 1
    assert message in result.stderr
    assert sandbox.calls() == []


def test_bare_version_is_looked_up_by_uv(sandbox):
    sandbox.add_uv()
    sandbox.add_python("python3", "3.8.18")
    elsewhere = sandbox.add_python("not-on-the-path", "3.13.0")
    assert sandbox.setup(PYTHON="3.13", UV_FINDS=str(elsewhere)).returncode == 0
    assert sandbox.calls()[0].endswith(f"sync --frozen --compile-bytecode --python {elsewhere}")
    # It is there now: uv is not asked again.
    assert sandbox.setup(PYTHON="3.13").stderr == ""


def test_version_that_uv_cannot_download_leaves_the_environment_as_it_is(sandbox):
    sandbox.add_uv()
    sandbox.add_python("python3", "3.11.7")
    sandbox.setup()
    result = sandbox.setup(PYTHON="3.12")
    assert result.returncode == 1
    assert "downloading Python 3.12 with uv" in result.stderr
    assert "PYTHON=3.12: not on this machine, and uv could not download it" in result.stderr
    assert sandbox.calls()[-1].endswith("uv python install 3.12")
    assert sandbox.setup().stderr == ""


def test_second_set_up_does_nothing_and_says_nothing(sandbox):
    sandbox.add_uv()
    sandbox.add_python("python3", "3.11.7")
    assert "installing" in sandbox.setup().stderr
    again = sandbox.setup()
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert len(sandbox.calls()) == 1


def test_changed_lock_is_installed(sandbox):
    sandbox.add_uv()
    sandbox.add_python("python3", "3.11.7")
    sandbox.setup()
    with open(sandbox.project / "uv.lock", "a") as lock:
        lock.write("\n# one more package\n")
    assert sandbox.setup().returncode == 0
    assert len(sandbox.calls()) == 2


def test_another_python_rebuilds_the_environment_and_the_same_one_keeps_it(sandbox):
    sandbox.add_uv()
    sandbox.add_python("python3", "3.11.7")
    sandbox.add_python("python3.13", "3.13.0")
    sandbox.setup()
    marker = sandbox.project / ".venv" / "marker"
    marker.touch()
    assert sandbox.setup(PYTHON="python3").stderr == ""
    assert marker.exists()
    assert "removing .venv" in sandbox.setup(PYTHON="python3.13").stderr
    assert not marker.exists()
    # Without a wish, the environment that is there stays, whatever python3 is.
    assert sandbox.setup().stderr == ""


def test_moved_project_gets_a_new_environment(sandbox):
    sandbox.add_uv()
    sandbox.add_python("python3", "3.11.7")
    sandbox.setup()
    sandbox.project = sandbox.project.rename(sandbox.project.with_name("renamed"))
    result = sandbox.setup()
    assert result.returncode == 0
    assert "removing .venv" in result.stderr


def test_installation_that_fails_is_not_taken_for_done(sandbox):
    sandbox.add_uv()
    sandbox.add_python("python3", "3.11.7")
    result = sandbox.setup(FAIL_SYNC="1")
    assert result.returncode == 1
    assert "run the same command again" in result.stderr
    assert sandbox.setup().returncode == 0
    assert len(sandbox.calls()) == 2


@pytest.mark.parametrize("too_old", [True, False], ids=["uv too old", "no uv"])
def test_missing_uv_is_fetched_into_the_project_with_pip(sandbox, too_old):
    if too_old:
        sandbox.add("uv", "#!/usr/bin/env bash\necho uv 0.4.30\n")
    sandbox.add_python("python3", "3.11.7")
    assert sandbox.setup().returncode == 0
    fetched, synced = sandbox.calls()
    (locked,) = locked_versions("uv")
    assert fetched == f"pip -m pip install --no-deps --target .tools/uv.part uv=={locked}"
    assert synced.startswith(f"{sandbox.project}/.tools/uv/bin/uv sync --frozen")
    # It is there now: the next time nothing is fetched.
    assert sandbox.setup("--uv").stdout.strip() == f"{sandbox.project}/.tools/uv/bin/uv"
    assert len(sandbox.calls()) == 2


def test_machine_without_uv_pip_and_network_is_told_the_way_out(sandbox):
    sandbox.add_python("python3", "3.11.7", pip=False)
    result = sandbox.setup()
    assert result.returncode == 1
    assert sandbox.calls() == ["python tools/fetch_uv.py uv.lock .tools/uv.part"]
    assert "could not be fetched" in result.stderr
    assert "https://docs.astral.sh/uv/" in result.stderr
    assert not (sandbox.project / ".tools" / "uv").exists()


def on_platform(sandbox, platform):
    (sandbox.bin / "uname").unlink()
    sandbox.add("uname", f"#!/usr/bin/env bash\n[[ $* == -sm ]] && echo {platform}\n")


@pytest.mark.parametrize("platform", ["Darwin arm64", "Linux aarch64"])
def test_where_tffs_worker_cannot_run_tff_is_installed_without_it(sandbox, platform):
    sandbox.add_uv()
    on_platform(sandbox, platform)
    python = sandbox.add("python3", FAKE_PORTABLE_PYTHON.format(path=sandbox.bin / "python3"))
    assert sandbox.setup().returncode == 0
    synced, repacked, installed = sandbox.calls()
    assert synced.endswith(f"--no-install-package tensorflow-federated --python {python}")
    assert repacked == "python tools/portable_tff.py"
    wheel = "portable/tensorflow_federated-0.87.0-py3-none-any.whl"
    assert installed.endswith(f"pip install --no-deps --compile-bytecode {wheel} --python .venv/bin/python")
    assert sandbox.setup().stderr == ""


@pytest.mark.parametrize(("glibc", "portable"), [("2.28", True), ("2.31", False), ("2.36", False)])
def test_a_linux_that_is_too_old_for_tffs_wheel_gets_the_portable_one(sandbox, glibc, portable):
    sandbox.add_uv()
    sandbox.add("getconf", f"#!/usr/bin/env bash\n[[ $1 == GNU_LIBC_VERSION ]] && echo glibc {glibc}\n")
    sandbox.add("python3", FAKE_PORTABLE_PYTHON.format(path=sandbox.bin / "python3"))
    assert sandbox.setup().returncode == 0
    assert ("python tools/portable_tff.py" in sandbox.calls()) == portable


def test_a_portable_tff_that_cannot_be_made_is_not_taken_for_done(sandbox):
    sandbox.add_uv()
    on_platform(sandbox, "Darwin arm64")
    sandbox.add_python("python3", "3.11.7")  # It fails when it is asked to run a script.
    for _ in range(2):
        result = sandbox.setup()
        assert result.returncode == 1
        assert "run the same command again" in result.stderr


@pytest.mark.parametrize(
    ("platform", "message"),
    [
        ("Darwin x86_64", "this is a Mac with an Intel processor, and TensorFlow 2.20 is not published"),
        ("MINGW64_NT-10.0 x86_64", "make does not set up fedlab on this machine, MINGW64_NT-10.0 x86_64."),
    ],
)
def test_where_make_does_not_set_up_the_way_out_is_named(sandbox, platform, message):
    sandbox.add_uv()
    sandbox.add_python("python3", "3.11.7")
    on_platform(sandbox, platform)
    result = sandbox.setup()
    assert result.returncode == 1
    assert message in result.stderr
    assert "docs/install.md" in result.stderr
    assert sandbox.calls() == []


# --- tools/fetch_uv.py --------------------------------------------------------------------------


@pytest.fixture
def wheel(tmp_path):
    """A wheel as uv's: a program under *.data/scripts/."""
    path = tmp_path / "uv-1.0-py3-none-manylinux_2_17_x86_64.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("uv-1.0.data/scripts/uvx", "another program")
        archive.writestr("uv-1.0.data/scripts/uv", "#!/bin/sh\necho uv 1.0\n")
    return path


def lock_with(wheel, sha256):
    return f"""
[[package]]
name = "another"
wheels = [{{ url = "file:///another-manylinux_x86_64.whl", hash = "sha256:{"0" * 64}" }}]

[[package]]
name = "uv"
version = "1.0"
wheels = [
    {{ url = "file:///uv-1.0-py3-none-macosx_11_0_arm64.whl", hash = "sha256:{"1" * 64}" }},
    {{ url = "{wheel.as_uri()}", hash = "sha256:{sha256}" }},
]
"""


@pytest.mark.parametrize(
    ("system", "machine", "tag"),
    [
        ("Linux", "x86_64", "manylinux[^/]*x86_64"),
        ("Linux", "aarch64", "manylinux[^/]*aarch64"),
        ("Darwin", "arm64", "macosx[^/]*arm64"),
    ],
)
def test_the_lock_names_uv_for_this_kind_of_machine(system, machine, tag):
    url, sha256 = fetch_uv.find_wheel((ROOT / "uv.lock").read_text(encoding="utf-8"), system, machine)
    assert re.search(rf"/uv-{locked_versions('uv')[0]}-py3-none-{tag}", url)
    assert len(sha256) == 64


def test_machine_without_a_uv_is_named():
    with pytest.raises(LookupError, match="no uv wheel for Linux on s390y"):
        fetch_uv.find_wheel((ROOT / "uv.lock").read_text(encoding="utf-8"), "Linux", "s390y")


def test_fetched_uv_runs(monkeypatch, tmp_path, wheel):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    lock = tmp_path / "uv.lock"
    lock.write_text(lock_with(wheel, hashlib.sha256(wheel.read_bytes()).hexdigest()))
    fetch_uv.main(lock, tmp_path / "tools")
    assert subprocess.check_output([tmp_path / "tools" / "bin" / "uv"], text=True) == "uv 1.0\n"


def test_uv_that_is_not_the_locked_one_is_refused(monkeypatch, tmp_path, wheel):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    lock = tmp_path / "uv.lock"
    lock.write_text(lock_with(wheel, "2" * 64))
    with pytest.raises(ValueError, match="not installed"):
        fetch_uv.main(lock, tmp_path / "tools")
    assert not (tmp_path / "tools").exists()


# --- Makefile and CI ----------------------------------------------------------------------------


def shell_lines(script):
    return [line.strip() for line in script.splitlines() if line.strip() and not line.startswith("#")]


def code_blocks(markdown):
    return re.findall(r"^```[a-z]*\n(.*?)^```", markdown, re.DOTALL | re.MULTILINE)


def test_ci_runs_the_test_command_that_the_readme_gives():
    ci = shell_lines((ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [
        line.partition("#")[0].strip() for block in code_blocks(readme) for line in block.splitlines()
    ]
    assert "make test" in commands, "README.md gives no test command in a code block"
    assert "make test" in ci
    assert ci[0] == "set -euo pipefail"


@pytest.mark.parametrize("script", [".ci/run", "tools/setup.sh", "tools/export_requirements.sh"])
def test_script_can_be_executed(script):
    assert os.access(ROOT / script, os.X_OK)


def test_make_help_lists_every_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE).group(1).split())
    printed = subprocess.check_output(["make", "-C", ROOT, "--no-print-directory"], text=True)
    assert set(re.findall(r"^  make ([\w-]+) ", printed, re.MULTILINE)) == targets
    assert {"demo", "lab", "test", "check", "bench", "requirements", "help", "clean"} <= targets


# --- pytest -------------------------------------------------------------------------------------


@pytest.mark.parametrize("category", [UserWarning, DeprecationWarning, ResourceWarning])
def test_warning_from_our_own_code_is_an_error(category):
    with pytest.raises(category, match="mend me"):
        warnings.warn("mend me", category, stacklevel=1)


def test_the_network_is_out_of_reach():
    with pytest.raises(ConnectionRefusedError, match=r"reached for the network: 192\.0\.2\.1:80"):
        socket.create_connection(("192.0.2.1", 80), timeout=5)
