import math

import numpy as np
import pytest
import scipy.spatial.distance

from fedlab.datasets import statistics
from fedlab.vocabulary import CHARACTERS


def test_characters_are_counted_in_the_vocabularys_order():
    with pytest.warns(UserWarning, match="dropped"):
        counts = statistics.count_characters("ddh\u00e9")
    assert counts.shape == (86,)
    assert counts[CHARACTERS.index("d")] == 2
    assert counts.sum() == 3  # \u00e9 is not in the vocabulary


def test_equal_shares_have_distance_0_and_disjoint_ones_1():
    distances = statistics.js_distances([[1, 0], [2, 0], [0, 1]])
    assert distances.tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]


def test_distances_are_those_of_scipy():
    counts = np.random.default_rng(1).integers(0, 50, [4, 7])
    distances = statistics.js_distances(counts)
    for first in range(4):
        for second in range(4):
            wanted = scipy.spatial.distance.jensenshannon(counts[first], counts[second], base=2)
            assert math.isclose(distances[first, second], wanted, abs_tol=1e-7)


def test_a_client_without_text_has_no_distance():
    with pytest.raises(ValueError, match="client 1 .* has no characters"):
        statistics.js_distances([[1, 2], [0, 0]])


def test_dealing_again_keeps_sizes_and_totals_and_takes_away_the_voices():
    counts = np.array([[900, 100, 0], [0, 100, 900]])
    dealt = statistics.deal_again(counts, seed=1)
    assert dealt.sum(axis=0).tolist() == [900, 200, 900]
    assert dealt.sum(axis=1).tolist() == [1000, 1000]
    assert statistics.js_distances(dealt)[0, 1] < 0.1 < statistics.js_distances(counts)[0, 1]
    assert (statistics.deal_again(counts, seed=1) == dealt).all()
    assert (statistics.deal_again(counts, seed=2) != dealt).any()


def test_each_pair_is_counted_once():
    distances = np.array([[0, 1, 2], [1, 0, 3], [2, 3, 0]])
    assert statistics.distances_between_pairs(distances).tolist() == [1, 2, 3]


def test_characteristic_words_are_those_that_others_lack():
    texts = {"A": "Blood and blood and BLOOD, and o'er o'er o'er.", "B": "and and and blood"}
    assert statistics.characteristic_words(texts, "A") == [("o'er", 3, 3), ("blood", 3, 4), ("and", 3, 6)]
    assert statistics.characteristic_words(texts, "A", num_words=1) == [("o'er", 3, 3)]
    assert statistics.characteristic_words(texts, "A", at_least=4) == []


def test_the_distance_to_all_is_that_of_the_two_distributions():
    wanted = scipy.spatial.distance.jensenshannon([1, 0], [3, 1], base=2)
    assert math.isclose(statistics.distance_to_all([2, 0], [3, 1]), wanted, abs_tol=1e-7)


def test_chance_puts_small_clients_far_and_all_of_the_text_nowhere():
    counts = np.array([300, 200, 100, 50])
    distances = [statistics.distance_by_chance(size, counts, seed=1) for size in (5, 50, 650)]
    assert distances[0] > distances[1] > distances[2] == 0
    assert statistics.distance_by_chance(5, counts, seed=1) == distances[0]


def test_words_are_counted_in_small_letters_with_their_apostrophes():
    assert statistics.count_words("To be, or TO; 'tis o'er") == {
        "to": 2,
        "be": 1,
        "or": 1,
        "tis": 1,
        "o'er": 1,
    }
