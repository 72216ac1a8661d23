import threading

import numpy as np
import pytest

from fedlab.datasets.federated_text import from_speeches
from fedlab.models.char_rnn import build_char_rnn
from fedlab.training import Simulation

CLIENTS = from_speeches({name: [name * 1700] for name in "abcd"})
SETTINGS = dict(clients_per_round=2, seed=3)


@pytest.fixture(scope="module")
def simulation():
    return Simulation(build_char_rnn(8, rnn_units=8, seed=1), CLIENTS)


def numbers_of(records):
    return [(record.round_number, record.cohort, record.metrics) for record in records]


def test_a_run_broken_off_and_gone_on_with_is_the_run_in_one_go(simulation):
    whole = simulation.start(**SETTINGS)
    expected = numbers_of(whole.rounds(3))
    broken = simulation.start(**SETTINGS)
    records = [next(broken.rounds(3))]
    assert broken.round_number == 1
    records += broken.rounds(2)
    assert numbers_of(records) == expected
    for ours, theirs in zip(
        broken.server.model_weights.trainable, whole.server.model_weights.trainable, strict=True
    ):
        assert np.array_equal(ours, theirs)


def test_it_tells_the_next_cohort_before_the_round(simulation):
    run = simulation.start(**SETTINGS)
    for _ in range(3):
        told = run.next_cohort()
        (record,) = run.rounds(1)
        assert record.cohort == told


def test_a_listener_that_raises_drops_the_round_and_keeps_those_before(simulation):
    class DroppedError(Exception):
        pass

    def drop(record):
        if run.round_number == 1:
            raise DroppedError

    run = simulation.start(**SETTINGS)
    rounds = run.rounds(3, drop)
    next(rounds)
    kept = run.server.state
    with pytest.raises(DroppedError):
        next(rounds)
    assert run.server.state is kept and run.round_number == 1
    assert numbers_of(run.rounds(1)) == numbers_of(simulation.start(**SETTINGS).rounds(2))[1:]


def test_a_run_trains_in_a_thread_beside_another_one_and_hears_its_own_clients_only(simulation):
    heard = {"a": [], "b": []}
    runs = {name: simulation.start(client_ids=[name]) for name in heard}
    threads = [
        threading.Thread(target=lambda name=name: list(runs[name].rounds(4, heard[name].append)))
        for name in heard
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: [record.client_id for record in told] for name, told in heard.items()} == {
        "a": ["a"] * 4,
        "b": ["b"] * 4,
    }


def test_it_writes_with_the_weights_of_the_round(simulation):
    run = simulation.start(client_ids=["a"], client_optimizer="Adam", client_rate=0.1, local_epochs=3)
    before = run.write("ab", 60)
    list(run.rounds(2))
    after = run.write("ab", 60)
    assert before.startswith("ab") and len(before) == 62
    # The client's text is nothing but the letter a.
    assert after.count("a") > 50 > before.count("a")


@pytest.mark.parametrize("num_rounds", [0, 1.5, True])
def test_impossible_numbers_of_rounds_are_refused_at_once(simulation, num_rounds):
    with pytest.raises(ValueError, match="num_rounds="):
        simulation.start(client_ids=["a"]).rounds(num_rounds)
