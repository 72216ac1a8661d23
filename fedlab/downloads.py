"""Files from the network: cached, checked, with a progress bar, from a mirror where one is named.

Nothing half-done is ever left behind: a file is written under another name and moved into place
when it is whole and its check has passed, and what is in the cache is compared with the fingerprint
taken then.
"""

import errno
import hashlib
import os
import pathlib
import tempfile

MIRROR_VARIABLE = "FEDLAB_MIRROR"
CACHE_VARIABLE = "FEDLAB_CACHE"
TIMEOUT_S = 30
_CHUNK_BYTES = 2**20


class DownloadError(RuntimeError):
    """A file could not be fetched, or is not what it should be."""


def cache_directory():
    """The folder that downloads are kept in: $FEDLAB_CACHE, else the user's cache folder."""
    import platformdirs

    named = os.environ.get(CACHE_VARIABLE)
    return pathlib.Path(named) if named else platformdirs.user_cache_path("fedlab")


def address_of(origin):
    """Where `origin` (a URL) is fetched from: $FEDLAB_MIRROR/FILE when that is set, else `origin`."""
    mirror = os.environ.get(MIRROR_VARIABLE)
    return f"{mirror.rstrip('/')}/{origin.rsplit('/', 1)[-1]}" if mirror else origin


def fetch(origin, *, check, unpack=None, cache_dir=None):
    """Returns the local path of the file at `origin`, downloading it the first time.

    Args:
      origin: URL; with $FEDLAB_MIRROR set, the file of the same name there.
      check: called with the path of the complete file before it is kept; raises ValueError with a
        reason when the content is not what it should be.
      unpack: called with (source, target) paths when what is kept differs from what is fetched.
      cache_dir: folder to keep the file in; default `cache_directory()`.

    Raises:
      DownloadError: no network, an HTTP error, a file cut off, failing its check or changed in the
        cache since, or no space; says which, and how to go on.
    """
    folder = pathlib.Path(cache_dir) if cache_dir is not None else cache_directory()
    name = origin.rsplit("/", 1)[-1]
    kept = folder / (name if unpack is None else pathlib.PurePath(name).stem)
    if kept.exists():
        _compare_with_fingerprint(kept)
        return kept
    url = address_of(origin)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".partial-") as partial:
            fetched = _download(url, pathlib.Path(partial))
            if unpack is not None:
                unpacked = pathlib.Path(partial) / kept.name
                unpack(fetched, unpacked)
                fetched = unpacked
            check(fetched)
            _fingerprint_path(kept).write_text(_sha256(fetched))
            fetched.replace(kept)
    except (ValueError, EOFError) as error:
        raise _failure(url, f"the file is not what it should be ({error})") from error
    except OSError as error:
        raise _failure(url, _explain_os_error(error, folder)) from error
    return kept


def _download(url, folder):
    """Fetches `url` into `folder` with pooch, which draws the progress bar."""
    import pooch
    import requests

    downloader = pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT_S, chunk_size=_CHUNK_BYTES)
    logger = pooch.get_logger()
    level = logger.level
    # pooch asks to write the hash of an unhashed download into the code: advice for us, not for a learner.
    logger.setLevel("WARNING")
    try:
        path = pooch.retrieve(
            url, known_hash=None, path=folder, fname=url.rsplit("/", 1)[-1], downloader=downloader
        )
    except requests.exceptions.HTTPError as error:
        raise _failure(url, f"the server answered {error.response.status_code}") from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise _failure(url, "the connection ended before the file did") from error
    except requests.exceptions.Timeout as error:
        raise _failure(url, f"no answer within {TIMEOUT_S} seconds") from error
    except requests.exceptions.RequestException as error:
        raise _failure(url, f"the server cannot be reached ({type(error).__name__})") from error
    finally:
        logger.setLevel(level)
    return pathlib.Path(path)


def _failure(url, reason):
    return DownloadError(
        f"Could not get {url}: {reason}. Nothing was kept. Try again, set {MIRROR_VARIABLE} to a server "
        "that has the file, or go on without the network: source='pocket' needs none."
    )


def _explain_os_error(error, folder):
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space is left in {folder}; free some, or set {CACHE_VARIABLE} to another folder"
    if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR):
        return f"{folder} cannot be written to; set {CACHE_VARIABLE} to a folder that can"
    return str(error)


def _fingerprint_path(path):
    return path.with_name(path.name + ".sha256")


def _compare_with_fingerprint(path):
    fingerprint = _fingerprint_path(path)
    if not fingerprint.exists() or fingerprint.read_text().strip() != _sha256(path):
        raise DownloadError(
            f"The cached file {path} is not the one that was downloaded: it is damaged or was changed. "
            "Delete it and run this again, or use source='pocket', which needs no download."
        )


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
