"""A runtime like Colab's, to try the setup cell and the notebooks in: Colab's packages, a real kernel.

The packages are those of an environment from tools/colab_environment.sh. The repository is served on this
machine under the addresses that GitHub has for it, so that the setup cell does what it does on Colab.
"""

import contextlib
import http.server
import io
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import zipfile

import nbclient
import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

import notebook_sources

ROOT = pathlib.Path(__file__).parent.parent
# Of the repository, what the setup cell's archive needs: the package, and what it is built and set up from.
PARTS = ("colab", "fedlab", "LICENSE", "README.md", "pyproject.toml")
CELL_TIMEOUT_S = 900


@contextlib.contextmanager
def fresh_runtime(environment):
    """Copies an environment, as every visitor of Colab gets a runtime of their own; removes it afterwards.

    Args:
      environment: its folder. The copy lies beside it and shares its files (hard links), which pip replaces
        and never writes to.

    Yields:
      The copy's Python.
    """
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{environment.name}-", dir=environment.parent))
    try:
        subprocess.run(["cp", "-al", f"{environment}/.", folder], check=True)
        yield folder / "bin" / "python"
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def served_repository():
    """Serves the working tree as GitHub does: /raw/BRANCH/FILE, and /archive/refs/heads/BRANCH.zip.

    Yields:
      The repository's address, for $FEDLAB_SOURCE.
    """
    branch = notebook_sources.publication()["branch"]
    answers = {f"/archive/refs/heads/{branch}.zip": lambda: archive_of(f"fedlab-{branch}")}
    answers |= {f"/raw/{branch}/{name}": path.read_bytes for name, path in _files()}
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(answers)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def archive_of(folder):
    """A zip archive of the working tree in which all lies in one folder, as bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.mkdir(folder)
        for name, path in _files():
            archive.write(path, f"{folder}/{name}")
    return content.getvalue()


def _files():
    for part in PARTS:
        paths = [ROOT / part] if (ROOT / part).is_file() else sorted((ROOT / part).rglob("*"))
        for path in paths:
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), path


def _handler(answers):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path not in answers:
                return self.send_error(404)
            content = answers[self.path]()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *unused):
            pass

    return Handler


def colab_environ(repository):
    """The environment variables of a Colab runtime whose notebooks come from a repository.

    Args:
      repository: its address, from `served_repository`.
    """
    # Not what this process has set for itself, such as the Keras that fedlab chooses.
    ours = ("PYTHON", "TF_", "MPL", "JUPYTER", "IPYTHON")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return inherited | {"COLAB_RELEASE_TAG": "release-colab-20260819-060000", "FEDLAB_SOURCE": repository}


def setup_cell():
    """The setup cell, as the notebooks have it."""
    first = notebook_sources.find_sources()[0]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("# {{ setup }}")])
    notebook_sources.fill(notebook, first)
    return notebook.cells[0].source


def run_cells(python, cells, environ):
    """Runs cells in one real kernel; where one fails the next still runs.

    Args:
      python: the kernel's Python.
      cells: their sources.
      environ: the kernel's environment variables.

    Returns:
      Of each cell its outputs, as nbformat has them.
    """
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    with tempfile.TemporaryDirectory() as folder:
        run_notebook(python, notebook, environ, folder, allow_errors=True)
    return [cell.outputs for cell in notebook.cells]


def run_notebook(python, notebook, environ, folder, *, allow_errors=False):
    """Runs a notebook in place, in a real kernel.

    Args:
      python: the kernel's Python.
      notebook: as nbformat has it.
      environ: the kernel's environment variables.
      folder: where the kernel starts.
      allow_errors: whether the cells after one that fails still run.

    Raises:
      nbclient.exceptions.CellExecutionError: a cell fails that may not.
    """
    with tempfile.TemporaryDirectory() as specs:
        _write_kernel_spec(python, pathlib.Path(specs, "colab"))
        manager = AsyncKernelManager(
            kernel_name="colab", kernel_spec_manager=KernelSpecManager(kernel_dirs=[specs])
        )
        client = nbclient.NotebookClient(
            notebook,
            km=manager,
            timeout=CELL_TIMEOUT_S,
            allow_errors=allow_errors,
            resources={"metadata": {"path": str(folder)}},
        )
        # No settings of the user's own IPython; and as the manager is ours, the kernel is to end here.
        client.execute(env=environ | {"IPYTHONDIR": specs}, cleanup_kc=True)


def _write_kernel_spec(python, folder):
    folder.mkdir()
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    quiet = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}  # ipykernel's debugger, of which nobody asked for here
    spec = {"argv": argv, "display_name": "Colab", "language": "python", "env": quiet}
    (folder / "kernel.json").write_text(json.dumps(spec))


def installed_packages(python):
    """What pip lists: {"numpy": "2.1.3", ...}."""
    command = [python, "-m", "pip", "--disable-pip-version-check", "list", "--format=json"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    return {package["name"]: package["version"] for package in json.loads(listed.stdout)}
