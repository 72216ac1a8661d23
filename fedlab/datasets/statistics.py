"""How clients differ: their characters, their words, and how far apart they are.

The distance is Jensen and Shannon's (Lin 1991, doi:10.1109/18.61115; its square root is a metric,
Endres and Schindelin 2003, doi:10.1109/TIT.2003.813506).
"""

import collections
import re

import numpy as np

from fedlab.vocabulary import VOCABULARY_SIZE, encode

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")


def count_characters(text):
    """Counts how often each character of the vocabulary occurs; others are left out.

    Returns:
      int64 array of shape [86], in the vocabulary's order.
    """
    return np.bincount(encode(text, unknown="drop"), minlength=VOCABULARY_SIZE)


def js_distances(counts):
    """Jensen-Shannon distances between clients, in the square root of bits.

    0 is for equal distributions, 1 for those that share nothing: [[1, 0], [2, 0], [0, 1]] ->
    [[0, 0, 1], [0, 0, 1], [1, 1, 0]].

    Args:
      counts: numbers of shape [clients, characters], each row with a sum above 0.

    Returns:
      float64 array of shape [clients, clients], symmetric.

    Raises:
      ValueError: a client has no counts at all.
    """
    counts = np.asarray(counts, np.float64)
    totals = counts.sum(axis=1, keepdims=True)
    if not (totals > 0).all():
        raise ValueError(f"client {int(np.argmin(totals))} (counted from 0) has no characters; leave it out.")
    shares = counts / totals
    middles = (shares[:, None] + shares[None, :]) / 2  # [clients, clients, characters]
    bits = _entropy(middles) - (_entropy(shares)[:, None] + _entropy(shares)[None, :]) / 2
    return np.sqrt(np.clip(bits, 0, 1))


def _entropy(shares):
    """In bits, over the last axis; 0 log 0 is 0."""
    return -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(axis=-1)


def distance_to_all(counts, counts_of_all):
    """Jensen-Shannon distance of one client's characters from all clients' together, in the root of bits.

    Args:
      counts: numbers of shape [characters], with a sum above 0.
      counts_of_all: the same for all clients, this one among them.
    """
    return float(js_distances([counts, counts_of_all])[0, 1])


def distance_by_chance(num_characters, counts_of_all, *, seed, num_deals=25):
    """How far from all clients together one is that has no voice: characters dealt out at random.

    Args:
      num_characters: how much text the client has, above 0.
      counts_of_all: ints of shape [characters].
      seed: int; the same seed gives the same.
      num_deals: of so many such clients the distance is the median.
    """
    rng = np.random.default_rng(seed)
    dealt = rng.multivariate_hypergeometric(counts_of_all, num_characters, num_deals, method="marginals")
    return float(np.median(js_distances([counts_of_all, *dealt])[0, 1:]))


def deal_again(counts, *, seed):
    """Deals all clients' characters out again at random: clients as large as before, without a voice.

    What distance there is between these is chance; what real clients have beyond it is not.

    Args:
      counts: int array of shape [clients, characters].
      seed: int; the same seed deals the same.

    Returns:
      int64 array of shape [clients, characters], with the same sums over rows and over columns.
    """
    rng = np.random.default_rng(seed)
    counts = np.asarray(counts)
    left = counts.sum(axis=0)
    dealt = []
    for total in counts.sum(axis=1):
        dealt.append(rng.multivariate_hypergeometric(left, total, method="marginals"))
        left = left - dealt[-1]
    return np.stack(dealt)


def distances_between_pairs(distances):
    """The distances of a matrix, each pair once: [clients, clients] -> [clients * (clients - 1) / 2]."""
    return distances[np.triu_indices(len(distances), 1)]


def characteristic_words(texts, client_id, *, num_words=5, at_least=3):
    """The words that a client uses more than the others do.

    Ranked by the client's share of a word's uses, where a word is used at least `at_least` times by the
    client; equal shares by number, then by alphabet.

    Args:
      texts: {client id: str}.
      client_id: one of them.
      num_words: how many to give at most.
      at_least: how often the client must use a word.

    Returns:
      list of (word, uses by the client, uses by all).
    """
    of_all = collections.Counter()
    for text in texts.values():
        of_all.update(count_words(text))
    return rank_words(count_words(texts[client_id]), of_all, num_words=num_words, at_least=at_least)


def count_words(text):
    """Counts a text's words, in small letters: "To be, or TO" -> Counter({"to": 2, "be": 1, "or": 1})."""
    return collections.Counter(_WORD.findall(text.lower()))


def rank_words(of_client, of_all, *, num_words=5, at_least=3):
    """`characteristic_words` from words that are counted already.

    Args:
      of_client: Counter of the client's words.
      of_all: Counter of all clients' words, this one's among them.
      num_words: how many to give at most.
      at_least: how often the client must use a word.

    Returns:
      list of (word, uses by the client, uses by all).
    """
    often = [(word, uses, of_all[word]) for word, uses in of_client.items() if uses >= at_least]
    return sorted(often, key=lambda row: (-row[1] / row[2], -row[1], row[0]))[:num_words]
