"""Sets fedlab up on Google Colab: installs it and what Colab lacks for it, and changes nothing else.

The setup cell of every notebook fetches this file and runs it in the notebook's kernel. It therefore needs
nothing but Python and pip. What it installs, and what it expects to find, it reads from the archive of the
repository that it fetches: pyproject.toml and colab/requirements.txt there.

Either everything is installed or nothing is: one call of pip installs fedlab and all the rest, and where that
fails, what it had installed is removed again.
"""

import importlib
import importlib.metadata
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request
import zipfile

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

FEDLAB = "fedlab-notebooks"
# What these would bring is Colab's own business: its page is no JupyterLab.
NOT_ON_COLAB = {"jupyterlab"}
PIP = ["-m", "pip", "--disable-pip-version-check"]
# TFF's own metadata asks for packages that no longer exist and for Python < 3.12.
INSTALL = ["install", "--quiet", "--progress-bar=off", "--no-deps", "--ignore-requires-python"]
ELSEWHERE = (
    "Choose another version of Colab (Runtime > Change runtime type > Runtime version), or open the notebook "
    "in Binder."
)


class SetUpError(Exception):
    """fedlab was not set up. A notebook shows the message alone, and stops there."""

    def _render_traceback_(self):  # IPython asks for it.
        return [f"fedlab was not set up. {self}"]


def set_up(repository, branch):
    """Installs fedlab and what it needs beside Colab's own packages, and prints what it did.

    Args:
      repository: its address, as "https://github.com/OWNER/NAME".
      branch: the branch that the notebooks are of.

    Raises:
      SetUpError: it cannot be done; the message says why and what to do. Nothing is installed then.
    """
    check_keras()
    if is_installed(FEDLAB):
        print(f"fedlab {version_of(FEDLAB)} is ready: it was set up before, nothing had to be installed.")
        return
    started = time.monotonic()
    missing = install_from(f"{repository}/archive/refs/heads/{branch}.zip")
    print(
        f"fedlab {version_of(FEDLAB)} is ready: it and {len(missing)} packages were installed in "
        f"{time.monotonic() - started:.0f} s; Colab's own, such as TensorFlow {version_of('tensorflow')}, "
        "are as they were."
    )


def install_from(url):
    """Installs fedlab from an archive of its repository, with what is missing here; returns what that was."""
    with tempfile.TemporaryDirectory() as folder:
        archive = fetch(url, pathlib.Path(folder, "fedlab.zip"))
        pinned = read_pinned(read(archive, "colab/requirements.txt"))
        check_versions(tomllib.loads(read(archive, "pyproject.toml")), pinned)
        missing = find_missing(pinned)
        print(f"Installing fedlab and {len(missing)} packages that Colab lacks ...", flush=True)
        install([*missing, str(archive)], names=[FEDLAB, *(one.partition("==")[0] for one in missing)])
    return missing


# --- What is there ------------------------------------------------------------------------------


def check_keras():
    """Refuses a kernel in which TensorFlow is loaded with Keras 3, where TFF cannot be imported any more."""
    if "tensorflow" in sys.modules and os.environ.get("TF_USE_LEGACY_KERAS") not in ("1", "true", "True"):
        raise SetUpError(
            "TensorFlow was imported before fedlab and runs with Keras 3, which TensorFlow Federated cannot "
            "use. Restart (Runtime > Restart session), then run this cell before all others."
        )


def check_versions(project, pinned):
    """Compares Python and Colab's packages with what fedlab accepts.

    Args:
      project: pyproject.toml, parsed.
      pinned: from `read_pinned`; what is not among these must be there already.
    """
    wanted, python = project["project"]["requires-python"], platform.python_version()
    if python not in SpecifierSet(wanted):
        raise SetUpError(f"It runs on Python {wanted}, and this is Python {python}. {ELSEWHERE}")
    unsuitable = [
        f"{one.name} {one.specifier} (here: {version_of(one.name) or 'none'})"
        for one in requirements_of(project)
        if not will_be_met(one, pinned)
    ]
    if unsuitable:
        raise SetUpError(f"It needs other versions than Colab has: {', '.join(unsuitable)}. {ELSEWHERE}")


def will_be_met(requirement, pinned):
    """Whether what is installed suits a requirement, or what is going to be installed where nothing is."""
    if is_installed(requirement.name):
        return version_of(requirement.name) in requirement.specifier
    return requirement.name in {one.name for one in pinned}


def requirements_of(project):
    """What fedlab and TFF ask for here: packages, and the versions that they accept."""
    metadata = project["tool"]["uv"]["dependency-metadata"]
    of_tff = [line for package in metadata for line in package["requires-dist"]]
    lines = [*project["project"]["dependencies"], *of_tff]
    return [one for one in parse(lines) if one.name not in NOT_ON_COLAB]


def read_pinned(text):
    """Reads colab/requirements.txt: what fedlab needs here, each with its one version."""
    return parse(line for line in text.splitlines() if line and not line.startswith("#"))


def parse(lines):
    """The requirements of the lines that hold for this Python and this system."""
    requirements = map(Requirement, lines)
    return [one for one in requirements if one.marker is None or one.marker.evaluate()]


def find_missing(pinned):
    """Of the pinned requirements those that are installed in no version: ["mpmath==1.4.1", ...]."""
    return [f"{one.name}{one.specifier}" for one in pinned if not is_installed(one.name)]


def is_installed(name):
    """Whether a distribution is installed in this Python."""
    return version_of(name) is not None


def version_of(name):
    """The version of a distribution, such as "2.20.0"; None where it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


# --- What is fetched ----------------------------------------------------------------------------


def fetch(url, path):
    """Downloads a zip archive to a path and returns the path."""
    try:
        with urllib.request.urlopen(url, timeout=60) as response, open(path, "wb") as file:
            shutil.copyfileobj(response, file)
        zipfile.ZipFile(path).close()
    except (OSError, zipfile.BadZipFile) as error:
        raise SetUpError(f"{url} could not be fetched: {error}. Run this cell again in a while.") from None
    return path


def read(archive, name):
    """The text of a file in an archive of a repository, where all is in one folder."""
    with zipfile.ZipFile(archive) as opened:
        folder = opened.namelist()[0].partition("/")[0]
        return opened.read(f"{folder}/{name}").decode()


def install(requirements, names):
    """Installs requirements with pip.

    Args:
      requirements: as pip takes them; none of them is installed.
      names: their names, to remove them by should one of them fail.
    """
    try:
        result = pip(*INSTALL, *requirements)
        if result.returncode:
            reasons = [line for line in result.stderr.splitlines() if line.startswith("ERROR:")]
            reason = reasons[-1] if reasons else f"pip ended with {result.returncode}"
            raise SetUpError(f"pip says: {reason.removeprefix('ERROR: ')}. Run this cell again in a while.")
    except BaseException:  # An interrupt too: half of it would look like all of it.
        pip("uninstall", "--quiet", "--yes", *names)
        raise
    importlib.invalidate_caches()


def pip(*arguments):
    """Runs this Python's pip and returns the subprocess.CompletedProcess."""
    return subprocess.run([sys.executable, *PIP, *arguments], capture_output=True, text=True)


if __name__ == "__main__":
    # The setup cell says which repository it is of.
    set_up(repository, branch)  # noqa: F821
