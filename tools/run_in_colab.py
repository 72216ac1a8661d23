"""Runs the setup cell and the notebooks among Colab's packages, as their readers do: `make test-colab`.

    tools/run_in_colab.py ENVIRONMENT           all notebooks, among the packages of an environment
    tools/run_in_colab.py ENVIRONMENT 00 03     these

ENVIRONMENT is a folder from tools/colab_environment.sh. The repository is this working tree, served on this
machine; pip fetches the rest from where it always does. A cell that fails fails the run. So do packages of
Colab's that are not as they were, and a setup cell that takes longer than a learner waits.
"""

import argparse
import pathlib
import re
import sys
import tempfile
import time

import nbformat
from nbclient.exceptions import CellExecutionError
from nbval.plugin import get_sanitize_patterns

import colab_runtime
import notebook_sources

SETUP_LIMIT_S = 120
SANITIZE = notebook_sources.ROOT / "tests" / "notebooks" / "sanitize.cfg"


def run_setup_cell(python, environ):
    """Runs the setup cell in a runtime.

    Returns:
      What went wrong, one sentence each.
    """
    before, started = colab_runtime.installed_packages(python), time.monotonic()
    (outputs,) = colab_runtime.run_cells(python, [colab_runtime.setup_cell()], environ)
    seconds, after = time.monotonic() - started, colab_runtime.installed_packages(python)
    said = "".join("\n".join(output.get("traceback", [output.get("text", "")])) for output in outputs)
    print(f"setup cell: {seconds:.0f} s\n  {said.strip().splitlines()[-1]}", flush=True)
    return [
        *(f"{name} was {before[name]} and is {after.get(name)}" for name in changed(before, after)),
        *(["the setup cell did not set fedlab up"] if "fedlab-notebooks" not in after else []),
        *([f"it took {seconds:.0f} s, over {SETUP_LIMIT_S} s"] if seconds > SETUP_LIMIT_S else []),
    ]


def changed(before, after):
    """The packages that are no longer there in the version that they were."""
    return [name for name, version in before.items() if after.get(name) != version]


def run_committed(path, python, environ):
    """Runs a notebook as it was committed, in an empty folder, as Colab does.

    Returns:
      What went wrong, at most one sentence.
    """
    notebook = nbformat.read(path, as_version=4)
    committed = printed_by(notebook)
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as folder:
            colab_runtime.run_notebook(python, notebook, environ, folder)
    except CellExecutionError as error:
        print(f"{path.stem}: FAILED after {time.monotonic() - started:.0f} s\n{error}", flush=True)
        return [f"{path.stem} failed"]
    printed = zip(committed, printed_by(notebook), strict=True)
    # Not the first: that is the setup cell, which is silent elsewhere.
    different = [n for n, (old, new) in enumerate(printed, start=1) if old != new and n > 1]
    print(f"{path.stem}: {time.monotonic() - started:.0f} s{describe(different)}", flush=True)
    return []


def printed_by(notebook):
    """What each code cell printed, but for seconds, versions and addresses."""
    patterns = get_sanitize_patterns(SANITIZE.read_text(encoding="utf-8"))
    return [sanitize(stdout_of(cell), patterns) for cell in notebook.cells if cell.cell_type == "code"]


def stdout_of(cell):
    """What a cell printed."""
    return "".join(output["text"] for output in cell.outputs if output.get("name") == "stdout")


def sanitize(text, patterns):
    """A text with what matches the patterns replaced: [(regex, replacement), ...]."""
    for regex, replacement in patterns:
        text = re.sub(regex, replacement, text)
    return text


def describe(different):
    """A note on the code cells that printed something else than they were committed with."""
    return f" (other numbers or words than committed in code cells {different})" if different else ""


def main(arguments=None):
    """Runs what the command line names; returns 1 where something went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("environment", type=pathlib.Path, help="a folder from tools/colab_environment.sh")
    parser.add_argument("names", nargs="*", help="numbers of notebooks, such as 00; default all")
    settings = parser.parse_args(arguments)
    paths = [notebook_sources.notebook_of(source) for source in notebook_sources.find_sources(settings.names)]
    environment = settings.environment.resolve()
    with colab_runtime.fresh_runtime(environment) as python, colab_runtime.served_repository() as address:
        environ = colab_runtime.colab_environ(address)
        problems = run_setup_cell(python, environ)
        for path in [] if problems else paths:
            problems += run_committed(path, python, environ)
    print("\n".join(problems or [f"{len(paths)} notebooks run among Colab's packages."]))
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
