"""Measures the minutes and the memory of the notebooks, and states them where a reader looks.

    tools/measure_notebooks.py           all of them (make measure)
    tools/measure_notebooks.py 00 03     these (make measure ARGS="00 03")

The notebooks run one after the other, with nothing else: leave the machine alone meanwhile, on two cores.
What was measured goes into notebooks/measured.json, and from there into the notebooks' first cells and the
README's index.
"""

import argparse
import pathlib
import sys
import tempfile

import build_notebooks
import notebook_index
import notebook_sources
from compare_notebooks import run_nbval


def measure(notebook: pathlib.Path) -> dict[str, float]:
    """Runs a notebook as the tests do.

    Args:
      notebook: its path.

    Returns:
      {"seconds": ..., "peak_mb": ...} of its kernel.

    Raises:
      ValueError: it gives other outputs than it was committed with.
    """
    with tempfile.TemporaryDirectory() as folder:
        measured = pathlib.Path(folder, "measured.json")
        ended = run_nbval(notebook, measured=measured)
        if ended.returncode:
            raise ValueError(
                f"{notebook.name} gives other outputs than it was committed with, so it was not measured; "
                f"make notebooks ARGS={notebook.stem[:2]}\n{ended.stdout}{ended.stderr}"
            )
        return notebook_sources.read_measured(measured)[notebook.stem]


def state(found: dict[str, dict[str, float]], path: pathlib.Path = notebook_sources.MEASURED) -> None:
    """Writes what was measured over what was known; notebooks that are gone are left out.

    Args:
      found: {"00_welcome": {"seconds": ..., "peak_mb": ...}}.
      path: the file of what is known.
    """
    measured = notebook_sources.read_measured(path) | found
    names = {source.stem for source in notebook_sources.find_sources()}
    notebook_sources.write_measured({name: measured[name] for name in names & measured.keys()}, path)


def main(arguments: list[str] | None = None) -> None:
    """Measures what the command line names, then writes the notebooks' first cells and the index."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="numbers of notebooks, such as 00; default all")
    settings = parser.parse_args(arguments)
    for source in notebook_sources.find_sources(settings.names):
        found = measure(notebook_sources.notebook_of(source))
        print(f"{source.stem}: {found['seconds']} s, {found['peak_mb']} MB", flush=True)
        state({source.stem: found})
    build_notebooks.refresh_texts()
    notebook_index.update_readme()


if __name__ == "__main__":
    sys.exit(main())
