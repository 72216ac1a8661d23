"""macOS, Windows and Arm: what the lock offers them, and the course without TFF's worker.

None of these platforms is at hand here. What can be had is: the wheel that tools/portable_tff.py makes,
in an environment of its own on this machine, where fedlab believes to be elsewhere.
"""

import hashlib
import importlib.metadata
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile

import pytest
from committed_outputs import RUN_BY, assert_gives_committed_outputs
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename
from wheel.wheelfile import WheelFile

import portable_tff
from fedlab import doctor

TESTS = pathlib.Path(__file__).parent
ROOT = TESTS.parent
LOCK = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
REQUIREMENTS = [
    Requirement(line)
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]

# --- What the lock has for a platform ---------------------------------------------------------------

PLATFORMS = {
    "macOS on Apple silicon": (
        r"macosx_1[0-2]_\d+_(arm64|universal2)",
        dict(sys_platform="darwin", os_name="posix", platform_machine="arm64", platform_system="Darwin"),
    ),
    "Windows on x86-64": (
        r"win_amd64",
        dict(sys_platform="win32", os_name="nt", platform_machine="AMD64", platform_system="Windows"),
    ),
    "Linux on Arm": (
        r"manylinux(2014|_2_(\d|1\d|2[0-8]))_aarch64",
        dict(sys_platform="linux", os_name="posix", platform_machine="aarch64", platform_system="Linux"),
    ),
}


