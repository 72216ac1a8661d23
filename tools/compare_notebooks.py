"""Runs notebooks under nbval, which compares what comes out with what they were committed with."""

import os
import pathlib
import subprocess
import sys

from nbval_measured import MEASURED
from notebook_kernel import kernel_environment

ROOT = pathlib.Path(__file__).parent.parent
SETTINGS = ROOT / "tests" / "notebooks"


def run_nbval(*notebooks, measured, python=sys.executable):
    """Runs notebooks one after the other, each in a kernel of its own, apart from the caller's pytest.

    Args:
      *notebooks: paths; each is run from its own folder.
      measured: path to which seconds and memory are written.
      python: the Python that runs nbval and the kernels.

    Returns:
      subprocess.CompletedProcess; returncode 1 where an output differs, stdout says which.
    """
    with kernel_environment() as environment:
        environment["PYTHONPATH"] += os.pathsep + str(ROOT / "tools")
        environment[MEASURED] = str(measured)
        settings = ["-c", SETTINGS / "nbval.ini", "--nbval-sanitize-with", SETTINGS / "sanitize.cfg"]
        return subprocess.run(
            [python, "-m", "pytest", "-q", "--rootdir", ROOT, *settings, *notebooks],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
        )
