"""What the widgets share: a notebook shows the parts, everything else the facts."""

import ipywidgets
import pytest
from IPython.core.formatters import DisplayFormatter

from fedlab import widgets
from fedlab.widgets.parts import controls
from fedlab.widgets.parts.widget_base import WIDGET_VIEW, WidgetBase


class Counter(WidgetBase):
    """A widget that counts how often its button was pressed."""

    def __init__(self):
        self.count = 0
        self.button = controls.button("Count", self._press, tooltip="Adds one.")
        self._show("Counter <of presses>", self.button)

    def _press(self):
        self.count += 1

    def facts(self):
        return f"pressed {self.count} times"


def test_a_front_end_gets_the_widget_and_everyone_else_the_facts():
    counter = Counter()
    counter.button.click()
    data, _ = DisplayFormatter().format(counter)
    assert data["text/plain"] == "pressed 1 times" == str(counter)
    assert data[WIDGET_VIEW]["model_id"] == counter.root.model_id


def test_the_heading_is_escaped_and_the_style_is_there():
    heading = Counter().root.children[0].value
    assert "Counter &lt;of presses&gt;" in heading and "<style " in heading


def test_closing_takes_every_part_from_the_page():
    counter = Counter()
    counter.close()
    assert counter.button.comm is None and counter.root.comm is None


def test_every_control_has_a_label():
    made = [
        controls.whole_number("Rounds", 3, 1, 9),
        controls.number("Rate", 0.5, 0, 1),
        controls.choice("Optimizer", ["SGD", "Adam"], "Adam"),
        controls.text_line("Name", "Iago"),
        controls.text_lines("Start text", "The\n"),
        controls.tick("Colour", True),
        controls.listing("Client", ["Romeo", "Juliet"]),
        controls.switch("WidgetBase", ["Lines", "Numbers"]),
    ]
    labels = [control.description for control in made]
    assert labels == ["Rounds", "Rate", "Optimizer", "Name", "Start text", "Colour", "Client", "WidgetBase"]
    assert [control.value for control in made] == [3, 0.5, "Adam", "Iago", "The\n", True, "Romeo", "Lines"]


def test_parts_beside_each_other_wrap_on_a_narrow_page():
    row = controls.side_by_side(ipywidgets.Label("a"), ipywidgets.Label("b"))
    assert row.layout.flex_flow == "row wrap"


def test_a_widget_that_does_not_exist_is_an_error_that_lists_those_that_do():
    with pytest.raises(AttributeError, match=r"no attribute 'Dashboard'; it has .*RoundsDashboard"):
        widgets.Dashboard  # noqa: B018
