"""AggregationExplorer with real factories: those it offers, and one's own."""

import numpy as np
import pytest
import tensorflow_federated as tff

import fedlab
from fedlab.aggregators import example_factories
from fedlab.widgets import AggregationExplorer


@pytest.fixture
def make():
    made = []

    def make_explorer(*arguments):
        made.append(AggregationExplorer(*arguments))
        return made[-1]

    yield make_explorer
    for explorer in made:
        explorer.close()


def test_the_factories_to_explore_are_offered_and_a_round_of_the_mean_is_run(make):
    explorer = make()
    assert list(explorer.factory.options) == list(example_factories.FACTORIES)
    explorer.clients.weights[2].value = 2
    assert explorer.next_round().result == (("", "5.25"),)  # (1 + 2 + 2 * 9) / 4


def test_ones_own_factory_comes_first_and_the_others_stay_to_compare(make):
    explorer = make(fedlab.aggregators.ScaledSumFactory(), [1.0, 2.0, 5.0])
    assert explorer.factory.options[:2] == ("ScaledSumFactory", "mean")
    explorer.next_round()
    assert explorer.next_round().state_changes() == [("0", "1", "2")]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (lambda: tff.aggregators.SumFactory(), "your factory"),
        (example_factories.plain_sum, "plain_sum"),
        (tff.aggregators.SumFactory().create(tff.TensorType(np.float32)), "AggregationProcess"),
    ],
)
def test_a_function_and_a_process_can_be_passed_too(make, given, name):
    explorer = make(given)
    assert explorer.factory.value == name
    assert explorer.next_round().result == (("", "12"),)


def test_ones_own_factory_wins_over_one_of_fedlabs_with_the_same_name(make):
    def mean():
        return tff.aggregators.SumFactory()

    explorer = make(mean)
    assert list(explorer.factory.options) == list(example_factories.FACTORIES)
    assert explorer.next_round().result == (("", "12"),)


def test_a_class_is_not_a_factory_and_the_error_says_what_to_write():
    with pytest.raises(TypeError, match=r"write MeanFactory\(\)"):
        AggregationExplorer(tff.aggregators.MeanFactory)


def test_a_type_that_the_factory_refuses_is_said_in_words_and_the_widget_goes_on(make):
    process = tff.aggregators.SumFactory().create(tff.TensorType(np.float32))
    explorer = make({"sum of numbers": process}, [1.0])
    explorer.clients.values[0].value = "[1, 2]"
    assert explorer.next_round() is None
    assert "problem: The process aggregates values of type float32" in str(explorer)
    explorer.clients.values[0].value = "3"
    assert explorer.next_round().result == (("", "3"),)


def test_nan_may_be_typed_and_the_median_leaves_it_out(make):
    explorer = make({"median": fedlab.aggregators.CoordinateMedianFactory()}, ["1", "nan", "4"])
    record = explorer.next_round()
    assert record.result == (("", "2.5"),) and ("num_nan", "1") in record.measurements
