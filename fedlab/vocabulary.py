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

_ID_OF = {character: index for index, character in enumerate(CHARACTERS)}


class UnknownCharacterError(ValueError):
    """A text holds characters outside the 86 of the vocabulary."""


class UnknownCharacterWarning(UserWarning):
    """Characters outside the vocabulary were dropped or replaced; says which and how many."""


def check_unknown_policy(unknown):
    """Raises ValueError unless `unknown` is one of "error", "drop", "replace"."""
    if unknown not in UNKNOWN_POLICIES:
        raise ValueError(f"unknown={unknown!r}: choose one of {', '.join(map(repr, UNKNOWN_POLICIES))}.")


def find_unknown_characters(text):
    """Counts the characters of `text` that the vocabulary lacks.

    "Zoë, naïve" -> Counter({"ë": 1, "ï": 1})
    """
    if not isinstance(text, str):
        raise TypeError(
            f"Expected the text as str, got {type(text).__name__}; decode bytes with .decode('utf-8')."
        )
    return collections.Counter(character for character in text if character not in _ID_OF)


def encode(text, *, unknown="error"):
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
    return np.fromiter((_ID_OF[character] for character in text), dtype=np.int64, count=len(text))


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


def drop_or_replace(text, unknown):
    """What `encode` reads instead of `text`, without a warning: "naïve", "replace" -> "na?ve".

    Args:
      text: str.
      unknown: "drop" or "replace".
    """
    substitute = "" if unknown == "drop" else REPLACEMENT_CHARACTER
    return "".join(character if character in _ID_OF else substitute for character in text)


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
