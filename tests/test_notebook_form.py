"""How a notebook reads, as far as a program can tell: CONTRIBUTING.md, "How notebooks read"."""

import re
import statistics

import nbformat
import pytest

import notebook_sources

MEDIAN_LINES = 6
SOURCES = notebook_sources.find_sources()


@pytest.fixture(params=SOURCES, ids=lambda source: source.stem)
def cells(request):
    return notebook_sources.read_source(request.param).cells


def code(cells):
    return [cell.source for cell in cells if cell.cell_type == "code"]


def text(cells):
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def test_it_opens_with_what_one_learns_and_needs_and_with_what_was_measured(cells):
    first = cells[0].source
    assert re.match(r"# \d\d · \S", first)
    for part in ("**You will learn** ", "**You need** ", "{{ measured }}", "{{ links }}"):
        assert part in first


def test_the_first_code_is_the_setup_cell(cells):
    assert code(cells)[0] == "# {{ setup }}"


def test_fedlab_is_imported_before_tensorflow(cells):
    imports = re.findall(r"^(?:import|from) (fedlab|tensorflow)", "\n".join(code(cells)), re.MULTILINE)
    assert imports[0] == "fedlab"


def test_there_is_a_cell_of_named_settings(cells):
    assert any(re.match(r"(?:#.*\n)*[A-Z][A-Z_]+ = ", cell) for cell in code(cells)[:8])


def test_half_of_the_cells_are_short(cells):
    lines = [sum(bool(line.strip()) for line in cell.splitlines()) for cell in code(cells)[1:]]
    assert statistics.median(lines) <= MEDIAN_LINES


def test_it_closes_with_recap_exercises_with_hidden_solutions_and_the_next(cells):
    recap, exercises = text(cells).split("## Exercises")
    assert "## Recap" in recap
    assert 2 <= exercises.count("<details><summary>") == exercises.count("</details>") <= 4
    assert exercises.strip().endswith("{{ next }}")


@pytest.mark.parametrize("source", notebook_sources.find_built(), ids=lambda source: source.stem)
def test_every_picture_has_alt_text_that_is_compared(source):
    notebook = nbformat.read(notebook_sources.notebook_of(source), as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    for output in outputs:
        if "image/png" in output.get("data", {}):
            assert len(output.metadata["image/png"]["alt"]) > 40
            assert output.data["text/plain"] == output.metadata["image/png"]["alt"]
