"""Makes TensorFlow Federated installable beyond Linux on x86-64: `python tools/portable_tff.py`.

TFF's wheel is tagged for Linux on x86-64 because of one program inside it, `data/worker_binary`; the rest is
Python, and fedlab runs it without that program. This writes portable/tensorflow_federated-…-py3-none-any.whl:
the same files without it, under a tag that pip and uv take on every platform. docs/install.md says how to
install it. Runs on Python 3.11 and later, before anything is installed.
"""

import base64
import csv
import hashlib
import io
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile

from fetch_uv import download

ROOT = pathlib.Path(__file__).parent.parent
PORTABLE = ROOT / "portable"

_TFF_RUNS_ON = ["--platform", "manylinux_2_31_x86_64", "--python-version", "3.11"]
_WORKER = "tensorflow_federated/data/worker_binary"


def find_wheel(lock):
    """Returns (url, sha256) of TFF's one wheel, as the lock (uv.lock's text) has them."""
    (package,) = (p for p in tomllib.loads(lock)["package"] if p["name"] == "tensorflow-federated")
    (wheel,) = package["wheels"]
    return wheel["url"], wheel["hash"].removeprefix("sha256:")


def fetch(url, sha256, folder):
    """Fetches the wheel into `folder` and returns its path.

    Raises:
      OSError: it cannot be reached.
      ValueError: it is not the locked one.
    """
    path = folder / url.rsplit("/", 1)[-1]
    # pip first: it knows a proxy's or a classroom's own package index.
    if not _pip_downloads(path):
        path.write_bytes(download(url, sha256))
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise ValueError(f"{path.name} has SHA-256 {found}, uv.lock says {sha256}: not used.")
    return path


def _pip_downloads(path):
    name, version = path.name.split("-")[:2]
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", *_TFF_RUNS_ON]
    ended = subprocess.run([*command, "--dest", path.parent, f"{name}=={version}"], stdout=sys.stderr)
    return ended.returncode == 0 and path.exists()


def repack(wheel, folder):
    """Writes the wheel that every platform takes.

    Args:
      wheel: path of TFF's own wheel.
      folder: where the new one goes.

    Returns:
      path of the new wheel.
    """
    name, version = wheel.name.split("-")[:2]
    portable = folder / f"{name}-{version}-py3-none-any.whl"
    record_name = f"{name}-{version}.dist-info/RECORD"
    record = []
    with zipfile.ZipFile(wheel) as original, zipfile.ZipFile(portable, "w") as repacked:
        for entry in original.infolist():
            if entry.filename in (_WORKER, record_name):
                continue
            content = original.read(entry)
            if entry.filename.endswith(".dist-info/WHEEL"):
                content = re.sub(rb"(?m)^Tag: .*$", b"Tag: py3-none-any", content)
            repacked.writestr(entry, content)
            record.append(_record_line(entry.filename, content))
        repacked.writestr(record_name, _as_csv([*record, (record_name, "", "")]), zipfile.ZIP_DEFLATED)
    return portable


def _record_line(filename, content):
    """A file's line of RECORD (packaging.python.org: Binary distribution format)."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return filename, f"sha256={digest}", len(content)


def _as_csv(rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def main():
    """Fetches TFF's wheel and writes the portable one; prints its path."""
    url, sha256 = find_wheel((ROOT / "uv.lock").read_text(encoding="utf-8"))
    PORTABLE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=PORTABLE) as folder:
        wheel = repack(fetch(url, sha256, pathlib.Path(folder)), pathlib.Path(folder))
        print(wheel.replace(PORTABLE / wheel.name))  # Whole, or not there.


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        sys.exit(f"tools/portable_tff.py: {error}")
