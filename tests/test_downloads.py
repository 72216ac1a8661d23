"""Downloads, against a real HTTP server on this machine that behaves well and badly."""

import hashlib

import pytest

from fedlab import downloads
from fedlab.downloads import DownloadError, fetch

ORIGIN = "https://example.org/somewhere/data.bin"
CONTENT = bytes(range(256)) * 4096  # 1 MiB


def accept(path):
    assert path.exists()


def reject(path):
    raise ValueError("it has no pages")


def files_in(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_file_is_fetched_once_and_then_kept(mirror, tmp_path, capsys):
    (mirror.folder / "data.bin").write_bytes(CONTENT)
    cache = tmp_path / "cache"
    path = fetch(ORIGIN, check=accept, cache_dir=cache)
    assert path == cache / "data.bin"
    assert path.read_bytes() == CONTENT
    assert "100%" in capsys.readouterr().err  # the progress bar
    assert fetch(ORIGIN, check=reject, cache_dir=cache) == path
    assert mirror.requests == ["/data.bin"]
    assert (cache / "data.bin.sha256").read_text() == hashlib.sha256(CONTENT).hexdigest()


def test_unpacked_file_is_what_is_kept(mirror, tmp_path):
    (mirror.folder / "data.bin").write_bytes(CONTENT)

    def halve(source, target):
        target.write_bytes(source.read_bytes()[::2])

    path = fetch(ORIGIN, check=accept, unpack=halve, cache_dir=tmp_path / "cache")
    assert path.name == "data"
    assert path.read_bytes() == CONTENT[::2]
    assert files_in(tmp_path / "cache") == ["data", "data.sha256"]


@pytest.mark.parametrize(
    ("origin", "check", "reason"),
    [
        ("https://example.org/cut-data.bin", accept, "the connection ended before the file did"),
        ("https://example.org/missing.bin", accept, "the server answered 404"),
        (ORIGIN, reject, "the file is not what it should be .it has no pages"),
    ],
)
def test_failed_fetch_says_why_and_keeps_nothing(mirror, tmp_path, origin, check, reason):
    (mirror.folder / "data.bin").write_bytes(CONTENT)
    with pytest.raises(DownloadError, match=f"{reason}.*Nothing was kept.*source='pocket'"):
        fetch(origin, check=check, cache_dir=tmp_path / "cache")
    assert files_in(tmp_path / "cache") == []


def test_server_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv(downloads.MIRROR_VARIABLE, "http://127.0.0.1:9")
    with pytest.raises(DownloadError, match=r"http://127.0.0.1:9/data.bin: the server cannot be reached"):
        fetch(ORIGIN, check=accept, cache_dir=tmp_path / "cache")
    assert files_in(tmp_path / "cache") == []


def test_file_changed_in_the_cache_is_refused_by_name(mirror, tmp_path):
    (mirror.folder / "data.bin").write_bytes(CONTENT)
    path = fetch(ORIGIN, check=accept, cache_dir=tmp_path / "cache")
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(DownloadError, match=r"cache/data.bin .*Delete it"):
        fetch(ORIGIN, check=accept, cache_dir=tmp_path / "cache")


def test_full_disk_is_named_and_nothing_is_left(mirror, tmp_path):
    (mirror.folder / "data.bin").write_bytes(CONTENT)

    def fill_the_disk(source, target):
        target.write_bytes(b"half")
        with open("/dev/full", "wb", buffering=0) as full:
            full.write(source.read_bytes())

    with pytest.raises(DownloadError, match="no space is left in .*FEDLAB_CACHE"):
        fetch(ORIGIN, check=accept, unpack=fill_the_disk, cache_dir=tmp_path / "cache")
    assert files_in(tmp_path / "cache") == []


def test_cache_that_cannot_be_made_is_named(mirror, tmp_path):
    (tmp_path / "a file").write_text("not a folder")
    with pytest.raises(DownloadError, match="a file.*cannot be written to.*FEDLAB_CACHE"):
        fetch(ORIGIN, check=accept, cache_dir=tmp_path / "a file" / "cache")


def test_cache_folder_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv(downloads.CACHE_VARIABLE, str(tmp_path))
    assert downloads.cache_directory() == tmp_path


def test_without_a_mirror_the_origin_is_asked(monkeypatch):
    monkeypatch.delenv(downloads.MIRROR_VARIABLE, raising=False)
    assert downloads.address_of(ORIGIN) == ORIGIN
