"""AggregationExplorer with plain records: what is typed, run, shown, and said in words."""

import functools
import html
import subprocess
import sys
import threading
import types

import pytest

from fedlab.aggregators.plain_values import describe_type
from fedlab.aggregators.recorded_round import ClientChange, RecordedRound, RoundNumbers, RoundStep
from fedlab.widgets import AggregationExplorer

MOVING = dict(is_plumbing=True, function="", intrinsic="federated_zip_at_clients", where="at the clients")


def steps_of(values, count):
    """A step of plumbing, one at the clients, a sum and one at the server: value times count, summed."""
    scaled = [value * count for value in values]
    totals = [sum(scaled[: index + 1]) for index in range(len(scaled))]
    clients = [ClientChange(i, f"{value:g}", f"{value * count:g}") for i, value in enumerate(values)]
    summed = [
        ClientChange(i, f"{s:g}", f"{t:g}") for i, (s, t) in enumerate(zip(scaled, totals, strict=True))
    ]
    return (
        RoundStep(label="at the clients: [zip]", before="", after="", clients=tuple(clients), **MOVING),
        RoundStep(
            "at the clients", "scale", "federated_map", "at the clients: scale", False, "", "", (*clients,)
        ),
        RoundStep(
            "aggregation",
            "",
            "federated_aggregate",
            "aggregation: [sum]",
            False,
            "",
            f"{totals[-1]:g}",
            (*summed,),
        ),
        RoundStep("at the server", "unscale", "federated_apply", "at the server: unscale", False, "a", "b"),
    )


class Counting:
    """Scales by the number of the round, as fedlab's ScaledSum does, in plain Python."""

    def __init__(self, factory, name):
        if factory == "broken":
            raise TypeError("broken is no factory: give another")
        self.name, self.is_weighted, self.description = name, factory == "weighted", f"This is {factory}."
        self.rounds, self.calls = (), []
        self.error, self.go_on = None, threading.Event()
        self.go_on.set()

    def next_round(self, client_values, weights=None, *, after=None):
        self.calls.append((client_values, weights, after))
        assert self.go_on.wait(60)
        if self.error:
            raise self.error
        value_type = describe_type(client_values[0])
        same_type = self.rounds and self.rounds[-1].value_type == value_type
        done = self.rounds[:after] if same_type else ()
        self.rounds = (*done, self._record(client_values, weights, len(done) + 1, value_type))
        return self.rounds[-1]

    def _record(self, values, weights, number, value_type):
        numbers = [value if isinstance(value, float) else 0.0 for value in values]
        return RecordedRound(
            number=number,
            factory=self.name,
            value_type=value_type,
            signature="(state -> <b>)",
            client_values=tuple(f"{value}" for value in values),
            weights=tuple(f"{weight:g}" for weight in weights or ()),
            steps=steps_of(numbers, number),
            state_before=(("count", f"{number - 1}"), ("kept", "7")),
            state_after=(("count", f"{number}"), ("kept", "7")),
            measurements=(("scaled", f"{number * sum(numbers):g}"),),
            result=(("", f"{sum(numbers):g}"),),
            numbers=RoundNumbers(("value",), tuple((n,) for n in numbers), (), (sum(numbers),)),
        )


@pytest.fixture
def explored():
    """The explorations that the widget has made, in order."""
    return []


@pytest.fixture
def explorer(explored):
    def explore(factory, name):
        explored.append(Counting(factory, name))
        return explored[-1]

    factories = {"counting": "plain", "with weights": "weighted", "no factory": "broken"}
    made = AggregationExplorer(factories, [1.0, 2.0, 5.0], explore=explore)
    yield made
    made.close()


def of_kind(explorer, kind):
    """The parts of a kind that are on the page."""
    found = []

    def look(part):
        if type(part).__name__ == kind and part.layout.display != "none":
            found.append(part)
        if part.layout.display != "none":
            for child in getattr(part, "children", ()):
                look(child)

    look(explorer.root)
    return found


def page(explorer):
    return "".join(part.value for part in of_kind(explorer, "HTML"))


def type_in(explorer, *texts):
    for field, text in zip(explorer.clients.values, texts, strict=True):
        field.value = text


def test_a_round_runs_with_what_is_typed_and_its_result_is_on_the_page(explorer, explored):
    type_in(explorer, "1", "2.5", "-1")
    explorer.next_round_button.click()
    assert explorer.wait(60)
    assert explored[0].calls == [([1.0, 2.5, -1.0], None, 0)]
    assert [record.number for record in explorer.rounds] == [1]
    assert "Round 1 is done. The result is 2.5." in page(explorer)
    assert "Result: 2.5" in page(explorer) and "Clients 0 to 2 held 1.0, 2.5, -1.0." in page(explorer)
    assert "client 1 holds 2.5" in page(explorer)  # the figure's description


