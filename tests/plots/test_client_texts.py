import pytest

from fedlab.datasets.reports import ClientReport
from fedlab.plots import plot_client_texts

REPORTS = [
    ClientReport("HAMLET_HAMLET", 9, 1900, 0, 18, 2, 284),
    ClientReport("HENRY_V_HERALD", 1, 46, 0, 0, 0, 46),
]


def test_bars_are_used_and_left_out_characters_the_largest_client_on_top():
    (axes,) = plot_client_texts(REPORTS).axes
    used, left_out = axes.containers
    assert [bar.get_width() for bar in used] == [0, 1616]  # 2 batches of 8 windows of 101
    assert [bar.get_width() for bar in left_out] == [46, 284]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Henry V Herald", "Hamlet Hamlet"]


def test_axis_has_a_unit_and_colours_a_legend():
    (axes,) = plot_client_texts(REPORTS).axes
    assert axes.get_xlabel() == "text (characters)"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["used for training", "left out"]


def test_the_description_has_the_extremes():
    assert plot_client_texts(REPORTS).description == (
        "2 clients have from 46 (Henry V Herald) to 1,900 characters (Hamlet Hamlet); of 1 of them, "
        "training uses nothing."
    )


def test_no_clients_cannot_be_drawn():
    with pytest.raises(ValueError, match="no clients"):
        plot_client_texts([])
