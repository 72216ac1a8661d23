import pytest

from fedlab.plots import plot_client_gains
from fedlab.training import Evaluation, Experiment, RoundRecord


def evaluation(**by_client):
    return Evaluation(loss=2.0, accuracy=0.5, num_characters=100, accuracy_by_client=by_client)


def experiment(name, cohort):
    after = evaluation(A=0.44, B=0.52, C=0.44)
    record = RoundRecord(1, cohort, dict.fromkeys(cohort, 8), {"loss": 2.0}, 1.0, after)
    return Experiment(name, evaluation(A=0.40, B=0.50, C=0.45), [record])


EXPERIMENTS = [experiment("two train", ("A", "B")), experiment("all train", ("A", "B", "C"))]


def dots(axes):
    return [sorted(round(x, 6) for x, _ in points.get_offsets().tolist()) for points in axes.collections]


def test_dots_are_gains_in_points_by_whether_the_client_took_part():
    (axes,) = plot_client_gains(EXPERIMENTS, "Sampling").axes
    assert dots(axes) == [[2, 4], [-1], [-1, 2, 4]]


def test_a_line_marks_the_mean_of_each_group():
    (axes,) = plot_client_gains(EXPERIMENTS, "Sampling").axes
    means = [line.get_xdata()[0] for line in axes.lines if len(set(line.get_ydata())) == 2]
    assert sorted(round(float(mean), 4) for mean in means) == [-1, 0, 1.6667, 3]  # 0: the line of no gain


def test_rows_are_named_from_the_top_and_the_axis_has_its_unit():
    figure = plot_client_gains(EXPERIMENTS, "Sampling")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["two train", "all train"]
    assert axes.get_ylim() == (1.5, -0.5)
    assert axes.get_xlabel() == "gain in held-out accuracy (percentage points)"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "took part in training",
        "never took part",
    ]


def test_description_says_how_many_took_part():
    description = plot_client_gains(EXPERIMENTS, "Sampling").description
    assert "two train, 2 of 3 clients took part; all train, 3 of 3 clients took part." in description


def test_nothing_to_draw_is_said():
    with pytest.raises(ValueError, match="no experiment"):
        plot_client_gains([], "Sampling")
