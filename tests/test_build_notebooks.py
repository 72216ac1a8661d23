import re
import shutil

import nbformat
import pytest

import build_notebooks
import notebook_sources
from compare_notebooks import run_nbval

pytestmark = pytest.mark.notebook
SOURCE = """\
# %% [markdown]
# # 42 · A trial
#
# **You will learn** how notebooks
# are made.
#
# {{ measured }}

# %%
# {{ setup }}

# %%
import time
import warnings

from tqdm.auto import tqdm

for _ in tqdm(range(4), unit="round"):
    time.sleep(0.01)
print("out")
warnings.warn("careful", stacklevel=1)

# %%
for _ in tqdm(range(4), leave=False):
    time.sleep(0.01)

# %% tags=["raises-exception"]
import pathlib

pathlib.Path("nowhere").read_text()

# %%
from fedlab.plots.style import new_figure

with new_figure(2, 1, "An empty figure.") as figure:
    figure.subplots()
figure
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("sources") / "42_trial.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def built(source):
    return build_notebooks.build(source, source.parent)


@pytest.fixture
def cells(built):
    return built[0].cells


def output_texts(cell):
    return [str(output.get("text") or output.get("data") or output) for output in cell.outputs]


def test_a_finished_bar_is_kept_as_text_without_times(cells):
    assert cells[2].outputs[0].data == {"text/plain": "100%|██████████| 4/4"}


def test_a_bar_that_closes_leaves_nothing(cells):
    assert cells[3].outputs == []


def test_what_was_printed_and_warned_of_is_kept_without_the_kernels_file(cells):
    assert cells[2].outputs[1].text == "out\n"
    assert cells[2].outputs[2].text.startswith("<cell>: UserWarning: careful")


def test_a_traceback_keeps_the_learners_frame_and_counts_the_others(cells):
    (error,) = cells[4].outputs
    traceback = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
    assert 'pathlib.Path("nowhere").read_text()' in traceback
    assert re.search(r"\.\.\. \d+ frames inside libraries \.\.\.", traceback)
    assert "pathlib.py" not in traceback
    assert traceback.endswith("FileNotFoundError: [Errno 2] No such file or directory: 'nowhere'")


def test_a_figure_is_a_picture_and_its_description(cells):
    figure, words = cells[5].outputs
    assert figure.data["text/plain"] == "An empty figure."
    assert figure.metadata["image/png"]["alt"] == "An empty figure."
    assert figure.data["image/png"].startswith("iVBOR")
    assert "An empty figure." in words.data["text/html"]


def test_seconds_and_memory_are_measured(built):
    measured = built[1]
    assert 0 < measured["seconds"] < 600
    assert 20 < measured["peak_mb"] < 1000


def test_what_was_built_passes_nbval(built, source, tmp_path):
    notebook, measured = built
    notebook_sources.fill(notebook, source, measured)
    build_notebooks.write(notebook, tmp_path / "42_trial.ipynb")
    result = run_nbval(tmp_path / "42_trial.ipynb", measured=tmp_path / "measured.json")
    assert result.returncode == 0, result.stdout + result.stderr
    assert notebook_sources.read_measured(tmp_path / "measured.json")["42_trial"]["peak_mb"] > 20


def test_a_tag_for_an_exception_that_does_not_come_is_an_error(tmp_path):
    path = tmp_path / "43_calm.py"
    path.write_text('# %% tags=["raises-exception"]\nx = 1\n')
    with pytest.raises(ValueError, match="raises none"):
        build_notebooks.build(path, tmp_path)


def test_an_output_that_names_a_folder_of_this_machine_is_an_error(tmp_path):
    path = tmp_path / "43_path.py"
    path.write_text("# %%\nimport sys\nprint(sys.prefix)\n")
    with pytest.raises(ValueError, match="folders of this machine: cell 1"):
        build_notebooks.build(path, tmp_path)


def test_notebooks_cannot_reach_the_network(tmp_path):
    path = tmp_path / "43_online.py"
    path.write_text(
        '# %% tags=["raises-exception"]\nimport socket\nsocket.create_connection(("192.0.2.1", 80), 1)\n'
    )
    notebook, _ = build_notebooks.build(path, tmp_path)
    assert notebook.cells[0].outputs[0].ename == "ConnectionRefusedError"


def test_new_prose_keeps_the_outputs_and_new_code_is_refused(built, tmp_path, monkeypatch):
    monkeypatch.setattr(notebook_sources, "NOTEBOOKS", tmp_path)
    path = tmp_path / "42_trial.py"
    path.write_text(SOURCE.replace("A trial", "Another title"), encoding="utf-8")
    notebook = nbformat.from_dict(dict(built[0]))
    notebook_sources.fill(notebook, path, built[1])
    build_notebooks.write(notebook, tmp_path / "42_trial.ipynb")

    changed = build_notebooks.with_new_prose(path, built[1])
    assert changed.cells[0].source.startswith("# 42 · Another title")
    assert changed.cells[2].outputs[1].text == "out\n"

    path.write_text(SOURCE.replace('print("out")', 'print("other")'), encoding="utf-8")
    with pytest.raises(ValueError, match="code changed"):
        build_notebooks.with_new_prose(path, built[1])


def test_new_comments_and_a_new_setup_cell_keep_the_outputs(built, tmp_path, monkeypatch):
    monkeypatch.setattr(notebook_sources, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(notebook_sources, "SETUP_CELL", tmp_path / "setup_cell.txt")
    path = tmp_path / "42_trial.py"
    notebook = nbformat.from_dict(dict(built[0]))
    notebook.cells[1].source = "# Setup. As it was."
    build_notebooks.write(notebook, tmp_path / "42_trial.ipynb")

    path.write_text(SOURCE.replace('print("out")', 'print("out")  # a comment'), encoding="utf-8")
    notebook_sources.SETUP_CELL.write_text("# Setup. As it is now.\nimport sys\n")
    changed = build_notebooks.with_new_prose(path, built[1])
    assert changed.cells[1].source == "# Setup. As it is now.\nimport sys"
    assert 'print("out")  # a comment' in changed.cells[2].source
    assert changed.cells[2].outputs[1].text == "out\n"


def test_cells_keep_their_ids_when_another_is_put_between(source, tmp_path):
    before = [cell.id for cell in notebook_sources.read_source(source).cells]
    longer = tmp_path / "42_trial.py"
    shutil.copy(source, longer)
    longer.write_text(
        SOURCE.replace("# %%\nimport time", "# %%\n1 + 1\n\n# %%\nimport time"), encoding="utf-8"
    )
    after = [cell.id for cell in notebook_sources.read_source(longer).cells]
    assert len(after) == len(before) + 1
    assert [cell_id for cell_id in after if cell_id in before] == before
