"""Shakespeare's characters as federated clients: one client a role, one example a speech.

Source "pocket" ships with fedlab: well-known roles of twelve plays, typed for this package from the
public-domain plays, with client ids that name the right play. Source "tff" is the dataset of TFF's
tutorials (715 roles; Caldas et al. 2018, arXiv:1812.01097), whose ids often name the play before.
"""

import collections
import lzma
import pathlib
import shutil
import sqlite3

POCKET_FOLDER = pathlib.Path(__file__).parent / "pocket" / "shakespeare"
TFF_ORIGIN = "https://storage.googleapis.com/tff-datasets-public/shakespeare.sqlite.lzma"

# A role's last speeches are held out for testing: at least this share of its text, and at least
# one test batch of 8 windows of 101 characters where the role can spare it.
TEST_SHARE = 0.15
TEST_MINIMUM_CHARS = 900
# A role with less text than this keeps every speech but the last for training.
SMALL_ROLE_CHARS = 4 * TEST_MINIMUM_CHARS


def load_shakespeare(source="pocket", *, cache_dir=None):
    """Loads the federated Shakespeare dataset.

    Args:
      source: "pocket" (inside fedlab, needs no network) or "tff" (downloaded once, then cached; from
        $FEDLAB_MIRROR where that is set).
      cache_dir: folder for the download; default: the user's cache folder, or $FEDLAB_CACHE.

    Returns:
      (train, test), both `tff.simulation.datasets.ClientData` whose examples are
      OrderedDict(snippets=string scalar). The two never share a speech.

    Raises:
      ValueError: unknown `source`.
      DownloadError: source "tff" could not be had; says why and how to go on.
    """
    if source == "pocket":
        return _load_pocket()
    if source == "tff":
        return _load_tff(cache_dir)
    raise ValueError(f"source={source!r}: choose 'pocket' (ships with fedlab) or 'tff' (downloaded).")


# --- pocket ---------------------------------------------------------------------------------------


def read_pocket_speeches():
    """Reads the shipped roles: {"HAMLET_HAMLET": ["A little more than kin, ...", ...], ...}."""
    paths = sorted(POCKET_FOLDER.glob("*/*.txt"))
    return {
        f"{path.parent.name}_{path.stem}".upper(): path.read_text(encoding="ascii").strip().split("\n\n")
        for path in paths
    }


def split_speeches(speeches):
    """Splits one role's speeches, in their order, into (train, test).

    The last speeches are for testing. A role with a single speech has none to spare.
    """
    total = sum(map(len, speeches))
    wanted = 1 if total < SMALL_ROLE_CHARS else max(TEST_SHARE * total, TEST_MINIMUM_CHARS)
    held_out, first_test = 0, len(speeches)
    while first_test > 1 and held_out < wanted:
        first_test -= 1
        held_out += len(speeches[first_test])
    return speeches[:first_test], speeches[first_test:]


def _load_pocket():
    from fedlab.datasets.federated_text import from_speeches

    split = {client_id: split_speeches(speeches) for client_id, speeches in read_pocket_speeches().items()}
    train = {client_id: parts[0] for client_id, parts in split.items()}
    test = {client_id: parts[1] for client_id, parts in split.items()}
    return from_speeches(train), from_speeches(test)


# --- tff ------------------------------------------------------------------------------------------


def _load_tff(cache_dir):
    from fedlab.datasets.federated_text import from_sqlite
    from fedlab.downloads import fetch

    path = fetch(TFF_ORIGIN, check=_check_sqlite, unpack=_unpack_lzma, cache_dir=cache_dir)
    return from_sqlite(path, "train"), from_sqlite(path, "test")


def _unpack_lzma(source, target):
    try:
        with lzma.open(source) as packed, open(target, "wb") as unpacked:
            shutil.copyfileobj(packed, unpacked, 2**20)
    except lzma.LZMAError as error:
        raise ValueError(f"not a complete LZMA file: {error}") from error


def _check_sqlite(path):
    """Raises ValueError unless the database is sound and has clients in both parts."""
    try:
        connection = sqlite3.connect(path)
        try:
            verdict = connection.execute("PRAGMA quick_check").fetchone()[0]
            rows = connection.execute("SELECT split_name, client_id FROM client_metadata").fetchall()
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        raise ValueError(f"not a client database: {error}") from error
    if verdict != "ok":
        raise ValueError(f"a damaged database: {verdict}")
    counts = collections.Counter(split for split, _ in rows)
    if not counts["train"] or not counts["test"]:
        raise ValueError(f"expected clients in the parts 'train' and 'test', found {dict(counts)}")
