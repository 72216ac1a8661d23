import pytest

from fedlab.plots import plot_aggregation_round


def points(collection):
    return collection.get_offsets().tolist()


def test_dots_are_what_clients_hold_diamonds_what_they_send_and_a_line_is_the_result():
    figure = plot_aggregation_round(("value",), [(1.0,), (2.0,), (9.0,)], [(1.0,), (2.0,), (3.0,)], (2.0,))
    (axes,) = figure.axes
    assert points(axes.collections[0]) == [[0, 1], [1, 2], [2, 9]]
    assert points(axes.collections[2]) == [[0, 1], [1, 2], [2, 3]]
    assert axes.lines[1].get_ydata() == [2.0, 2.0]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["holds", "sends", "result"]
    assert figure.description == (
        "What clients hold and send: client 0 holds 1 and sends 1; client 1 holds 2 and sends 2; "
        "client 2 holds 9 and sends 3. The result is 2."
    )


def test_every_number_of_a_structure_has_a_panel_of_its_name():
    figure = plot_aggregation_round(("w[0]", "w[1]", "b", "c"), [(1.0, 2.0, 0.5, 0.0)], result=(4, 3, 2, 1))
    assert [axes.get_ylabel() for axes in figure.axes if axes.axison] == ["w[0]", "w[1]", "b", "c"]
    assert [axes.lines[1].get_ydata()[0] for axes in figure.axes if axes.axison] == [4, 3, 2, 1]
    assert [points(axes.collections[0]) for axes in figure.axes[:4]] == [
        [[0, 1]],
        [[0, 2]],
        [[0, 0.5]],
        [[0, 0]],
    ]
    assert {axes.get_xlabel() for axes in figure.axes if axes.axison} == {"client"}
    assert "What clients hold (w[0], w[1], b, c): client 0 holds 1, 2, 0.5, 0." in figure.description


def test_what_is_not_there_is_not_drawn():
    (axes,) = plot_aggregation_round(("value",), [(float("nan"),), (1.0,)]).axes
    assert len(axes.collections) == 1 and len(axes.lines) == 1  # the dots, and the line at zero


@pytest.mark.parametrize("names", [(), tuple("abcdefg"), ("a", "b")])
def test_numbers_that_do_not_fit_are_refused(names):
    with pytest.raises(ValueError, match="numbers"):
        plot_aggregation_round(names, [(1.0,)])