def test_state_goes_on_and_what_changed_is_marked_in_words(explorer):
    explorer.next_round()
    record = explorer.next_round()
    assert record.state_changes() == [("count", "1", "2"), ("kept", "7", "7")]
    rows = [row for row in page(explorer).split("<tr>") if "count</td>" in row or "kept</td>" in row]
    assert ["changed" in row for row in rows] == [True, False]


def test_back_shows_the_round_before_as_it_was_and_forward_the_later_one(explorer):
    explorer.next_round()
    type_in(explorer, "10", "10", "10")
    explorer.next_round()
    second = str(explorer)
    explorer.back_button.click()
    assert "round 1 of 2, step 1 of 3" in str(explorer) and "client 2: 5.0" in str(explorer)
    assert "Round 1 of counting" in page(explorer) and "held 1.0, 2.0, 5.0" in page(explorer)
    explorer.forward_button.click()
    assert str(explorer) == second


def test_at_the_ends_back_and_forward_say_so_and_stay(explorer):
    explorer.back_button.click()
    assert "There is no round yet: press Next round." in page(explorer)
    explorer.next_round()
    for button, words in [(explorer.back_button, "first round"), (explorer.forward_button, "last round")]:
        before = str(explorer)
        button.click()
        assert words in page(explorer) and str(explorer) == before


def test_steps_are_walked_one_by_one_to_both_ends(explorer):
    explorer.next_step_button.click()
    assert "There is no round yet" in page(explorer)
    explorer.next_round()
    marked = []
    for _ in range(4):
        marked.append(page(explorer).split('<li aria-current="step"><b>▶ ')[1].split("<")[0])
        explorer.next_step_button.click()
    assert marked == ["at the clients: scale", "aggregation: [sum]"] + ["at the server: unscale"] * 2
    assert "This is the last step of the round" in page(explorer)
    for _ in range(3):
        explorer.previous_step_button.click()
    assert "This is the first step of the round" in page(explorer)
    assert "-> 1. at the clients: scale" in str(explorer)


def test_each_kind_of_step_shows_its_values_under_their_headings(explorer):
    explorer.next_round()
    explorer.next_round()
    tables = []
    for _ in range(3):
        tables.append(page(explorer).split("<h4>Step ")[1].split("</table>")[0])
        explorer.next_step()
    assert ">goes in</th>" in tables[0] and ">comes out</th>" in tables[0]
    assert '<td>client 2</td><td class="number">5</td><td class="number">10</td>' in tables[0]
    assert ">gives</th>" in tables[1] and ">total so far</th>" in tables[1]
    assert '<td>client 1</td><td class="number">4</td><td class="number">6</td>' in tables[1]
    assert '<td>result</td><td></td><td class="number">16</td>' in tables[1]
    assert "<td>a</td><td>b</td>" in tables[2] and "client" not in tables[2]


def test_plumbing_is_hidden_until_it_is_asked_for_and_the_step_stays(explorer):
    explorer.next_round()
    assert "[zip]" not in page(explorer) and "[zip]" not in str(explorer)
    explorer.plumbing.value = True
    assert "[zip]" in page(explorer) and "-> 2. at the clients: scale" in str(explorer)
    explorer.previous_step()
    assert "-> 1. at the clients: [zip]" in str(explorer)
    explorer.plumbing.value = False
    assert "-> 1. at the clients: scale" in str(explorer)


def test_going_back_to_another_round_stays_at_the_same_step(explorer):
    explorer.next_round(), explorer.next_round(), explorer.next_step(), explorer.back()
    assert "round 1 of 2, step 2 of 3" in str(explorer)


def test_after_going_back_the_next_round_is_a_repetition_that_is_announced(explorer, explored):
    for _ in range(3):
        explorer.next_round()
    explorer.back(), explorer.back()
    assert "Next round is round 2 again, from the state after round 1; later ones go." in page(explorer)
    explorer.next_round()
    assert explored[0].calls[-1][2] == 1
    assert [record.number for record in explorer.rounds] == [1, 2] and "round 2 of 2" in str(explorer)


