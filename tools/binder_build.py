"""What Binder does with this repository: repo2docker's own Dockerfile, printed without Docker.

`make test-binder` replays it: an environment with what repo2docker's base image has, then the steps of the
Dockerfile that come from binder/, then notebooks as a visitor runs them, in 2 GB of memory and on one core.
Needs the package index, five minutes and 3 GB.

    python tools/binder_build.py [NOTEBOOK...]          default: all
"""

import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from notebook_kernel import kernel_environment
from small_machine import run_small

ROOT = pathlib.Path(__file__).parent.parent
MEMORY_MB = 2_000  # What a public Binder gives.
_TOOLS = ROOT / "tools"
_BASE_LOCKS = pathlib.Path(importlib.util.find_spec("repo2docker").origin).parent / "buildpacks" / "conda"
# The packages of repo2docker's base environment that share a page or a server with ours.
_BASE = (
    "ipywidgets",
    "jupyter-resource-usage",
    "jupyter_server",
    "jupyterhub-base",
    "jupyterlab",
    "notebook",
)
_NOT_COPIED = (".git", ".venv*", ".tools", ".*_cache", "__pycache__", "portable", "demo-output")


def print_dockerfile(repository=ROOT):
    """Returns the Dockerfile that repo2docker would build for a folder."""
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", repository]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def own_steps(dockerfile):
    """The commands that depend on this repository: those that name its files."""
    return re.findall(r"^RUN (.*\bbinder/.*)$", dockerfile, re.MULTILINE)


def python_version(dockerfile):
    """The Python of the environment, such as "3.11"."""
    return re.search(r"environment-2epy-2d3-2e(\d+)-2d", dockerfile).expand(r"3.\1")


def base_requirements(version):
    """What the base environment pins of Jupyter, as pip says it."""
    lock = (_BASE_LOCKS / f"environment.py-{version}-linux-64.lock").read_text(encoding="utf-8")
    found = {name: re.search(rf"/{name}-([\d.]+)-", lock).group(1) for name in _BASE}
    return [f"{name.removesuffix('-base')}=={pin}" for name, pin in found.items()]


def replay(folder):
    """Makes the environment and runs the repository's own steps in it.

    Args:
      folder: an empty one; gets `repository` and `environment`.
    """
    dockerfile = print_dockerfile()
    repository, environment = folder / "repository", folder / "environment"
    shutil.copytree(ROOT, repository, ignore=shutil.ignore_patterns(*_NOT_COPIED))
    version = python_version(dockerfile)
    uv = pathlib.Path(sys.prefix, "bin", "uv")
    _run([uv, "venv", "--quiet", "--seed", "--python", version, environment])
    _run([environment / "bin" / "pip", "install", "--quiet", *base_requirements(version)])
    variables = os.environ | {
        "KERNEL_PYTHON_PREFIX": str(environment),
        "PATH": f"{environment}/bin:{os.environ['PATH']}",
    }
    for step in own_steps(dockerfile):
        started = time.monotonic()
        _run(["bash", "-c", step], cwd=repository, env=variables)
        print(f"{step}: {time.monotonic() - started:.0f} s", flush=True)
    size = subprocess.check_output(["du", "-sm", environment], text=True).split()[0]
    print(f"environment: {int(size):,} MB", flush=True)


def _run(command, **options):
    subprocess.run(command, check=True, stdout=sys.stderr, **options)


def visit(environment, repository, notebooks, memory_mb=MEMORY_MB):
    """A visit of Binder, offline, on one core; see tools/binder_session.py.

    Args:
      environment: folder of the environment that has fedlab.
      repository: folder that Binder starts in.
      notebooks: paths in there.
      memory_mb: how much memory there is.

    Returns:
      small_machine.SmallRun.
    """
    command = [sys.executable, _TOOLS / "binder_session.py", environment, *notebooks]
    with kernel_environment() as variables:
        return run_small(command, memory_mb=memory_mb, cores=1, cwd=repository, env=variables)


def main(*names):
    """Replays the build, then a visit for each notebook; returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="binder-") as folder:
        folder = pathlib.Path(folder)
        replay(folder)
        repository = folder / "repository"
        notebooks = sorted((repository / "notebooks").glob("[0-9]*.ipynb"))
        wanted = [n for n in notebooks if not names or n.name[:2] in names or n.stem in names]
        return max([_report(visit(folder / "environment", repository, [n])) for n in wanted], default=1)


def _report(run):
    print(run.output, end="")
    print(f"  of {MEMORY_MB:,} MB: {run.peak_mb:,} MB, on one core, {run.seconds:.0f} s", flush=True)
    return 1 if run.returncode else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
