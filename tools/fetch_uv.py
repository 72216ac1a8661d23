"""Fetches the uv that uv.lock names, for a Python without pip: `fetch_uv.py uv.lock FOLDER`.

Debian's python3 comes without pip and venv, so tools/setup.sh has this way left: the wheel's address
and SHA-256 stand in uv.lock, and a wheel is a zip file with the program inside. Runs on Python 3.8
and later, since it also serves where the only python3 is too old for fedlab itself.
"""

import hashlib
import io
import os
import platform
import re
import sys
import urllib.request
import zipfile

TIMEOUT_S = 60
_WHEELS_FOR = {"Linux": "manylinux", "Darwin": "macosx"}  # platform.system(): how the wheel's tag begins


def find_wheel(lock_text, system, machine):
    """Finds uv's wheel for a system ("Linux") and a machine ("x86_64") in the text of uv.lock.

    Returns:
      (url, sha256), as the lock has them.

    Raises:
      LookupError: the lock has no such wheel.
    """
    # Not tomllib: Python 3.10 and older lack it.
    package = re.search(r'\[\[package\]\]\nname = "uv"\n.*?(?=\n\[\[package\]\]|\Z)', lock_text, re.DOTALL)
    tag = f'{_WHEELS_FOR.get(system, system)}[^"]*_{re.escape(machine)}'
    wheel = package and re.search(
        rf'url = "([^"]*{tag}[^"]*\.whl)", hash = "sha256:([0-9a-f]{{64}})"', package.group()
    )
    if not wheel:
        raise LookupError(f"uv.lock has no uv wheel for {system} on {machine}.")
    return wheel.group(1), wheel.group(2)


def download(url, sha256):
    """Returns the bytes behind the address; raises ValueError if they are not the locked ones."""
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
        content = response.read()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(f"{url} has SHA-256 {found}, uv.lock says {sha256}: not installed.")
    return content


def unpack_program(wheel, folder):
    """Writes the program inside the wheel's bytes to FOLDER/bin/uv and returns that path."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        (inside,) = (name for name in archive.namelist() if name.endswith(".data/scripts/uv"))
        program = archive.read(inside)
    path = os.path.join(folder, "bin", "uv")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(program)
    os.chmod(path, 0o755)
    return path


def main(lock_path, folder):
    with open(lock_path, encoding="utf-8") as lock:
        url, sha256 = find_wheel(lock.read(), platform.system(), platform.machine())
    print("downloading " + os.path.basename(url), flush=True)
    unpack_program(download(url, sha256), folder)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (OSError, LookupError, ValueError) as error:
        sys.exit(f"tools/fetch_uv.py: {error}")
