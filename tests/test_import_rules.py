"""ARCHITECTURE.md's rules about imports: who may call whom, and who may know TFF."""

import ast
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
# The one file below `training` that is TFF's: importing it is importing TFF.
TFF_FILE = "datasets/federated_text.py"
TFF_MODULES = ("tensorflow_federated", "fedlab.datasets.federated_text")
# Rooms of fedlab/ that may import TFF: anywhere, or only inside functions, so that text and
# sequences serve readers who never load TFF, and what mends TFF waits until TFF is there. The demo
# is a learner's script, and the doctor tries whether TFF can be imported.
# `widgets` and `plots` see plain records only.
TFF_ANYWHERE = {"aggregators", "runtime", "training"}
TFF_INSIDE_FUNCTIONS = {"datasets", "demo", "doctor", "keras_classes"}


def forbidden_tff_imports(package):
    """Lists the imports of TFF that the rules forbid, as "file:line: reason"."""
    return [
        f"{place}: {room} may not import TFF" + (" at import time" if room in TFF_INSIDE_FUNCTIONS else "")
        for room, place, in_function in tff_imports(package)
        if room not in TFF_ANYWHERE and not (room in TFF_INSIDE_FUNCTIONS and in_function)
    ]


def tff_imports(package):
    """Lists where the package imports TFF: (room, "file:line", whether inside a function)."""
    for path in sorted(package.rglob("*.py")):
        file = path.relative_to(package)
        if file.as_posix() == TFF_FILE:
            continue
        for node, in_function in walk_with_functions(ast.parse(path.read_text(encoding="utf-8"))):
            if any(f"{name}.".startswith(f"{tff}.") for name in imported_names(node) for tff in TFF_MODULES):
                yield file.parts[0].removesuffix(".py"), f"{file}:{node.lineno}", in_function


def walk_with_functions(node, in_function=False):
    """Walks the syntax tree of what is run; each node comes with whether it stands inside a function."""
    yield node, in_function
    inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    for child in _children_that_run(node):
        yield from walk_with_functions(child, inside)


def _children_that_run(node):
    """The children of a node, without what only type checkers read: `if typing.TYPE_CHECKING:`."""
    if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
        return node.orelse
    return ast.iter_child_nodes(node)


def imported_names(node):
    """Lists what an import statement may load: `from a import b` loads a and perhaps a.b."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def lint_imports(folder):
    """Holds the contracts of the folder's pyproject.toml against the fedlab/ beside it."""
    return subprocess.run(
        # -P: only the folder's own fedlab is on the path, not the one that runs this test.
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def copy_of_fedlab(tmp_path):
    """A copy of the package's Python files and of pyproject.toml, to break rules in."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    only_python = shutil.ignore_patterns("__pycache__", "*.txt", "*.safetensors", "*.npz", "*.json")
    shutil.copytree(ROOT / "fedlab", tmp_path / "fedlab", ignore=only_python)
    return tmp_path


def test_imports_point_downwards():
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout


def test_only_rooms_that_need_tff_import_it():
    assert forbidden_tff_imports(ROOT / "fedlab") == []


def test_import_that_points_upwards_is_found(copy_of_fedlab):
    with open(copy_of_fedlab / "fedlab" / "vocabulary.py", "a", encoding="utf-8") as module:
        module.write("\n\nfrom fedlab import datasets\n")
    result = lint_imports(copy_of_fedlab)
    assert result.returncode == 1, result.stdout
    assert "fedlab.vocabulary -> fedlab.datasets" in result.stdout


@pytest.mark.parametrize(
    ("file", "code", "complaints"),
    [
        ("plots.py", "import tensorflow_federated as tff", ["plots.py:1: plots may not"]),
        (
            "widgets/rounds.py",
            "def f():\n  from tensorflow_federated import types",
            ["widgets/rounds.py:2:"],
        ),
        (
            "datasets/a.py",
            "try:\n  import tensorflow_federated.python as p\nfinally: ...",
            ["datasets/a.py:2:"],
        ),
        ("datasets/a.py", "from fedlab.datasets import federated_text", ["datasets/a.py:1:"]),
        ("cli.py", "def f():\n  import fedlab.datasets.federated_text", ["cli.py:2:"]),
        ("datasets/a.py", "class A:\n  def f(self):\n    import tensorflow_federated", []),
        ("runtime/a.py", "import tensorflow_federated as tff", []),
        ("datasets/federated_text.py", "import tensorflow_federated as tff", []),
        ("plots.py", "import tensorflow_federated_words", []),
        ("datasets/a.py", "if typing.TYPE_CHECKING:\n  import tensorflow_federated as tff", []),
        (
            "datasets/a.py",
            "if TYPE_CHECKING: ...\nelse:\n  import tensorflow_federated",
            ["datasets/a.py:3:"],
        ),
    ],
)
def test_import_of_tff_in_the_wrong_room_is_found(tmp_path, file, code, complaints):
    path = tmp_path / "fedlab" / file
    path.parent.mkdir(parents=True)
    path.write_text(code)
    found = forbidden_tff_imports(tmp_path / "fedlab")
    assert len(found) == len(complaints)
    assert all(complaint in line for complaint, line in zip(complaints, found, strict=True))
