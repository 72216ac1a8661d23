import numpy as np
import pytest
import tensorflow_federated as tff

from fedlab.training import Evaluation, Experiment, RoundRecord, distance_between


def evaluation(accuracy, **by_client):
    return Evaluation(loss=2.0, accuracy=accuracy, num_characters=100, accuracy_by_client=by_client)


def record(number, cohort, held_out=None):
    return RoundRecord(number, cohort, dict.fromkeys(cohort, 16), {"loss": 2.0}, 1.0, held_out)


BEFORE = evaluation(0.40, A=0.40, B=0.50, C=0.45)
AFTER = evaluation(0.43, A=0.44, B=0.49)


@pytest.fixture
def experiment():
    return Experiment("a test", BEFORE, [record(1, ("A", "B")), record(2, ("A",), AFTER)])


def test_gains_are_percentage_points(experiment):
    assert experiment.gain_points == pytest.approx(3)
    assert experiment.gain_points_by_client == pytest.approx({"A": 4, "B": -1})


def test_curve_starts_before_the_rounds_and_counts_batches_of_eight(experiment):
    assert experiment.curve == [(0, 0, BEFORE), (2, 6, AFTER)]


def test_participants_are_those_of_any_round(experiment):
    assert experiment.participants == {"A", "B"}


@pytest.mark.parametrize("records", [[], [record(1, ("A",))]])
def test_experiment_without_a_result_is_refused(records):
    with pytest.raises(ValueError, match="'a test': its last round needs a held-out evaluation"):
        Experiment("a test", BEFORE, records)


def test_distance_takes_all_weights_as_one_vector():
    first = tff.learning.models.ModelWeights([np.array([3.0, 0.0]), np.array([[1.0]])], [])
    second = tff.learning.models.ModelWeights([np.array([0.0, 4.0]), np.array([[1.0]])], [])
    assert distance_between(first, second) == 5.0


def test_distance_between_different_models_is_refused():
    first = tff.learning.models.ModelWeights([np.zeros(2)], [])
    with pytest.raises(ValueError):
        distance_between(first, tff.learning.models.ModelWeights([np.zeros(2), np.zeros(1)], []))
