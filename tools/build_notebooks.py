"""Builds the notebooks from their scripts: the one direction in which they are made.

    tools/build_notebooks.py                 all of them (make notebooks)
    tools/build_notebooks.py 00 03           these (make notebooks ARGS="00 03")
    tools/build_notebooks.py --prose 00      keeps the outputs: for changes in text, comments and setup cell

A script notebooks/sources/NN_name.py is run from the folder notebooks/ by a kernel of its own, offline,
and written with its outputs to notebooks/NN_name.ipynb. What is filled in: tools/notebook_sources.py.
A notebook that was never measured gets its minutes and memory from this run; `make measure` measures anew.
"""

import argparse
import ast
import contextlib
import json
import os
import sys

import nbclient
import nbformat

import check_notebooks
import notebook_index
import notebook_outputs
import notebook_sources
from notebook_kernel import KernelMeter, kernel_environment

CELL_TIMEOUT_S = 900


def execute(notebook, folder):
    """Runs a notebook in place, from `folder`.

    Returns:
      {"seconds": ..., "peak_mb": ...} of its kernel.

    Raises:
      nbclient.exceptions.CellExecutionError: a cell fails that has no tag raises-exception.
      ValueError: a cell with that tag does not fail.
    """
    meters = []
    client = nbclient.NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        record_timing=False,
        store_widget_state=True,
        resources={"metadata": {"path": str(folder)}},
        on_notebook_start=lambda notebook: meters.append(KernelMeter(client.km.provisioner.pid)),
        on_notebook_complete=lambda notebook: meters.append(meters.pop().stop()),
    )
    with kernel_environment() as environment:
        os.environ["JUPYTER_PREFER_ENV_PATH"] = environment["JUPYTER_PREFER_ENV_PATH"]
        client.execute(env=environment)
    _check_expected_exceptions(notebook)
    return meters.pop()


def _check_expected_exceptions(notebook):
    for number, cell in enumerate(notebook.cells, start=1):
        expected = "raises-exception" in cell.metadata.get("tags", [])
        if expected and not any(output.output_type == "error" for output in cell.outputs):
            raise ValueError(f"cell {number} has the tag raises-exception and raises none:\n{cell.source}")


def build(source, folder=notebook_sources.NOTEBOOKS):
    """Makes the notebook of a script.

    Returns:
      (notebook with outputs and nothing filled in but the setup cell, what was measured).

    Raises:
      ValueError: an output names a folder of this machine, or the metadata is not clean.
    """
    notebook = notebook_sources.read_source(source)
    runnable = notebook_sources.read_source(source)
    notebook_sources.fill(runnable, source)
    measured = execute(runnable, folder)
    notebook_outputs.clean_outputs(runnable)
    take_outputs(runnable, notebook)
    paths = notebook_outputs.machine_paths_in(notebook)
    if paths:
        raise ValueError(f"{source.name}: outputs name folders of this machine: {'; '.join(paths)}")
    return notebook, measured


def take_outputs(executed, notebook):
    """Copies outputs and execution counts to a notebook of the same code cells."""
    for done, cell in zip(_code_cells(executed), _code_cells(notebook), strict=True):
        cell.outputs, cell.execution_count = done.outputs, done.execution_count


def _code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def with_new_prose(source, measured):
    """The notebook of a script whose code is as it was: new text, old outputs.

    Raises:
      ValueError: the code changed too.
    """
    committed = nbformat.read(notebook_sources.notebook_of(source), as_version=4)
    notebook = notebook_sources.read_source(source)
    notebook_sources.fill(notebook, source, measured)
    old, new = (
        [(_what_runs(cell.source), cell.metadata.get("tags", [])) for cell in _code_cells(each)]
        for each in (committed, notebook)
    )
    if old != new:
        raise ValueError(f"{source.name}: the code changed; build it without --prose.")
    take_outputs(committed, notebook)
    return notebook


def _what_runs(code):
    """A cell's code without its comments; of the setup cell, which is silent here, only that it is one."""
    return "setup" if code.startswith("# Setup.") else ast.dump(ast.parse(code))


def write(notebook, path):
    """Writes a notebook with clean metadata.

    Raises:
      ValueError: what tools/check_notebooks.py would say.
    """
    content = json.loads(nbformat.v4.writes(notebook))
    check_notebooks.clean(content)
    problems = check_notebooks.problems_in(content)
    if problems:
        raise ValueError(f"{path.name}: " + "; ".join(problems))
    check_notebooks.write(path, content)


def main(arguments=None):
    """Builds what the command line names, then the index in the README."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="numbers of notebooks, such as 00; default all")
    parser.add_argument("--prose", action="store_true", help="keep the outputs: only text has changed")
    settings = parser.parse_args(arguments)
    for source in notebook_sources.find_sources(settings.names):
        if settings.prose:
            measured = notebook_sources.read_measured().get(source.stem)
            notebook = with_new_prose(source, measured)
        else:
            notebook = _build_and_measure(source)
        write(notebook, notebook_sources.notebook_of(source))
    refresh_texts()
    notebook_index.update_readme()


def refresh_texts() -> None:
    """Brings links, minutes and memory up to date in the notebooks that can keep their outputs."""
    measured = notebook_sources.read_measured()
    for source in notebook_sources.find_sources():
        # Those that were not built yet, or whose code is being changed, get theirs when they are built.
        with contextlib.suppress(FileNotFoundError, ValueError):
            notebook = with_new_prose(source, measured.get(source.stem))
            write(notebook, notebook_sources.notebook_of(source))


def _build_and_measure(source):
    print(f"{source.stem}: running", flush=True)
    notebook, of_this_run = build(source)
    print(f"{source.stem}: {of_this_run['seconds']} s, {of_this_run['peak_mb']} MB", flush=True)
    measured = {source.stem: of_this_run} | notebook_sources.read_measured()
    notebook_sources.write_measured(measured)
    notebook_sources.fill(notebook, source, measured[source.stem])
    return notebook


if __name__ == "__main__":
    sys.exit(main())
