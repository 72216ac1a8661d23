"""Clients whose speeches were read and cut into windows, once: who can train, and on what."""

from __future__ import annotations

import dataclasses
import typing
import warnings
from collections.abc import Iterable, Mapping

import numpy as np

from fedlab import vocabulary
from fedlab.datasets.client_names import check_client_id
from fedlab.datasets.preprocessing import TUTORIAL, Preprocessing
from fedlab.datasets.reports import ClientReport

if typing.TYPE_CHECKING:
    import tensorflow as tf
    import tensorflow_federated as tff

# So many clients are named in a warning; the others are counted.
_NAMED = 5


class SmallClientWarning(UserWarning):
    """Some clients have too little text for a single batch and take no part."""


@dataclasses.dataclass(frozen=True, eq=False)
class PreprocessedClients:
    """Clients and their windows, from `preprocess_clients`.

    Attributes:
      preprocessing: the settings that the windows were made with.
      reports: {client id: ClientReport}, in the order of the ids that were asked for.
      windows: {client id: uint8 array [windows, sequence_length_chars + 1]}.
    """

    preprocessing: Preprocessing
    reports: Mapping[str, ClientReport]
    windows: Mapping[str, np.ndarray] = dataclasses.field(repr=False)

    @property
    def client_ids(self) -> list[str]:
        """All of them, those too small as well."""
        return list(self.reports)

    @property
    def trainable(self) -> list[ClientReport]:
        """The clients with at least one batch."""
        return [report for report in self.reports.values() if not report.is_too_small]

    @property
    def too_small(self) -> list[ClientReport]:
        """The clients with less than one batch."""
        return [report for report in self.reports.values() if report.is_too_small]

    def only(self, client_ids: Iterable[str]) -> PreprocessedClients:
        """Some of the clients, in the order of these ids; ValueError for an id that is not among them."""
        ids = list(client_ids)
        for client_id in ids:
            check_client_id(client_id, self.client_ids)
        return PreprocessedClients(
            self.preprocessing,
            {client_id: self.reports[client_id] for client_id in ids},
            {client_id: self.windows[client_id] for client_id in ids},
        )

    def batches(self, client_id: str, *, epochs: int = 1, shuffle_seed: int | None = None) -> tf.data.Dataset:
        """One client's training batches; see `Preprocessing.batches`."""
        windows = self.windows[client_id]
        return self.preprocessing.batches(windows, epochs=epochs, shuffle_seed=shuffle_seed)

    def warn(self, *, stacklevel: int = 2) -> None:
        """Says which clients take no part, and which hold unknown characters.

        Warns:
          SmallClientWarning, UnknownCharacterWarning.
        """
        small = self.too_small
        if small:
            listing = _in_short({report.client_id: report.num_characters for report in small})
            warnings.warn(
                f"{len(small)} of {len(self.reports)} clients have less than the "
                f"{self.preprocessing.batch_chars} characters of one batch and take no part: {listing}.",
                SmallClientWarning,
                stacklevel=stacklevel,
            )
        unknown = _count_unknown(self.reports.values())
        if unknown:
            drops = self.preprocessing.unknown == "drop"
            done = "dropped" if drops else f"replaced by {vocabulary.REPLACEMENT_CHARACTER!r}"
            warnings.warn(
                f"{sum(unknown.values())} characters outside the vocabulary are {done}: "
                f"{_in_short(unknown)}.",
                vocabulary.UnknownCharacterWarning,
                stacklevel=stacklevel,
            )


def preprocess_clients(
    clients: tff.simulation.datasets.ClientData | PreprocessedClients,
    client_ids: Iterable[str] | None = None,
    preprocessing: Preprocessing | None = None,
) -> PreprocessedClients:
    """Reads clients' speeches and cuts them into windows.

    Args:
      clients: ClientData of speeches; or PreprocessedClients, which are not read again.
      client_ids: the clients to read; default all.
      preprocessing: default the tutorial's, or that of the PreprocessedClients.

    Raises:
      ValueError: an id that is not in the dataset; PreprocessedClients made with other settings.
      UnknownCharacterError: preprocessing.unknown is "error", and some text is not in the vocabulary.
    """
    if isinstance(clients, PreprocessedClients):
        if preprocessing not in (None, clients.preprocessing):
            raise ValueError(
                f"These clients were preprocessed with {clients.preprocessing}, not with {preprocessing}; "
                "give the ClientData itself."
            )
        return clients if client_ids is None else clients.only(client_ids)
    from fedlab.datasets.speeches import read_all_snippets

    preprocessing = TUTORIAL if preprocessing is None else preprocessing
    reports, ids = {}, {}
    for client_id, snippets in read_all_snippets(clients, client_ids).items():
        ids[client_id] = vocabulary.look_up(b"".join(snippets))
        reports[client_id] = preprocessing.count(client_id, len(snippets), ids[client_id])
    _check_known(reports.values(), preprocessing)
    windows = {client_id: preprocessing.cut(found) for client_id, found in ids.items()}
    return PreprocessedClients(preprocessing, reports, windows)


def _check_known(reports: Iterable[ClientReport], preprocessing: Preprocessing) -> None:
    unknown = _count_unknown(reports)
    if unknown and preprocessing.unknown == "error":
        raise vocabulary.UnknownCharacterError(
            f"{sum(unknown.values())} characters are outside the vocabulary: {_in_short(unknown)}. "
            "Use unknown='drop' or 'replace'."
        )


def _count_unknown(reports: Iterable[ClientReport]) -> dict[str, int]:
    return {report.client_id: report.num_unknown for report in reports if report.num_unknown}


def _in_short(numbers: Mapping[str, int]) -> str:
    """{"A": 5, "B": 0} -> "A (5), B (0)", and how many more where there are many."""
    listing = ", ".join(f"{client_id} ({number})" for client_id, number in list(numbers.items())[:_NAMED])
    more = len(numbers) - _NAMED
    return f"{listing} and {more} more" if more > 0 else listing
