import pytest

import notebook_index
import notebook_sources


def test_the_readmes_index_is_up_to_date():
    text = notebook_index.README.read_text(encoding="utf-8")
    assert notebook_index.with_index(text) == text, "make notebooks ARGS=--prose"


def test_the_index_has_a_row_for_each_notebook_with_its_badges():
    rows = notebook_index.make_index().splitlines()[2:]
    for row, source in zip(rows, notebook_sources.find_built(), strict=True):
        assert f"(notebooks/{source.stem}.ipynb)" in row
        assert "[![Open in Colab](" in row and "[![Open in Binder](" in row
        assert row.count("|") == 5


def test_new_measurements_change_the_index(monkeypatch):
    before = notebook_index.make_index()
    monkeypatch.setattr(
        notebook_sources, "read_measured", lambda: {"00_welcome": {"seconds": 300, "peak_mb": 5000}}
    )
    assert notebook_index.make_index() != before
    assert "under 6 minutes, under 5.3 GB" in notebook_index.make_index()


def test_a_readme_without_the_marks_is_an_error():
    with pytest.raises(ValueError, match="lacks the lines"):
        notebook_index.with_index("# fedlab\n")
