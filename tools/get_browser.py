"""Finds a Chromium for the tests and pictures, and gets one where there is none.

    tools/get_browser.py            prints where it is

One that is there is taken: $CHROMIUM, a Chromium, Chrome or Edge on the PATH, or Playwright's own. Else
Playwright downloads its own; else Debian's package is installed, where this user may do that.
"""

import os
import shutil
import subprocess
import sys

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
_DOWNLOAD_S = 600
_CONNECT_MS = 15_000
_NO_BROWSER = """\
There is no Chromium on this machine, and neither Playwright's download nor Debian's package brought one.
Install Chromium or Chrome, or name one: CHROMIUM=/path/to/chromium
  Debian:             apt install chromium
  with a network:     .venv/bin/playwright install --with-deps chromium"""


class NoBrowserError(RuntimeError):
    """There is no browser, and none could be had."""


def find_browser():
    """Path of a Chromium that starts, or None.

    Raises:
      NoBrowserError: $CHROMIUM names one that does not start.
    """
    named = os.environ.get("CHROMIUM")
    if named:
        if not starts(named):
            raise NoBrowserError(f"CHROMIUM={named}: this does not start; name another, or none.")
        return named
    on_the_path = (shutil.which(name) for name in NAMES)
    return next((path for path in (*on_the_path, playwrights_own()) if path and starts(path)), None)


def playwrights_own():
    """Where Playwright's own Chromium is, or would be."""
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def starts(path):
    """Whether a browser shows a page: some "chromium" on the PATH only say how to install one."""
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            browser.new_page().set_content("<p>hello</p>")
            browser.close()
    except Exception:
        return False
    return True


def get_browser():
    """Path of a Chromium that starts; gets one where there is none.

    Raises:
      NoBrowserError: none could be had.
    """
    found = find_browser()
    for get in (download_playwrights_own, install_debians_package):
        if not found:
            get()
            found = find_browser()
    if not found:
        raise NoBrowserError(_NO_BROWSER)
    return found


def download_playwrights_own():
    """Downloads the Chromium that Playwright is made for, about 180 MB."""
    _say("downloading Playwright's Chromium (about 180 MB)")
    environment = os.environ | {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": str(_CONNECT_MS)}
    _run([sys.executable, "-m", "playwright", "install", "chromium"], environment)


def install_debians_package():
    """Installs the package `chromium`, as root or with a sudo that asks for no password."""
    if not shutil.which("apt-get"):
        return
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    _say("installing Debian's package chromium")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    _run([*as_root, "apt-get", "update", "-q"], environment)
    _run([*as_root, "apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium"], environment)


def _say(text):
    print(f"browser: {text}", file=sys.stderr, flush=True)


def _run(command, environment):
    """Runs a command; whether it worked shows in whether there is a browser afterwards."""
    try:
        ended = subprocess.run(
            command, env=environment, timeout=_DOWNLOAD_S, capture_output=True, text=True, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        _say(f"{command[0]} did not work: {error}")
        return
    if ended.returncode:
        errors = [
            line for line in f"{ended.stderr}\n{ended.stdout}".splitlines() if "E:" in line or "Error" in line
        ]
        _say(f"this did not work: {' '.join(command)}\n  {' '.join(errors[:1])}")


if __name__ == "__main__":
    try:
        print(get_browser())
    except NoBrowserError as error:
        sys.exit(str(error))
