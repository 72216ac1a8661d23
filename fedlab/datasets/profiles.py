"""What one client has, how it compares with the federation, and what preprocessing makes of it.

Plain records of numbers and text, made without TensorFlow, for whoever shows them.
"""

import collections
import dataclasses
import functools

import numpy as np

from fedlab import vocabulary
from fedlab.datasets import statistics
from fedlab.datasets.client_names import check_client_id
from fedlab.datasets.preprocessing import TUTORIAL, Preprocessing
from fedlab.datasets.reports import ClientReport

# Of the clients that are dealt out at random, to compare with: the same for everyone.
_SEED = 1


@dataclasses.dataclass(frozen=True)
class ClientProfile:
    """What one client has, and what preprocessing makes of it.

    Attributes:
      report: ClientReport, the numbers of preprocessing.
      preprocessing: Preprocessing, its settings.
      num_words: words, by `statistics.count_words`.
      characteristic_words: tuple of (word, uses by the client, uses by all).
      character_counts: 86 ints in the vocabulary's order, without the unknown ones.
      unknown_characters: tuple of (character, times), the most frequent first.
      num_distinct_characters: different characters, unknown ones too.
      size_rank: 1 for the client with most text; clients with equally much have the same rank.
      distance: Jensen-Shannon distance of its characters from the federation's, in the root of bits; None
        where no character is known.
      distance_by_chance: what that distance would be for a client without a voice: as much of the
        federation's text, dealt out at random.
      text_in_no_window: the end of its text, which training never sees, as text.
    """

    report: ClientReport
    preprocessing: Preprocessing
    num_words: int
    characteristic_words: tuple
    character_counts: tuple
    unknown_characters: tuple
    num_distinct_characters: int
    size_rank: int
    distance: float | None
    distance_by_chance: float | None
    text_in_no_window: str

    @property
    def client_id(self):
        return self.report.client_id

    @property
    def words_per_speech(self):
        """The mean; None for a client without speeches."""
        return self.num_words / self.report.num_speeches if self.report.num_speeches else None

    @property
    def unknown_share(self):
        """The share of its characters that the vocabulary lacks, 0 to 1."""
        return self.report.num_unknown / max(self.report.num_characters, 1)

    @property
    def num_characters_kept(self):
        """Characters that are cut into windows: all, or all but the unknown ones."""
        dropped = self.report.num_unknown if self.preprocessing.unknown == "drop" else 0
        return self.report.num_characters - dropped

    @property
    def num_characters_used(self):
        """Characters in whole batches: what training sees."""
        return self.report.num_batches * self.preprocessing.batch_chars

    @property
    def num_windows_left_out(self):
        """Windows that fill no batch."""
        return self.report.num_sequences - self.report.num_batches * self.preprocessing.batch_size


@dataclasses.dataclass(frozen=True)
class Federation:
    """All clients together.

    Attributes:
      num_characters: {client id: characters}.
      num_batches: {client id: batches}.
      num_speeches: of all clients.
      num_unknown: characters of all clients that the vocabulary lacks.
      num_distinct_characters: different characters, unknown ones too.
      word_counts: Counter of all clients' words.
      character_counts: 86 ints in the vocabulary's order, without the unknown ones.
      distances: {client id: distance of its characters from the federation's}, without the clients that
        have no known character.
    """

    num_characters: dict
    num_batches: dict
    num_speeches: int
    num_unknown: int
    num_distinct_characters: int
    word_counts: collections.Counter
    character_counts: tuple
    distances: dict


