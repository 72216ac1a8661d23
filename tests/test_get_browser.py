"""The browser of the tests: one that is there, else a download, else Debian's package, else the way out."""

import os
import pathlib
import subprocess
import sys

import pytest

from get_browser import find_browser

pytestmark = pytest.mark.browser
TOOL = pathlib.Path(__file__).parent.parent / "tools" / "get_browser.py"


def get_browser(folder, *, programs=(), **settings):
    """Runs the tool where only some programs are on the PATH and Playwright's download goes nowhere."""
    (folder / "bin").mkdir()
    for name, script in dict(programs).items():
        (folder / "bin" / name).write_text(f"#!/bin/bash\n{script}\n")
        (folder / "bin" / name).chmod(0o755)
    environment = {
        "PATH": str(folder / "bin"),
        "HOME": str(folder),
        "PLAYWRIGHT_BROWSERS_PATH": str(folder / "none"),
        "PLAYWRIGHT_DOWNLOAD_HOST": "http://127.0.0.1:9",  # nothing answers there
    }
    return subprocess.run(
        [sys.executable, TOOL], env=environment | settings, capture_output=True, text=True, timeout=300
    )


def real_browser():
    path = find_browser()
    assert path, "There is no Chromium: run `make test`, which gets one."
    return path


def test_a_browser_on_the_path_is_taken(tmp_path):
    ended = get_browser(tmp_path, programs={"google-chrome": f'exec {real_browser()} "$@"'})
    assert ended.stdout.strip() == str(tmp_path / "bin" / "google-chrome")
    assert ended.stderr == ""


def test_a_chromium_that_only_says_how_to_install_one_is_passed_over(tmp_path):
    programs = {
        "chromium": "echo 'snap install chromium'; exit 1",
        "chromium-browser": f'exec {real_browser()} "$@"',
    }
    ended = get_browser(tmp_path, programs=programs)
    assert ended.stdout.strip() == str(tmp_path / "bin" / "chromium-browser")


def test_debians_package_is_installed_where_the_download_fails(tmp_path):
    install = f"""[[ $* == *install* ]] || exit 0
PATH={os.environ["PATH"]}
printf '#!/bin/bash\\nexec {real_browser()} "$@"\\n' > {tmp_path}/bin/chromium
chmod +x {tmp_path}/bin/chromium"""
    programs = {"apt-get": install, "sudo": 'shift; exec "$@"'}
    ended = get_browser(tmp_path, programs=programs)
    assert ended.stdout.strip() == str(tmp_path / "bin" / "chromium"), ended.stderr
    assert "this did not work" in ended.stderr and "playwright install chromium" in ended.stderr


def test_where_none_can_be_had_the_error_says_how_to_get_one(tmp_path):
    ended = get_browser(
        tmp_path, programs={"apt-get": "echo 'E: no permission' >&2; exit 100", "sudo": "exit 1"}
    )
    assert ended.returncode == 1 and ended.stdout == ""
    assert "apt install chromium" in ended.stderr and "CHROMIUM=/path/to/chromium" in ended.stderr


def test_a_browser_that_was_named_and_does_not_start_is_an_error(tmp_path):
    ended = get_browser(tmp_path, CHROMIUM="/no/such/chromium")
    assert ended.returncode == 1
    assert "CHROMIUM=/no/such/chromium: this does not start" in ended.stderr


def test_a_browser_that_was_named_is_taken(monkeypatch):
    path = real_browser()
    monkeypatch.setenv("CHROMIUM", path)
    assert find_browser() == path


@pytest.mark.parametrize("broken", ["/bin/true", "/bin/false", __file__])
def test_a_program_that_is_no_browser_is_none(monkeypatch, broken):
    monkeypatch.setenv("CHROMIUM", broken)
    with pytest.raises(RuntimeError, match="does not start"):
        find_browser()