def test_two_presses_of_next_round_run_one_round(explorer, explored):
    explored[0].go_on.clear()
    explorer.next_round_button.click()
    type_in(explorer, "what", "is", "this")
    for button in (
        explorer.next_round_button,
        explorer.reset_button,
        explorer.back_button,
        explorer.next_step_button,
    ):
        button.click()
    assert "Working" in page(explorer) and 'role="alert"' not in page(explorer)
    explored[0].go_on.set()
    assert explorer.wait(60)
    assert len(explored[0].calls) == 1 and len(explorer.rounds) == 1 and len(explored) == 1


def test_next_round_called_while_one_is_under_way_gives_that_ones_record(explorer, explored):
    explored[0].go_on.clear()
    explorer.next_round_button.click()
    threading.Timer(0.2, explored[0].go_on.set).start()
    assert explorer.next_round().number == 1
    assert len(explored[0].calls) == 1


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (("1", "2", "[1, 2"), "client 2: [1, 2 cannot be read: write 1.5"),
        (("1", "", "3"), "client 1: nothing is written"),
        (("1", "[2]", "3"), "client 1 holds float32[1], but client 0 holds float32"),
    ],
)
def test_what_cannot_be_read_is_said_before_and_after_the_press_and_nothing_runs(
    explorer, explored, texts, words
):
    explorer.next_round()
    before = explorer.rounds
    type_in(explorer, *texts)
    assert words in page(explorer) and 'role="alert"' not in page(explorer)
    assert explorer.next_round() is None
    assert page(explorer).count(words) == 1 and f'role="alert">{words}' in page(explorer)
    assert f"problem: {words}" in str(explorer)
    assert explorer.rounds == before and len(explored[0].calls) == 1
    type_in(explorer, "1", "2", "3")
    assert explorer.next_round().number == 2
    assert 'role="alert"' not in page(explorer) and "problem" not in str(explorer)


def test_an_error_in_the_round_is_shown_in_its_words_and_the_rounds_stay(explorer, explored):
    explorer.next_round()
    explored[0].error = RuntimeError("'scale' failed at client 1: <NaN>")
    assert explorer.next_round() is None
    assert "failed at client 1: &lt;NaN&gt;" in page(explorer)
    assert "No round was run; everything is as it was." in page(explorer)
    assert "round 1 of 1" in str(explorer)
    explored[0].error = None
    assert explorer.next_round().number == 2


def test_another_factory_begins_afresh_with_the_next_round_and_says_so_before(explorer, explored):
    explorer.next_round()
    explorer.factory.value = "with weights"
    assert "Next round is round 1 of with weights; what counting did goes." in page(explorer)
    assert "This is weighted." in page(explorer) and "round 1 of counting" in str(explorer)
    explorer.factory.value = "counting"
    assert "Next round is round 2." in page(explorer) and "This is plain." in page(explorer)
    explorer.factory.value = "with weights"
    assert explorer.next_round().factory == "with weights"
    assert [record.factory for record in explorer.rounds] == ["with weights"]
    assert "Next round is round 2." in page(explorer)


def test_coming_back_to_a_factory_that_was_left_begins_afresh_too(explorer):
    for name in ("counting", "with weights", "counting"):
        explorer.factory.value = name
        assert explorer.next_round().number == 1


def test_values_of_another_type_begin_afresh_and_it_is_said_before(explorer):
    explorer.next_round()
    explorer.next_round()
    type_in(explorer, *["[1, 2]"] * 3)
    assert "3 clients, values of type float32[2]. Next round is round 1 again" in page(explorer)
    assert explorer.next_round().number == 1
    assert "round 1 of 1" in str(explorer)


def test_names_in_another_order_are_no_other_type(explorer):
    type_in(explorer, *['{"w": 1, "b": [2]}'] * 3)
    explorer.next_round()
    type_in(explorer, *['{"b": [2], "w": 1}'] * 3)
    shown = html.unescape(page(explorer))
    assert "values of type <w=float32,b=float32[1]>. Next round is round 2." in shown


def test_weights_have_fields_where_they_count_and_only_there(explorer, explored):
    assert of_kind(explorer, "BoundedFloatText") == []
    explorer.factory.value = "with weights"
    labels = [field.description for field in of_kind(explorer, "BoundedFloatText")]
    assert labels == ["weight of client 0", "weight of client 1", "weight of client 2"]
    explorer.clients.weights[2].value = 2.5
    explorer.next_round()
    assert explored[-1].calls == [([1.0, 2.0, 5.0], [1.0, 1.0, 2.5], None)]
    assert "client 2: 5.0 (weight 2.5)" in str(explorer) and "with weights 1, 1, 2.5" in page(explorer)


