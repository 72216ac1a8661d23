import collections

import pytest

from fedlab.training import sample_clients

IDS = list("abcdefghij")


def test_cohort_has_distinct_clients_of_the_dataset():
    cohort = sample_clients(IDS, 4, seed=1)
    assert len(cohort) == len(set(cohort)) == 4
    assert set(cohort) <= set(IDS)


def test_same_seed_draws_the_same_cohort_and_rounds_differ():
    assert sample_clients(IDS, 4, seed=[1, 7]) == sample_clients(IDS, 4, seed=[1, 7])
    assert len({sample_clients(IDS, 4, seed=[1, number]) for number in range(20)}) > 15


def test_every_client_is_as_likely():
    drawn = collections.Counter(
        client_id for number in range(2000) for client_id in sample_clients(IDS, 3, seed=[0, number])
    )
    assert all(500 < drawn[client_id] < 700 for client_id in IDS)  # 600 expected, 20 is one deviation


def test_all_clients_can_be_drawn():
    assert sorted(sample_clients(IDS, 10, seed=1)) == IDS


@pytest.mark.parametrize(
    ("ids", "number", "message"),
    [
        (IDS, 11, "num_clients=11, but there are only 10"),
        (IDS, 0, "num_clients=0"),
        (IDS, 2.0, "num_clients=2.0"),
        (["a", "b", "a"], 2, "'a' is listed twice"),
        ([], 1, "there are only 0"),
    ],
)
def test_impossible_cohorts_are_explained(ids, number, message):
    with pytest.raises(ValueError, match=message):
        sample_clients(ids, number, seed=1)
