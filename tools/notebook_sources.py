"""The sources of the notebooks: Jupytext scripts, and what is filled into them.

`notebooks/sources/NN_name.py` holds cells that begin with `# %%` or `# %% [markdown]`. Filled in are

    {{ measured }}   minutes and memory on two cores, from notebooks/measured.json
    {{ links }}      where the notebook opens in Colab and Binder
    {{ setup }}      the one setup cell that all notebooks share: notebooks/sources/setup_cell.txt
    {{ repository }}, {{ branch }}   inside that cell: where pyproject.toml says that this is published
    {{ next }}       the link to the next notebook
    {{ course }}     a list of all notebooks
"""

import hashlib
import json
import math
import pathlib
import re
import tomllib
import urllib.parse

import jupytext

ROOT = pathlib.Path(__file__).parent.parent
NOTEBOOKS = ROOT / "notebooks"
SOURCES = NOTEBOOKS / "sources"
MEASURED = NOTEBOOKS / "measured.json"
SETUP_CELL = SOURCES / "setup_cell.txt"

_PLACEHOLDER = re.compile(r"(?:# )?\{\{ (\w+) \}\}")
_LEARN = re.compile(r"\*\*You will learn\*\*\s+(.*?)(?:\n\n|\Z)", re.DOTALL)

# What is stated is a little above what was measured, and rounded up: machines differ.
_TIME_MARGIN = 1.15
_MEMORY_MARGIN = 1.05


def find_sources(names=()):
    """Lists the scripts in the order of the course; `names` are numbers or beginnings, such as "01".

    Raises:
      ValueError: a name fits no script.
    """
    sources = sorted(SOURCES.glob("[0-9][0-9]_*.py"))
    for name in names:
        if not any(source.stem.startswith(name) for source in sources):
            known = ", ".join(source.stem for source in sources)
            raise ValueError(f"There is no notebook {name!r}; there are {known}.")
    return [source for source in sources if not names or source.stem.startswith(tuple(names))]


def find_built():
    """Lists the scripts whose notebooks are there: those that others may link to."""
    return [source for source in find_sources() if notebook_of(source).exists()]


def notebook_of(source):
    """Where the notebook of a script is: notebooks/sources/00_welcome.py -> notebooks/00_welcome.ipynb."""
    return NOTEBOOKS / f"{source.stem}.ipynb"


def read_source(source):
    """Reads a script as a notebook without outputs, nothing filled in yet.

    A cell's id is made of its content, so that a new cell leaves the ids of the others alone.
    """
    notebook = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent")
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    seen = {}
    for cell in notebook.cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, 0) + 1
        cell["id"] = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
    return notebook


def fill(notebook, source, measured=None):
    """Fills the placeholders of a notebook, in place.

    Args:
      notebook: from `read_source`.
      source: the script that it was read from.
      measured: {"seconds": ..., "peak_mb": ...}, or None where it was never measured.
    """
    for cell in notebook.cells:
        cell.source = _fill_text(cell.source, source, measured)


def _fill_text(text, source, measured):
    return _PLACEHOLDER.sub(lambda match: _filling(match.group(1), source, measured), text)


def _filling(name, source, measured):
    if name == "measured":
        return describe_measured(measured)
    if name == "links":
        colab, binder = (opening_url(notebook_of(source).name, service) for service in ("colab", "binder"))
        return f"[Open in Colab]({colab}) · [Open in Binder]({binder})"
    if name == "setup":
        return _fill_text(SETUP_CELL.read_text(encoding="utf-8").strip(), source, measured)
    if name in ("repository", "branch"):
        return publication()[name]
    if name == "next":
        return _link_to_next(source)
    if name == "course":
        return "\n".join(
            f"- [{title_of(one)}]({notebook_of(one).name}): {lesson_of(one)}" for one in find_built()
        )
    raise ValueError(f"{source.name}: nothing is known to fill in for {name!r}.")


def _link_to_next(source):
    later = [other for other in find_built() if other.stem > source.stem]
    if not later:
        return "This is the last notebook so far."
    return f"**Next:** [{title_of(later[0])}]({notebook_of(later[0]).name})"


# --- What was measured --------------------------------------------------------------------------


def read_measured(path=MEASURED):
    """What was measured of each notebook: {"00_welcome": {"seconds": 12.3, "peak_mb": 700}, ...}."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write_measured(measured, path=MEASURED):
    """Writes what was measured, one notebook a line, in the order of the course."""
    lines = [f"  {json.dumps(name)}: {json.dumps(measured[name])}" for name in sorted(measured)]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def describe_measured(measured):
    """{"seconds": 70, "peak_mb": 1130} -> "under 2 minutes, under 1.2 GB of memory"."""
    if measured is None:
        return "not measured yet"
    minutes = math.ceil(measured["seconds"] * _TIME_MARGIN / 60)
    gigabytes = math.ceil(measured["peak_mb"] * _MEMORY_MARGIN / 100) / 10
    return f"under {minutes} minute{'s' * (minutes > 1)}, under {gigabytes:.1f} GB of memory"


# --- What the README says -----------------------------------------------------------------------


def title_of(source):
    """The first heading of a script: "# # 00 · Welcome" -> "00 · Welcome"."""
    heading = re.search(r"^# # (.+)$", source.read_text(encoding="utf-8"), re.MULTILINE)
    if heading is None:
        raise ValueError(
            f"{source.name} has no heading: begin its first cell with '# # {source.stem[:2]} · …'."
        )
    return heading.group(1).strip()


def lesson_of(source):
    """What one learns, on one line: the paragraph of the first cell that begins "**You will learn**"."""
    found = _LEARN.search(read_source(source).cells[0].source)
    if found is None:
        raise ValueError(f"{source.name}: its first cell has no paragraph '**You will learn** …'.")
    return " ".join(found.group(1).split())


def opening_url(notebook_name, service):
    """Where a notebook of the repository that pyproject.toml names opens in "colab" or "binder"."""
    repository, branch = publication()["repository"], publication()["branch"]
    if service == "colab":
        return (
            f"https://colab.research.google.com/github/{repository}/blob/{branch}/notebooks/{notebook_name}"
        )
    path = urllib.parse.quote(f"lab/tree/notebooks/{notebook_name}", safe="")
    return f"https://mybinder.org/v2/gh/{repository}/{branch}?urlpath={path}"


def publication():
    """Where this is published, as pyproject.toml says: {"repository": "OWNER/NAME", "branch": "main"}."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return project["tool"]["fedlab"]