def test_a_clients_fields_stay_the_same_parts_whatever_else_changes(explorer):
    rows, _ = explorer.clients.root.children
    before = [id(row) for row in rows.children]
    for factory in ("with weights", "counting"):
        explorer.factory.value = factory
        explorer.clients.add()
        assert [id(row) for row in rows.children[:3]] == before
        explorer.clients.remove()
        assert [id(row) for row in rows.children] == before


def test_clients_are_added_and_removed_between_one_and_eight(explorer):
    explorer.clients.values[2].value = "7"
    for _ in range(9):
        explorer.clients.add_button.click()
    assert [field.description for field in of_kind(explorer, "Text")] == [f"client {i}" for i in range(8)]
    assert explorer.clients.texts()[3:] == ["7"] * 5
    assert "8 clients, values of type float32." in page(explorer)
    for _ in range(9):
        explorer.clients.remove_button.click()
    assert explorer.clients.texts() == ["1.0"] and "1 client, values" in page(explorer)
    assert explorer.next_round().client_values == ("1.0",)
    assert "Client 0 held 1.0." in page(explorer)


def test_reset_forgets_the_rounds_and_keeps_the_values(explorer, explored):
    type_in(explorer, "3", "4", "5")
    explorer.next_round()
    explorer.next_round()
    explorer.reset_button.click()
    assert explorer.rounds == () and "Steps" not in page(explorer)
    assert str(explorer) == "\n".join(
        ["Aggregation explorer: counting", "client 0: 3", "client 1: 4", "client 2: 5", "no round yet"]
    )
    assert explorer.next_round().state_changes()[0] == ("count", "0", "1")


def test_a_factory_that_cannot_be_made_is_told_and_the_one_before_stays(explorer):
    explorer.next_round()
    explorer.factory.value = "no factory"
    assert "broken is no factory: give another" in page(explorer)
    assert explorer.factory.value == "counting"
    assert explorer.next_round().number == 2


def test_the_facts_are_the_round_with_the_current_step_marked(explorer):
    explorer.next_round()
    explorer.next_round()
    explorer.next_step()
    assert (
        str(explorer)
        == """\
Aggregation explorer: counting
round 2 of 2, step 2 of 3 (->)
round 2 of counting, values of type float32
  client 0: 1.0
  client 1: 2.0
  client 2: 5.0
steps
   1. at the clients: scale
       client 0: 1 -> 2
       client 1: 2 -> 4
       client 2: 5 -> 10
-> 2. aggregation: [sum]
       client 0: 2, total 2
       client 1: 4, total 6
       client 2: 10, total 16
       result: 16
   3. at the server: unscale
       a -> b
result
  8
state
  count: 1 -> 2
  kept: 7
measurements
  scaled: 16"""
    )


def test_what_comes_from_outside_never_becomes_html(explored):
    evil = "<img src=x onerror=alert(1)>"

    class Evil(Counting):
        def _record(self, *arguments):
            record = super()._record(*arguments)
            return types.SimpleNamespace(
                **vars(record) | dict(factory=evil, signature=evil, value_type=evil, result=((evil, evil),)),
                state_changes=lambda: [(evil, evil, "")],
                text=functools.partial(record.text),
            )

    explorer = AggregationExplorer({evil: "plain"}, explore=Evil)
    explorer.next_round()
    assert "&lt;img src=x" in page(explorer) and "<img src=x" not in page(explorer)


@pytest.mark.parametrize("values", [[], ["1"] * 9])
def test_the_number_of_clients_is_checked_when_the_widget_is_made(values):
    with pytest.raises(ValueError, match=f"{len(values)} clients: give the values of 1 to 8"):
        AggregationExplorer({"counting": "plain"}, values, explore=Counting)


def test_a_widget_without_factories_is_refused():
    with pytest.raises(ValueError, match="give one at least"):
        AggregationExplorer({}, explore=Counting)


def test_every_button_says_what_it_does(explorer):
    explorer.next_round()
    buttons = {button.description: button.tooltip for button in of_kind(explorer, "Button")}
    assert list(buttons) == [
        *("Add client", "Remove client", "Next round", "Back", "Forward", "Reset"),
        *("Previous step", "Next step"),
    ]
    assert all(tooltip.endswith(".") for tooltip in buttons.values())


def test_importing_the_widget_loads_neither_tensorflow_nor_tff():
    code = (
        "import sys; from fedlab.widgets import AggregationExplorer\n"
        "assert not {'tensorflow', 'tensorflow_federated'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