class ClientProfiles:
    """The clients of a federation; what concerns one of them is worked out when it is asked for."""

    def __init__(self, speeches, preprocessing=None, **settings):
        """Keeps the speeches.

        Args:
          speeches: {client id: list of str}; a client may have none.
          preprocessing: Preprocessing; default the tutorial's.
          **settings: of Preprocessing, to change some: batch_size, sequence_length_chars, unknown.

        Raises:
          ValueError: no client at all, or a setting that makes no sense.
        """
        if not speeches:
            raise ValueError("There are no clients; fedlab.load_shakespeare() gives some.")
        self._speeches = {client_id: tuple(speeches[client_id]) for client_id in speeches}
        self.client_ids = tuple(self._speeches)
        self.preprocessing = dataclasses.replace(preprocessing or TUTORIAL, **settings)
        if self.preprocessing.unknown == "error":
            raise ValueError("unknown='error': choose 'drop' or 'replace', to see which they are.")
        self._profiles = {}

    def __len__(self):
        return len(self.client_ids)

    def __getitem__(self, client_id):
        """The ClientProfile of one client; an error with suggestions when there is no such client."""
        check_client_id(client_id, self.client_ids)
        if client_id not in self._profiles:
            self._profiles[client_id] = self._profile(client_id)
        return self._profiles[client_id]

    def speeches(self, client_id):
        """One client's speeches: tuple of str."""
        check_client_id(client_id, self.client_ids)
        return self._speeches[client_id]

    def text(self, client_id):
        """One client's speeches as preprocessing joins them: one after the other."""
        return "".join(self.speeches(client_id))

    def windows(self, client_id):
        """The windows that one client's text is cut into, those that fill no batch too.

        Returns:
          int64 array of shape [windows, sequence_length_chars + 1].
        """
        return self.preprocessing.windows(self.text(client_id)).astype(np.int64)

    @functools.cached_property
    def federation(self):
        """All clients together: Federation."""
        reports = {client_id: self._report(client_id) for client_id in self.client_ids}
        characters, words = collections.Counter(), collections.Counter()
        for client_id in self.client_ids:
            characters.update(self.text(client_id))
            words.update(statistics.count_words(self.text(client_id)))
        counts_of_all = _in_vocabularys_order(characters)
        return Federation(
            num_characters={client_id: report.num_characters for client_id, report in reports.items()},
            num_batches={client_id: report.num_batches for client_id, report in reports.items()},
            num_speeches=sum(report.num_speeches for report in reports.values()),
            num_unknown=sum(report.num_unknown for report in reports.values()),
            num_distinct_characters=len(characters),
            word_counts=words,
            character_counts=counts_of_all,
            distances=self._distances(counts_of_all),
        )

    def _distances(self, counts_of_all):
        counts = {client_id: self._character_counts(client_id) for client_id in self.client_ids}
        return {
            client_id: statistics.distance_to_all(counts[client_id], counts_of_all)
            for client_id in self.client_ids
            if sum(counts[client_id])
        }

    def _profile(self, client_id):
        federation, text = self.federation, self.text(client_id)
        counts, words = self._character_counts(client_id), statistics.count_words(text)
        unknown = vocabulary.find_unknown_characters(text)
        return ClientProfile(
            report=self._report(client_id),
            preprocessing=self.preprocessing,
            num_words=words.total(),
            characteristic_words=tuple(statistics.rank_words(words, federation.word_counts)),
            character_counts=counts,
            unknown_characters=tuple(sorted(unknown.items(), key=lambda item: (-item[1], item[0]))),
            num_distinct_characters=len(set(text)),
            size_rank=1 + sum(size > len(text) for size in federation.num_characters.values()),
            distance=federation.distances.get(client_id),
            distance_by_chance=_distance_by_chance(sum(counts), federation.character_counts),
            text_in_no_window=self._text_in_no_window(client_id),
        )

    def _report(self, client_id):
        return self.preprocessing.report(client_id, self.speeches(client_id))

    def _character_counts(self, client_id):
        return _in_vocabularys_order(collections.Counter(self.text(client_id)))

    def _text_in_no_window(self, client_id):
        text = vocabulary.drop_or_replace(self.text(client_id), self.preprocessing.unknown)
        return text[len(text) // self.preprocessing.window_chars * self.preprocessing.window_chars :]


def profile_clients(clients, preprocessing=None, **settings):
    """Reads a dataset's clients, to look at them one by one.

    Args:
      clients: ClientData of speeches, from `fedlab.load_shakespeare`.
      preprocessing: Preprocessing; default the tutorial's.
      **settings: of Preprocessing, to change some: batch_size, sequence_length_chars, unknown.

    Returns:
      ClientProfiles, for `fedlab.widgets.ClientBrowser`.
    """
    from fedlab.datasets.speeches import read_all_speeches

    return ClientProfiles(read_all_speeches(clients), preprocessing, **settings)


def _in_vocabularys_order(counts):
    return tuple(counts[character] for character in vocabulary.CHARACTERS)


def _distance_by_chance(num_characters, counts_of_all):
    if not num_characters:
        return None
    return statistics.distance_by_chance(num_characters, np.array(counts_of_all), seed=_SEED)
