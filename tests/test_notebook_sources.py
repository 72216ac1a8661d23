import subprocess
import sys
import urllib.parse

import pytest

import notebook_sources
from notebook_sources import describe_measured, find_sources


@pytest.mark.parametrize(
    ("seconds", "peak_mb", "text"),
    [
        (5, 130, "under 1 minute, under 0.2 GB of memory"),
        (51, 1130, "under 1 minute, under 1.2 GB of memory"),
        # 15 % and 5 % are added before rounding up: machines differ.
        (53, 1150, "under 2 minutes, under 1.3 GB of memory"),
        (150, 1500, "under 3 minutes, under 1.6 GB of memory"),
    ],
)
def test_what_was_measured_is_stated_rounded_up(seconds, peak_mb, text):
    assert describe_measured({"seconds": seconds, "peak_mb": peak_mb}) == text


def test_a_notebook_that_was_not_measured_says_so():
    assert describe_measured(None) == "not measured yet"


def test_measured_files_are_read_as_written(tmp_path):
    measured = {"00_a": {"seconds": 1.5, "peak_mb": 20}, "01_b": {"seconds": 2.0, "peak_mb": 30}}
    notebook_sources.write_measured(measured, tmp_path / "measured.json")
    assert notebook_sources.read_measured(tmp_path / "measured.json") == measured
    assert notebook_sources.read_measured(tmp_path / "missing.json") == {}


def test_sources_are_found_by_their_numbers():
    (found,) = find_sources(["00"])
    assert found.name == "00_welcome.py"
    with pytest.raises(ValueError, match="no notebook '99'; there are 00_welcome"):
        find_sources(["99"])


def test_a_notebook_links_to_the_next_that_is_there(tmp_path, monkeypatch):
    for name in ("00_a", "01_b", "02_c"):
        (tmp_path / f"{name}.py").write_text(f"# %% [markdown]\n# # {name}\n#\n# {{{{ next }}}}\n")
    monkeypatch.setattr(notebook_sources, "SOURCES", tmp_path)
    monkeypatch.setattr(notebook_sources, "NOTEBOOKS", tmp_path)
    (tmp_path / "02_c.ipynb").touch()

    def last_line(source):
        notebook = notebook_sources.read_source(source)
        notebook_sources.fill(notebook, source)
        return notebook.cells[0].source.splitlines()[-1]

    assert last_line(tmp_path / "00_a.py") == "**Next:** [02_c](02_c.ipynb)"
    assert last_line(tmp_path / "02_c.py") == "This is the last notebook so far."


@pytest.fixture
def published_elsewhere(tmp_path, monkeypatch):
    """A pyproject.toml that names another owner."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.fedlab]\nrepository = "someone/forked"\nbranch = "mine"\n'
    )
    monkeypatch.setattr(notebook_sources, "ROOT", tmp_path)


def test_links_name_the_repository_of_pyproject_and_the_notebook(published_elsewhere):
    colab = notebook_sources.opening_url("00_welcome.ipynb", "colab")
    binder = notebook_sources.opening_url("00_welcome.ipynb", "binder")
    assert (
        colab
        == "https://colab.research.google.com/github/someone/forked/blob/mine/notebooks/00_welcome.ipynb"
    )
    address = urllib.parse.urlsplit(binder)
    assert address.path == "/v2/gh/someone/forked/mine"
    assert urllib.parse.parse_qs(address.query) == {"urlpath": ["lab/tree/notebooks/00_welcome.ipynb"]}


def test_the_setup_cell_installs_from_the_repository_of_pyproject(published_elsewhere):
    source = find_sources(["00"])[0]
    notebook = notebook_sources.read_source(source)
    notebook_sources.fill(notebook, source)
    (setup,) = [cell.source for cell in notebook.cells if cell.source.startswith("# Setup.")]
    assert '"https://github.com/someone/forked"' in setup
    assert "/raw/mine/colab/set_up.py" in setup and '"branch": "mine"' in setup
    assert "{{" not in setup


@pytest.mark.parametrize("command", ["check", "format --check"])
def test_the_setup_cell_is_written_as_make_check_wants_it(command):
    source = find_sources(["01"])[0]
    notebook = notebook_sources.read_source(source)
    notebook_sources.fill(notebook, source)
    setup = next(cell.source for cell in notebook.cells if cell.source.startswith("# Setup."))
    ruff = [sys.executable, "-m", "ruff", *command.split(), "--stdin-filename", str(source), "-"]
    ended = subprocess.run(ruff, input=setup + "\n", capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_an_unknown_placeholder_is_an_error(tmp_path):
    path = tmp_path / "44_typo.py"
    path.write_text("# %% [markdown]\n# {{ mesured }}\n")
    with pytest.raises(ValueError, match="'mesured'"):
        notebook_sources.fill(notebook_sources.read_source(path), path)
