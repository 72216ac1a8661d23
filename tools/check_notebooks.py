"""Checks that the notebooks' metadata is clean: what differs per machine or per run stays out of git.

    tools/check_notebooks.py                  every notebook under notebooks/
    tools/check_notebooks.py A.ipynb B.ipynb  these (pre-commit calls it so)
    tools/check_notebooks.py --fix            takes out what does not belong

Clean means: the notebook names its kernel and its language; cells carry an id and, where a tool acts
on them, tags; nothing else. Outputs and execution counts stay, since nbval compares them.
"""

import argparse
import json
import pathlib
import re
import sys
import uuid

NOTEBOOKS = pathlib.Path(__file__).parent.parent / "notebooks"

NOTEBOOK_METADATA = {
    "kernelspec": {"display_name", "language", "name"},
    # No version: it is that of the machine which saved the notebook last.
    "language_info": {
        "codemirror_mode",
        "file_extension",
        "mimetype",
        "name",
        "nbconvert_exporter",
        "pygments_lexer",
    },
}
REQUIRED = {"kernelspec": {"display_name", "name"}, "language_info": {"name"}}
KERNEL = "python3"
# Tags that a tool acts on; a tag that none knows is a misspelling or a note to oneself.
TAGS = {
    "hide-input",
    "hide-output",
    "nbval-check-output",
    "nbval-ignore-output",
    "nbval-skip",
    "parameters",
    "raises-exception",
    "remove-cell",
    "remove-input",
    "remove-output",
    "skip-execution",
}
# nbformat 4.5 is the first in which cells have ids.
FORMAT = (4, 5)
CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def problems_in(notebook):
    """Lists what is not clean in a notebook (as parsed JSON), one sentence each."""
    return [*_format_problems(notebook), *_notebook_problems(notebook), *_cell_problems(notebook)]


def _format_problems(notebook):
    found = (notebook.get("nbformat"), notebook.get("nbformat_minor"))
    if found[0] != FORMAT[0] or (found[1] or 0) < FORMAT[1]:
        yield f"the format is {found[0]}.{found[1]}, not 4.5, so cells have no ids: save it in JupyterLab"


def _notebook_problems(notebook):
    metadata = notebook.get("metadata", {})
    for key in metadata.keys() - NOTEBOOK_METADATA.keys():
        yield f"notebook metadata {key!r} does not belong in git"
    for key, allowed in NOTEBOOK_METADATA.items():
        found = metadata.get(key, {}).keys()
        for inner in found - allowed:
            yield f"notebook metadata '{key}.{inner}' does not belong in git"
        for inner in REQUIRED[key] - found:
            yield f"notebook metadata '{key}.{inner}' is missing: choose the Python 3 kernel and save"
    kernel = metadata.get("kernelspec", {}).get("name", KERNEL)
    if kernel != KERNEL:
        yield f"the kernel is {kernel!r}, which other machines lack: choose {KERNEL!r}"


def _cell_problems(notebook):
    seen = set()
    for number, cell in enumerate(notebook.get("cells", []), start=1):
        cell_id = cell.get("id")
        if cell_id is None:
            yield f"cell {number} has no id"
        elif not CELL_ID.fullmatch(cell_id) or cell_id in seen:
            yield f"cell {number} has the id {cell_id!r}, which is not valid or not its own"
        seen.add(cell_id)
        metadata = cell.get("metadata", {})
        for key in metadata.keys() - {"tags"}:
            yield f"cell {number} has metadata {key!r}, which does not belong in git"
        for tag in sorted(set(metadata.get("tags", [])) - TAGS):
            known = ", ".join(sorted(TAGS))
            yield f"cell {number} has the tag {tag!r}, on which no tool acts; known: {known}"


def clean(notebook):
    """Takes out, in place, what `--fix` can: metadata that does not belong, ids that are missing."""
    metadata = notebook.setdefault("metadata", {})
    notebook["metadata"] = {
        key: {inner: value for inner, value in metadata[key].items() if inner in allowed}
        for key, allowed in NOTEBOOK_METADATA.items()
        if key in metadata
    }
    seen = set()
    for cell in notebook.get("cells", []):
        if not CELL_ID.fullmatch(cell.get("id") or "") or cell["id"] in seen:
            cell["id"] = uuid.uuid4().hex[:8]
        seen.add(cell["id"])
        tags = cell.get("metadata", {}).get("tags")
        cell["metadata"] = {"tags": tags} if tags else {}


def read(path):
    """Reads a notebook as JSON; raises ValueError, naming the file, where it is none."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not a notebook: {error}") from error
    if not isinstance(notebook, dict) or "cells" not in notebook:
        raise ValueError(f"{path}: not a notebook: it has no cells")
    return notebook


def write(path, notebook):
    """Writes a notebook the way Jupyter does."""
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def find_notebooks(paths):
    """Lists the notebooks that the paths (files or folders) name, without Jupyter's own copies."""
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
        else:
            yield path


def main(arguments=None):
    """Returns the number of notebooks that are not clean, after printing why."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", type=pathlib.Path, help="notebooks or folders")
    parser.add_argument("--fix", action="store_true", help="take out what does not belong")
    settings = parser.parse_args(arguments)
    # Without notebooks/ there is nothing to check, and nothing wrong; a path that was named must exist.
    paths = settings.paths or [path for path in [NOTEBOOKS] if path.is_dir()]
    checked, dirty = 0, 0
    for path in find_notebooks(paths):
        try:
            notebook = read(path)
        except (OSError, ValueError) as error:
            problems = [str(error)]
        else:
            if settings.fix and problems_in(notebook):
                clean(notebook)
                write(path, notebook)
            problems = [f"{path}: {problem}" for problem in problems_in(notebook)]
        checked, dirty = checked + 1, dirty + bool(problems)
        print("\n".join(problems), end="\n" if problems else "")
    way_out = "; tools/check_notebooks.py --fix takes out what does not belong" if dirty else ""
    print(f"notebook metadata: {checked} checked, {dirty} not clean{way_out}")
    return dirty


if __name__ == "__main__":
    sys.exit(min(main(), 1))
