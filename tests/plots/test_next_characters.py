import math

import pytest

from fedlab.plots import plot_next_characters
from fedlab.plots.next_characters import softmax

# exp of these is 4, 1, 2: probabilities 4/7, 1/7, 2/7.
LOGITS = [math.log(4), 0, math.log(2)]


def test_softmax_at_temperature_1_and_a_half():
    assert softmax(LOGITS).tolist() == pytest.approx([4 / 7, 1 / 7, 2 / 7])
    # Divided by 0.5, the exponentials are squared: 16, 1, 4.
    assert softmax(LOGITS, 0.5).tolist() == pytest.approx([16 / 21, 1 / 21, 4 / 21])


def test_bars_are_percent_the_likeliest_first_a_panel_for_each_temperature():
    first, second = plot_next_characters("a \n", LOGITS, (1.0, 0.5)).axes
    assert [bar.get_height() for bar in first.patches] == pytest.approx([400 / 7, 200 / 7, 100 / 7])
    assert [bar.get_height() for bar in second.patches] == pytest.approx([1600 / 21, 400 / 21, 100 / 21])
    assert [label.get_text() for label in first.get_xticklabels()] == ["a", "↵", "␣"]
    assert (first.get_title(), second.get_title()) == ("temperature 1.0", "temperature 0.5")


def test_labels_have_units_and_the_description_has_the_likeliest():
    figure = plot_next_characters("a \n", LOGITS, (1.0, 0.5))
    assert figure.axes[0].get_ylabel() == "probability (%)"
    assert figure.axes[0].get_xlabel() == "next character"
    assert figure.description.endswith("'a' has 57% at temperature 1.0, 76% at temperature 0.5.")
