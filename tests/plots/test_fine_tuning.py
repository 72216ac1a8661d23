import pytest

from fedlab.plots import plot_fine_tuning
from fedlab.training import Evaluation, RoundRecord


def evaluation(accuracy, **by_client):
    return Evaluation(loss=2.0, accuracy=accuracy, num_characters=100, accuracy_by_client=by_client)


BEFORE = evaluation(0.40, HAMLET_HAMLET=0.40, RICHARD_III_KING_OF_ALL=0.42)
RECORDS = [
    RoundRecord(1, ("HAMLET_HAMLET",), {"HAMLET_HAMLET": 8}, {"loss": 2.0, "accuracy": 0.41}, 1.0),
    RoundRecord(
        2,
        ("HAMLET_HAMLET",),
        {"HAMLET_HAMLET": 8},
        {"loss": 1.9, "accuracy": 0.43},
        1.0,
        evaluation(0.45, HAMLET_HAMLET=0.47, RICHARD_III_KING_OF_ALL=0.41),
    ),
]


@pytest.fixture
def axes():
    return plot_fine_tuning(RECORDS, BEFORE).axes


def test_curves_are_the_records_accuracies_in_percent(axes):
    training, held_out = axes[0].lines
    assert training.get_xydata().tolist() == [[1, 41], [2, 43]]
    assert held_out.get_xydata().tolist() == [[0, 40], [2, 45]]
    assert [text.get_text() for text in axes[0].get_legend().get_texts()] == [
        "training text, while training",
        "held-out text",
    ]


def test_each_client_has_its_own_row_from_before_to_after(axes):
    starts, ends = (points.get_offsets().tolist() for points in axes[1].collections[1:])
    assert starts == [[42, 0], [40, 1]]
    assert ends == [[41, 0], [47, 1]]
    labels = [label.get_text() for label in axes[1].get_yticklabels()]
    assert labels == ["Richard III King of All", "Hamlet Hamlet"]


def test_axes_have_labels_with_units(axes):
    assert axes[0].get_xlabel() == "round (0 = pretrained)"
    assert {axes[0].get_ylabel(), axes[1].get_xlabel()} == {"accuracy (% of characters)"}


def test_rounds_without_evaluation_cannot_be_drawn():
    with pytest.raises(ValueError, match="no round with a held-out evaluation"):
        plot_fine_tuning(RECORDS[:1], BEFORE)


def test_the_description_says_what_changed_and_for_how_many():
    assert plot_fine_tuning(RECORDS, BEFORE).description == (
        "Held-out accuracy goes from 40% to 45% in 2 rounds; it rises for 1 of 2 clients."
    )
