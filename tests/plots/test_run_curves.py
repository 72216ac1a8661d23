import pytest

from fedlab.plots import plot_run
from fedlab.training import Evaluation, RoundRecord


def evaluation(loss, accuracy):
    return Evaluation(loss, accuracy, 100, {})


def record(number, loss, accuracy, held_out=None):
    return RoundRecord(number, ("A",), {"A": 8}, {"loss": loss, "accuracy": accuracy}, 1.0, held_out)


BEFORE = evaluation(2.0, 0.40)
RECORDS = [record(1, 1.9, 0.41, evaluation(1.95, 0.42)), record(2, 1.8, 0.45, evaluation(1.85, 0.44))]


def points(axes):
    return {line.get_label(): line.get_xydata().tolist() for line in axes.lines}


def test_both_texts_have_their_curves_and_the_held_out_one_starts_before_the_first_round():
    losses, accuracies = plot_run(RECORDS, BEFORE).axes
    training, held_out = "training text, while training", "held-out text"
    assert points(losses) == {training: [[1, 1.9], [2, 1.8]], held_out: [[0, 2.0], [1, 1.95], [2, 1.85]]}
    assert points(accuracies) == {training: [[1, 41], [2, 45]], held_out: [[0, 40], [1, 42], [2, 44]]}


def test_axes_say_what_they_measure():
    for axes, unit in zip(
        plot_run(RECORDS, BEFORE).axes, ("nats per character", "% of characters"), strict=True
    ):
        assert unit in axes.get_ylabel() and "round" in axes.get_xlabel()


def test_rounds_without_an_evaluation_are_left_out_of_the_held_out_curve():
    losses, _ = plot_run([record(1, 1.9, 0.41), RECORDS[1]]).axes
    assert points(losses)["held-out text"] == [[2, 1.85]]


def test_before_the_first_round_there_is_one_point():
    losses, _ = plot_run([], BEFORE).axes
    assert points(losses) == {"held-out text": [[0, 2.0]]}


def test_the_description_says_where_accuracy_went():
    assert plot_run(RECORDS, BEFORE).description == (
        "Loss and accuracy over 2 rounds; training accuracy goes from 41% to 45%; "
        "held-out accuracy goes from 40% to 44%."
    )
    assert plot_run(RECORDS[:1]).description.startswith(
        "Loss and accuracy over 1 round; training accuracy is 41%"
    )


def test_nothing_to_draw_is_an_error():
    with pytest.raises(ValueError, match="nothing to draw"):
        plot_run([])
