"""What takes long begins first, a file stays together, and a single file needs no other process."""

import pathlib
import subprocess
import sys
import types

import pytest
import sharing_out

import notebook_sources

ROOT = pathlib.Path(__file__).parent.parent
NOTEBOOK = sharing_out.ONE_BY_ONE + "the_outputs_that_it_was_committed_with[{}]"
# Tests that say in which process they run; three files, of which one is the notebooks'.
SAYS_WHERE = """
import os, pathlib, pytest
@pytest.mark.parametrize("number", range(4))
def {name}(number):
    with open({log!r}, "a") as log:
        log.write(f"{{pathlib.Path(__file__).name}} {{os.environ['PYTEST_XDIST_WORKER']}}\\n")
"""


def test_long_files_and_notebooks_come_first_the_longest_before_the_others():
    measured = {"00_a": {"seconds": 5}, "01_b": {"seconds": 5000}}
    names = [
        "tests/test_vocabulary.py::test_a",
        NOTEBOOK.format("00_a"),
        *(f"{file}::test_a" for file in sharing_out.LONG_FILES),
        NOTEBOOK.format("01_b"),
    ]
    names.sort(key=lambda name: -sharing_out.seconds_of(name, measured))
    assert names[0] == NOTEBOOK.format("01_b")
    assert names[1].startswith(max(sharing_out.LONG_FILES, key=sharing_out.LONG_FILES.get))
    assert names[-1].startswith("tests/test_vocabulary.py")


@pytest.mark.parametrize("source", notebook_sources.find_sources(), ids=lambda source: source.stem)
def test_every_notebook_has_its_measured_seconds(source):
    seconds = sharing_out.seconds_of(NOTEBOOK.format(source.stem), notebook_sources.read_measured())
    assert seconds == notebook_sources.read_measured()[source.stem]["seconds"] > 0


@pytest.mark.parametrize(
    ("arguments", "alone"),
    [
        (["tests"], False),
        (["tests/widgets"], False),
        (["tests/test_demo.py", "tests/test_machine.py"], False),
        (["tests/test_demo.py"], True),
        (["tests/test_demo.py::test_a", "tests/test_demo.py::test_b[x]"], True),
    ],
)
def test_a_single_file_is_run_without_other_processes(arguments, alone):
    number = sharing_out.pytest_xdist_auto_num_workers(types.SimpleNamespace(args=arguments))
    assert (number == 0) == alone


def test_a_file_is_run_by_one_process_and_notebooks_by_whichever_is_free(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_text(
        "from sharing_out import pytest_collection_modifyitems, pytest_xdist_make_scheduler\n"
    )
    log = str(tmp_path / "log.txt")
    # The notebooks come first: each of two processes is given some before any test has ended.
    for file, name in [("notebooks", "test_notebook_gives_all"), ("x", "test_x"), ("y", "test_y")]:
        (tmp_path / "tests" / f"test_{file}.py").write_text(SAYS_WHERE.format(name=name, log=log))
    paths = f"pythonpath={ROOT / 'tests'} {ROOT / 'tools'}"
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "-o", paths]
    ended = subprocess.run(
        [*command, "--no-loadscope-reorder", "--rootdir", tmp_path, tmp_path / "tests"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    where = [line.split() for line in pathlib.Path(log).read_text().splitlines()]
    assert len(where) == 12
    for file, processes in [("test_notebooks.py", 2), ("test_x.py", 1), ("test_y.py", 1)]:
        assert len({process for name, process in where if name == file}) == processes, where
