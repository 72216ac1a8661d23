"""The main job itself, made smaller: real model, real clients, real rounds."""

import signal
import subprocess
import sys

import pytest

from fedlab import cli
from fedlab.models.weights import read_weights

pytestmark = pytest.mark.slow
SMALL = ["demo", "--rounds", "1", "--clients-per-round", "2", "--length", "30"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """(output folder, what was printed) of one small demo in a process of its own."""
    folder = tmp_path_factory.mktemp("demo")
    result = subprocess.run(
        [sys.executable, "-m", "fedlab.cli", *SMALL, "--out", str(folder)], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return folder, result.stdout, result.stderr


def test_demo_tells_what_changed(demo):
    _, printed, _ = demo
    assert "19 clients can train; 6 have too little text." in printed
    assert "Before:\n  | What say you, my lord? " in printed
    assert "After:\n  | What say you, my lord? " in printed
    rows = {
        line.split()[0]: line.split()
        for line in printed.splitlines()
        if line.startswith(("accuracy", "loss"))
    }
    before, after, change = (float(cell.rstrip("%")) for cell in rows["accuracy"][1:])
    assert 40 < before < after < 60
    assert change == pytest.approx(after - before, abs=0.11)


def test_demo_shows_its_progress_and_no_chatter(demo):
    _, _, errors = demo
    assert "held-out accuracy" in errors
    assert "WARNING" not in errors
    assert "Warning" not in errors


def test_demo_writes_its_figure_and_the_weights(demo):
    folder, _, _ = demo
    assert sorted(path.name for path in folder.iterdir()) == ["fine_tuned.safetensors", "fine_tuning.png"]
    assert (folder / "fine_tuning.png").read_bytes()[:4] == b"\x89PNG"
    assert len(read_weights(folder / "fine_tuned.safetensors")) == 6


def test_interrupted_demo_goes_on_with_the_rounds_that_were_finished(tmp_path):
    command = [sys.executable, "-m", "fedlab.cli", "demo", "--rounds", "50", "--clients-per-round", "2"]
    with subprocess.Popen(
        [*command, "--length", "10", "--out", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        shown = ""
        while "1/50" not in shown:
            shown += process.stderr.read(1) or pytest.fail(f"the demo ended early: {shown}")
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate()
    assert process.returncode == 0
    assert "Stopped; going on with what there is after round 1." in printed
    assert (tmp_path / "fine_tuning.png").exists()
    assert "After:" in printed


def test_output_folder_that_cannot_be_made_is_an_error_in_words(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert cli.main([*SMALL, "--out", str(tmp_path / "file" / "out")]) == 1
    assert "fedlab: " in capsys.readouterr().err


def test_numbers_that_are_none_are_refused(capsys):
    with pytest.raises(SystemExit):
        cli.main(["demo", "--rounds", "many"])
    assert "--rounds: invalid int value: 'many'" in capsys.readouterr().err


def test_no_rounds_are_refused_before_anything_is_loaded(tmp_path, capsys):
    assert cli.main(["demo", "--rounds", "0", "--out", str(tmp_path / "out")]) == 1
    assert "rounds=0" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
