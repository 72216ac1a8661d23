import pytest

from fedlab.plots import plot_character_shares
from fedlab.plots.character_shares import percent_from_average

COUNTS = [[1, 1, 0], [3, 1, 0]]


def test_shares_are_compared_with_those_in_all_text():
    # All: 4/6, 2/6. First client: 1/2, 1/2. Second: 3/4, 1/4. Nobody uses the third character.
    wanted = [[-25, 50, 0], [12.5, -25, 0]]
    assert percent_from_average(COUNTS).tolist() == [pytest.approx(row) for row in wanted]


def test_columns_are_the_commonest_characters_in_order():
    figure = plot_character_shares(["A_B", "C_D"], [[1, 0, 9], [1, 0, 9]], "x y", num_shown=2)
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["y", "x"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["A B", "C D"]


def test_the_picture_holds_the_percentages_with_their_unit():
    figure = plot_character_shares(["A_B", "C_D"], COUNTS, "xyz", num_shown=2)
    assert figure.axes[0].images[0].get_array().tolist() == [
        pytest.approx([-25, 50]),
        pytest.approx([12.5, -25]),
    ]
    assert figure.axes[1].get_ylabel() == "share, against all clients (%)"
    assert figure.description.endswith("The largest difference: A B uses 'y' +50% against all clients.")
