import pytest

from fedlab.plots import plot_comparison
from fedlab.training import Evaluation, Experiment, RoundRecord


def evaluation(accuracy):
    return Evaluation(loss=2.0, accuracy=accuracy, num_characters=100, accuracy_by_client={"A": accuracy})


def experiment(name, *accuracies, examples=16):
    records = [
        RoundRecord(number, ("A",), {"A": examples}, {"loss": 2.0}, 1.0, evaluation(accuracy))
        for number, accuracy in enumerate(accuracies, start=1)
    ]
    return Experiment(name, evaluation(0.40), records)


EXPERIMENTS = [experiment("SGD", 0.41, 0.42), experiment("Adam", 0.42, 0.45, examples=48)]


def test_lines_are_accuracies_in_percent_over_rounds():
    (axes,) = plot_comparison(EXPERIMENTS, "Client optimizers").axes
    assert [line.get_xydata().tolist() for line in axes.lines] == [
        [[0, 40], [1, 41], [2, 42]],
        [[0, 40], [1, 42], [2, 45]],
    ]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["SGD", "Adam"]


def test_a_panel_over_work_counts_the_batches_of_all_clients():
    rounds, work = plot_comparison(EXPERIMENTS, "Local epochs", over=("rounds", "work")).axes
    assert [line.get_xdata().tolist() for line in work.lines] == [[0, 2, 4], [0, 6, 12]]
    assert rounds.get_xlabel() == "round (0 = pretrained)"
    assert work.get_xlabel() == "work (batches trained on, all clients)"
    assert rounds.get_ylabel() == "held-out accuracy (% of characters)"


def test_lines_differ_in_colour_and_in_shape():
    (axes,) = plot_comparison(EXPERIMENTS, "Client optimizers").axes
    assert len({line.get_color() for line in axes.lines}) == 2
    assert len({line.get_marker() for line in axes.lines}) == 2


def test_description_names_the_best():
    description = plot_comparison(EXPERIMENTS, "Client optimizers").description
    assert description == (
        "Client optimizers: held-out accuracy, one line each for SGD, Adam. "
        "All start at 40%; Adam ends highest."
    )


def test_description_names_no_best_where_another_machine_might_see_another():
    close = [experiment("SGD", 0.450), experiment("Adam", 0.451)]
    assert "the best of them end close together" in plot_comparison(close, "Client optimizers").description


def test_seven_can_be_told_apart_and_eight_are_refused():
    assert len(plot_comparison(EXPERIMENTS[:1] * 7, "many").axes[0].lines) == 7
    with pytest.raises(ValueError, match="8 experiments: give 1 to 7"):
        plot_comparison(EXPERIMENTS[:1] * 8, "too many")


@pytest.mark.parametrize("over", [(), ("seconds",)])
def test_other_axes_are_refused(over):
    with pytest.raises(ValueError, match="choose from 'rounds', 'work'"):
        plot_comparison(EXPERIMENTS, "Client optimizers", over=over)
