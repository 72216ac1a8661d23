"""Characters <-> ids: the one home of the 86 characters that the models know.

The characters and their order are those of the Dickens models that TFF's text-generation
tutorial loads, so that weights trained on one side mean the same on the other.
"""

import collections
import warnings

import numpy as np

CHARACTERS = tuple(
    "dhlptx@DHLPTX $(,048cgkoswCGKOSW[_#'/37;?bfjnrvzBFJNRVZ\"&*.26:\naeimquyAEIMQUY]!%)-159\r"
)
VOCABULARY_SIZE = len(CHARACTERS)

# What "replace" writes for a character outside the vocabulary. Never id 0, the letter "d",
# which is what a lookup table without a policy would silently return.
REPLACEMENT_CHARACTER = "?"

UNKNOWN_POLICIES = ("error", "drop", "replace")

# What `look_up` gives for a character outside the vocabulary: no id, so that nobody takes it for one.
UNKNOWN_ID = 255

_KNOWN = dict.fromkeys(map(ord, CHARACTERS))


def _ids_by_code_point() -> np.ndarray:
    """uint8 [256]: the id of every code point below 255; the last entry stands for all that follow."""
    table = np.full(256, UNKNOWN_ID, np.uint8)
    table[[ord(character) for character in CHARACTERS]] = np.arange(VOCABULARY_SIZE)
    return table


_ID_BY_CODE_POINT = _ids_by_code_point()


class UnknownCharacterError(ValueError):
    """A text holds characters outside the 86 of the vocabulary."""


class UnknownCharacterWarning(UserWarning):
    """Characters outside the vocabulary were dropped or replaced; says which and how many."""


def check_unknown_policy(unknown):
    """Raises ValueError unless `unknown` is one of "error", "drop", "replace"."""
    if unknown not in UNKNOWN_POLICIES:
        raise ValueError(f"unknown={unknown!r}: choose one of {', '.join(map(repr, UNKNOWN_POLICIES))}.")


def look_up(text: str | bytes) -> np.ndarray:
    """The id of every character, without a word about unknown ones: "dhé" -> [0, 1, 255].

    Args:
      text: str, or bytes in UTF-8; what is not UTF-8 counts as unknown.

    Returns:
      uint8 array of shape [characters], with UNKNOWN_ID for what the vocabulary lacks.
    """
    if text.isascii():
        encoded = text if isinstance(text, bytes) else text.encode("ascii")
        return _ID_BY_CODE_POINT[np.frombuffer(encoded, np.uint8)]
    decoded = text.decode("utf-8", errors="replace") if isinstance(text, bytes) else text
    code_points = np.frombuffer(decoded.encode("utf-32-le", errors="surrogatepass"), np.uint32)
    return _ID_BY_CODE_POINT[np.minimum(code_points, len(_ID_BY_CODE_POINT) - 1)]


def find_unknown_characters(text: str) -> collections.Counter:
    """Counts the characters of `text` that the vocabulary lacks.

    "Zoë, naïve" -> Counter({"ë": 1, "ï": 1})
    """
    if not isinstance(text, str):
        raise TypeError(
            f"Expected the text as str, got {type(text).__name__}; decode bytes with .decode('utf-8')."
        )
    return collections.Counter(text.translate(_KNOWN))


def encode(text: str, *, unknown: str = "error") -> np.ndarray:
    """Turns a text into vocabulary ids.

    "dh" -> [0, 1]

    Args:
      text: str of any length.
      unknown: what to do with characters outside the vocabulary: "error" raises, "drop" leaves
        them out, "replace" puts "?" in their place. The last two warn with the number.

    Returns:
      int64 array of shape [characters kept].

    Raises:
      UnknownCharacterError: `unknown` is "error" and the text holds such a character.
    """
    check_unknown_policy(unknown)
    missing = find_unknown_characters(text)
    if missing:
        text = _apply_unknown_policy(text, missing, unknown)
    return look_up(text).astype(np.int64)


def _apply_unknown_policy(text, missing, unknown):
    listing = ", ".join(f"{character!r} x{count}" for character, count in missing.most_common(5))
    if len(missing) > 5:
        listing += f" and {len(missing) - 5} more"
    if unknown == "error":
        raise UnknownCharacterError(
            f"{_count(missing)} outside the vocabulary of {VOCABULARY_SIZE}: "
            f"{listing}. Retype them, or pass unknown='drop' or unknown='replace'."
        )
    done = "dropped" if unknown == "drop" else f"replaced by {REPLACEMENT_CHARACTER!r}"
    verb = "was" if missing.total() == 1 else "were"
    # Three frames up: the line of the caller's that called encode.
    warnings.warn(
        f"{_count(missing)} outside the vocabulary {verb} {done}: {listing}.",
        UnknownCharacterWarning,
        stacklevel=3,
    )
    return drop_or_replace(text, unknown)


def drop_or_replace(text: str, unknown: str) -> str:
    """What `encode` reads instead of `text`, without a warning: "naïve", "replace" -> "na?ve".

    Args:
      text: str.
      unknown: "drop" or "replace".
    """
    substitute = None if unknown == "drop" else REPLACEMENT_CHARACTER
    return text.translate(dict.fromkeys(map(ord, find_unknown_characters(text)), substitute))


def _count(missing):
    return "1 character" if missing.total() == 1 else f"{missing.total():,} characters"


def decode(ids):
    """Turns vocabulary ids back into text: [0, 1] -> "dh".

    Args:
      ids: integers of shape [length], each from 0 to 85.

    Raises:
      ValueError: an id is outside 0..85, or `ids` is not a list of integers.
    """
    ids = np.asarray(ids)
    if ids.size == 0:
        return ""
    if ids.ndim != 1 or not np.issubdtype(ids.dtype, np.integer):
        raise ValueError(f"Expected a list of integer ids, got dtype {ids.dtype} and shape {ids.shape}.")
    outside = ids[(ids < 0) | (ids >= VOCABULARY_SIZE)]
    if outside.size:
        raise ValueError(
            f"id {outside[0]} is outside the vocabulary: ids go from 0 to {VOCABULARY_SIZE - 1}."
        )
    return "".join(CHARACTERS[index] for index in ids)
