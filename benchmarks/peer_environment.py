"""The environment that peers live in: `.venv-peers`, with the versions of `peers/requirements.txt`.

It is made when a benchmark first needs it, and never touches the project's own `.venv`.
"""

import os
import pathlib
import subprocess
import sys

from contenders import ROOT

FOLDER = ROOT / ".venv-peers"
REQUIREMENTS = ROOT / "benchmarks" / "peers" / "requirements.txt"
# Packages whose versions a table of figures names.
NAMED = ("torch", "flwr", "ray", "fedjax", "jax")
_STAMP = FOLDER / ".requirements"


class PeersError(RuntimeError):
    """The peers could not be installed; the message says why and what to do."""


def python_of_peers() -> pathlib.Path:
    """The environment's Python; makes the environment where it is missing or older than its requirements.

    Raises:
      PeersError: it could not be made.
    """
    python = FOLDER / "bin" / "python"
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if not _STAMP.exists() or _STAMP.read_text(encoding="utf-8") != wanted:
        print(f"peers: installing PyTorch, Flower and FedJAX into {FOLDER.name} (1.6 GB)", flush=True)
        _run_uv("venv", "--clear", "--python", sys._base_executable, str(FOLDER))
        _run_uv("pip", "install", "--python", str(python), "-r", str(REQUIREMENTS), *_source_of_torch())
        _STAMP.write_text(wanted, encoding="utf-8")
    return python


def versions_of_peers() -> dict[str, str]:
    """The versions of the peers' packages, by name; none where the environment is not there."""
    if not _STAMP.exists():
        return {}
    code = f"import importlib.metadata as m; [print(name, m.version(name)) for name in {NAMED!r}]"
    command = [str(FOLDER / "bin" / "python"), "-c", code]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return dict(line.split() for line in listed.splitlines())


def _source_of_torch() -> list[str]:
    """Where PyTorch for processors comes from: PyPI's own is for CUDA, with gigabytes of NVIDIA's libraries.

    A folder or page of wheels that pip or uv are told of is asked first.
    """
    links = os.environ.get("UV_FIND_LINKS") or os.environ.get("PIP_FIND_LINKS")
    if links:
        return [argument for link in links.split() for argument in ("--find-links", link)]
    return ["--torch-backend", "cpu"]


def _run_uv(*arguments: str) -> None:
    uv = subprocess.run(
        ["tools/setup.sh", "--uv"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    result = subprocess.run([uv, *arguments], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    if result.returncode:
        raise PeersError(
            f"uv {' '.join(arguments[:2])} failed, so the peers are not there:\n{result.stderr[-2000:]}\n"
            "Run the benchmark without --peers, or name a folder that holds PyTorch's wheel in UV_FIND_LINKS."
        )