def without_a_wheel(platform, minor):
    """The requirements that have no wheel for a platform and Python 3.`minor`."""
    tag, markers = PLATFORMS[platform]
    environment = default_environment() | markers
    environment |= {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.9"}
    wanted = [r for r in REQUIREMENTS if r.marker is None or r.marker.evaluate(environment)]
    return {r.name for r in wanted if not any(suits(w, tag, minor) for w in wheels_of(r))}


def wheels_of(requirement):
    (version,) = (one.version for one in requirement.specifier)
    for package in LOCK["package"]:
        if (package["name"], package["version"]) == (requirement.name, version):
            return [wheel["url"].rsplit("/", 1)[-1] for wheel in package["wheels"]]
    return []


def suits(filename, platform_tag, minor):
    return any(
        (tag.platform == "any" or re.fullmatch(platform_tag, tag.platform))
        and (tag.abi in ("none", f"cp3{minor}") or tag.abi == "abi3" and int(tag.interpreter[3:]) <= minor)
        for tag in parse_wheel_filename(filename)[3]
    )


@pytest.mark.parametrize("minor", [11, 12, 13])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_lock_has_a_wheel_of_everything_but_tff(platform, minor):
    assert without_a_wheel(platform, minor) == {"tensorflow-federated"}


def glibc_of(requirement):
    """The second number of the oldest glibc 2.x that one of its wheels for x86-64 runs with; 0 for any."""
    tags = [tag.platform for wheel in wheels_of(requirement) for tag in parse_wheel_filename(wheel)[3]]
    found = [re.fullmatch(r"manylinux_2_(\d+)_x86_64", tag) for tag in tags]
    return 0 if "any" in tags else min((int(tag.group(1)) for tag in found if tag), default=0)


def test_the_doctor_asks_for_the_c_library_that_the_wheels_ask_for():
    asked_for = [glibc_of(r) for r in REQUIREMENTS if r.name != "tensorflow-federated"]
    assert (2, max(asked_for)) == doctor.GLIBC_FROM


# --- What the page says -----------------------------------------------------------------------------


def pip_commands(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"^(?:\S*(?:pip|python -m pip)) (install --no-deps .*)$", text, re.MULTILINE)


def test_the_page_gives_the_readmes_command_and_elsewhere_the_portable_wheel_with_it():
    (command,) = pip_commands("README.md")
    with_portable = command.replace(" -r ", " --find-links portable -r ")
    assert pip_commands("docs/install.md") == [command, with_portable, with_portable]
    assert portable_tff.PORTABLE == ROOT / "portable"


# --- The portable wheel -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """TFF's wheel as it is published, made from the files installed here, with a small worker."""
    path = tmp_path_factory.mktemp("original") / (
        "tensorflow_federated-0.87.0-py3-none-manylinux_2_31_x86_64.whl"
    )
    with WheelFile(path, "w") as wheel:
        for file in importlib.metadata.distribution("tensorflow-federated").files:
            if belongs_in_a_wheel(str(file)):
                wheel.write(file.locate(), str(file))
        wheel.writestr("tensorflow_federated/data/worker_binary", b"\x7fELF")
        wheel.writestr(
            f"{wheel.dist_info_path}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: setuptools\nRoot-Is-Purelib: true\n"
            "Tag: py3-none-manylinux_2_31_x86_64\n",
        )
    return path


def belongs_in_a_wheel(file):
    made_by_installing = ("INSTALLER", "REQUESTED", "RECORD", "WHEEL", "direct_url.json", "uv_cache.json")
    return not file.endswith((*made_by_installing, "worker_binary", ".pyc"))


@pytest.fixture(scope="module")
def portable(original, tmp_path_factory):
    return portable_tff.repack(original, tmp_path_factory.mktemp("portable"))


def test_the_portable_wheel_is_tffs_without_its_worker_and_its_record_is_right(original, portable):
    assert portable.name == "tensorflow_federated-0.87.0-py3-none-any.whl"
    # The `wheel` library compares each file with RECORD as it reads it.
    with WheelFile(original) as before, WheelFile(portable) as after:
        gone = set(before.namelist()) - set(after.namelist())
        assert gone == {"tensorflow_federated/data/worker_binary"}
        changed = {name for name in after.namelist() if after.read(name) != before.read(name)}
        assert changed == {f"{after.dist_info_path}/{name}" for name in ("WHEEL", "RECORD")}
        listed = after.read(after.record_path).decode()
    assert "worker_binary" not in listed
    assert len(listed.splitlines()) == len(zipfile.ZipFile(portable).namelist())


def lock_with(wheel, sha256):
    return (
        f'[[package]]\nname = "tensorflow-federated"\nversion = "0.87.0"\n'
        f'wheels = [{{ url = "{wheel.as_uri()}", hash = "sha256:{sha256}" }}]\n'
    )


def test_the_wheel_is_fetched_by_pip_from_the_index_that_it_is_told_or_from_the_lock(
    original, tmp_path, monkeypatch
):
    sha256 = hashlib.sha256(original.read_bytes()).hexdigest()
    url, wanted = portable_tff.find_wheel(lock_with(original, sha256))
    # A folder stands for the classroom's index.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(original.parent))
    monkeypatch.setattr(portable_tff.sys, "executable", str(a_python_with_pip()))
    by_pip = portable_tff.fetch("https://nowhere.invalid/" + original.name, wanted, tmp_path)
    assert by_pip.read_bytes() == original.read_bytes()
    by_pip.unlink()
    # Without pip, the address in the lock.
    monkeypatch.setattr(portable_tff, "_pip_downloads", lambda path: False)
    assert portable_tff.fetch(url, wanted, tmp_path).read_bytes() == original.read_bytes()


def a_python_with_pip():
    """The Python that this environment was made from: the environment itself has no pip."""
    return pathlib.Path(os.path.realpath(sys._base_executable))


@pytest.mark.parametrize("by_pip", [True, False])
def test_a_wheel_that_is_not_the_locked_one_is_refused(original, tmp_path, monkeypatch, by_pip):
    monkeypatch.setattr(
        portable_tff, "_pip_downloads", lambda path: by_pip and shutil.copy(original, path) == path
    )
    with pytest.raises(ValueError, match=r"has SHA-256 .*, uv.lock says 0000"):
        portable_tff.fetch(original.as_uri(), "0" * 64, tmp_path)


def test_the_project_lock_names_tffs_wheel():
    url, sha256 = portable_tff.find_wheel((ROOT / "uv.lock").read_text(encoding="utf-8"))
    assert url.endswith("/tensorflow_federated-0.87.0-py3-none-manylinux_2_31_x86_64.whl")
    assert len(sha256) == 64


# --- The course on it -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def foreign_python(portable, tmp_path_factory):
    """The Python of an environment with the portable TFF in front of what is installed here."""
    folder = tmp_path_factory.mktemp("foreign") / ".venv"
    uv = [pathlib.Path(sys.prefix, "bin", "uv"), "--offline", "--quiet"]
    run([*uv, "venv", "--python", sys.executable, folder])
    python = folder / "bin" / "python"
    run([*uv, "pip", "install", "--no-deps", "--compile-bytecode", "--python", python, portable])
    (site_packages,) = folder.glob("lib/*/site-packages")
    (site_packages / "here.pth").write_text(
        f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
        f"import os, sys; 'FOREIGN_PLATFORM' in os.environ and __import__('foreign_platform')\n"
    )
    (site_packages / "foreign_platform.py").symlink_to(TESTS / "foreign_platform.py")
    return python


def run(command, **environment):
    ended = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.environment
@pytest.mark.parametrize("platform", ["Windows AMD64"])
def test_the_core_of_the_course_runs_without_the_worker(foreign_python, platform):
    # In a process of its own as well: TensorFlow's global seed, which other tests set, decides orders here.
    here = json.loads(run([sys.executable, TESTS / "course_core.py"]))
    found = json.loads(run([foreign_python, TESTS / "course_core.py"], FOREIGN_PLATFORM=platform))
    assert found["tag"] == "py3-none-any"
    assert found["tff"].startswith(str(foreign_python.parent.parent))
    assert found["hello"] == "Hello, World!"
    assert found["median"] == 3.0
    assert found["loss"] == pytest.approx(here["loss"], rel=1e-5)
    system, machine = platform.split()
    assert found["worker"].startswith(
        f"TFF's worker is a program for Linux on x86-64; this is {system} on {machine}."
    )
    assert "use_in_process()" in found["worker"]
    assert found["platform"].startswith(f"note  platform: {system} on {machine}")
    assert "docs/install.md" in found["platform"]


@pytest.mark.notebook
@pytest.mark.environment
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", [name for name, file in RUN_BY.items() if file == "tests/test_platforms.py"])
def test_a_notebook_gives_its_committed_outputs_without_the_worker(
    name, foreign_python, tmp_path, monkeypatch
):
    # The one run of this notebook, so that what holds here holds elsewhere too.
    monkeypatch.setenv("FOREIGN_PLATFORM", "Darwin arm64")
    assert_gives_committed_outputs(ROOT / "notebooks" / f"{name}.ipynb", tmp_path, foreign_python)
