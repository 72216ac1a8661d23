from fedlab.plots import plot_client_place

SIZES = {"HAMLET_GHOST": 0, "HAMLET_HAMLET": 7006, "HAMLET_OSRIC": 500, "HENRY_V_HERALD": 45}


def test_all_clients_are_drawn_the_largest_first_and_one_is_marked():
    (axes,) = plot_client_place("HENRY_V_HERALD", SIZES, 808).axes
    everyone, marked, batch = axes.lines
    assert everyone.get_xydata().tolist() == [[1, 7006], [2, 500], [3, 45], [4, 0]]
    assert marked.get_xydata().tolist() == [[3, 45]]
    assert list(batch.get_ydata()) == [808, 808]


def test_axes_have_units_and_marks_a_legend():
    (axes,) = plot_client_place("HENRY_V_HERALD", SIZES, 808).axes
    assert axes.get_ylabel() == "text (characters)"
    assert axes.get_xlabel() == "place, the largest first"
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["all clients", "Henry V Herald", "enough for one batch"]


def test_the_description_has_place_median_and_who_is_too_small():
    assert plot_client_place("HAMLET_OSRIC", SIZES, 808).description == (
        "Hamlet Osric has 500 characters, place 2 of 4 by size; the median is 272. 3 of 4 clients have less "
        "than the 808 characters of one batch."
    )


def test_a_client_without_text_is_drawn_at_zero_and_not_left_out():
    figure = plot_client_place("HAMLET_GHOST", SIZES, 808)
    assert figure.axes[0].lines[1].get_xydata().tolist() == [[4, 0]]
    assert figure._repr_mimebundle_()[0]["image/png"].startswith(b"\x89PNG")
