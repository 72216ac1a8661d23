"""Rounds with a learner's values, recorded: numbers computed by hand."""

import collections

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff

import fedlab
from fedlab.aggregators import Exploration, example_factories

VALUES = [1.0, 2.0, 5.0]


def step_of(record, function):
    (step,) = [step for step in record.steps if step.function == function]
    return step


def changes(step):
    return [(part.client, part.before, part.after) for part in step.clients]


def test_a_round_of_scaled_sum_says_what_every_step_did():
    exploration = Exploration(fedlab.aggregators.ScaledSumFactory())
    exploration.next_round(VALUES)
    record = exploration.next_round(VALUES)
    assert (
        record.text(current=3)
        == """\
round 2 of ScaledSumFactory, values of type float32
  client 0: 1
  client 1: 2
  client 2: 5
steps
   1. at the server: add_one [federated_apply]
       1 -> 2
   2. at the clients: [federated_broadcast]
       2
   3. at the clients: scale [federated_map]
       client 0: <0=1, 1=2> -> 2
       client 1: <0=2, 1=2> -> 4
       client 2: <0=5, 1=2> -> 10
-> 4. aggregation: [federated_aggregate]
       client 0: 2, total 2
       client 1: 4, total 6
       client 2: 10, total 16
       result: 16
   5. at the server: unscale [federated_apply]
       <0=16, 1=2> -> 8
result
  8
state
  0: 1 -> 2
measurements
  scaled_value: 16"""
    )
    assert record.state_changes() == [("0", "1", "2")]
    assert record.numbers.values == ((1.0,), (2.0,), (5.0,))
    assert record.numbers.sent == ((2.0,), (4.0,), (10.0,)) and record.numbers.result == (8.0,)


def test_clipping_shortens_at_the_client_before_the_mean():
    record = Exploration(example_factories.clipped_mean, "clipped").next_round([1, 2, 9], [1, 1, 2])
    clip = step_of(record, "clip_fn")
    assert changes(clip)[2] == (2, "<0=9, 1=3>", "<0=3, 1=9, 2=1>")
    assert clip.where == "at the clients" and "Every client" in clip.explanation
    assert record.result == (("", "2.25"),)  # (1 + 2 + 2 * 3) / 4
    assert ("clipped_count", "1") in record.measurements
    assert record.weights == ("1", "1", "2")
    assert record.numbers.sent == ((1.0,), (2.0,), (6.0,))


def test_the_adaptive_limit_is_state_that_goes_from_round_to_round():
    exploration = Exploration(example_factories.adaptively_clipped_mean)
    first = exploration.next_round([4.0, 4.0])
    # All clients are above the limit of 1, half should be: it grows by exp(0.5).
    assert first.state_changes()[0] == ("clipping_norm.0.current_estimate", "1", "1.64872")
    assert "current_estimate: 1 -> 1.64872\n  clipping_norm.0.target_quantile: 0.5\n" in first.text()
    second = exploration.next_round([4.0, 4.0])
    assert ("clipping_norm", "1.64872") in second.measurements
    assert [record.number for record in exploration.rounds] == [1, 2]


def test_structures_keep_their_names():
    values = [{"w": [1, 2], "b": 0.5}, {"b": 1.5, "w": [3, 4]}]
    record = Exploration(tff.aggregators.SumFactory()).next_round(values)
    assert record.value_type == "<w=float32[2],b=float32>"
    assert record.client_values == ("<w=[1., 2.], b=0.5>", "<w=[3., 4.], b=1.5>")
    assert record.result == (("w", "[4., 6.]"), ("b", "2"))
    assert record.numbers.names == ("w[0]", "w[1]", "b")
    assert record.numbers.result == (4.0, 6.0, 2.0)
    assert "result=<\n    w=float32[2],\n    b=float32\n  >@SERVER" in record.signature
    assert (record.state_before, record.state_after, record.measurements) == ((), (), ())


def test_what_is_sent_is_what_goes_into_the_sum_and_not_what_is_measured():
    norms = fedlab.aggregators.ClientNormsFactory(tff.aggregators.MeanFactory())
    assert Exploration(norms).next_round([-1.0, 2.0]).numbers.sent == ((-1.0,), (2.0,))
    around_median = fedlab.aggregators.ClientNormsFactory(fedlab.aggregators.CoordinateMedianFactory())
    assert Exploration(around_median).next_round([-1.0, 2.0]).numbers.sent == ((-1.0,), (2.0,))


@pytest.mark.filterwarnings("ignore::fedlab.runtime.SimulatedSecurityWarning")
def test_what_is_sent_in_another_form_is_not_among_the_numbers():
    record = Exploration(example_factories.secure_sum).next_round(VALUES)
    assert record.numbers.sent == () and record.numbers.result == (8.0,)


def test_a_value_too_large_to_draw_has_no_numbers():
    record = Exploration(tff.aggregators.SumFactory()).next_round([[1.0] * 17, [2.0] * 17])
    assert record.numbers is None and record.result == (("", "float32[17], norm 12.37"),)


def test_another_type_begins_afresh_and_another_value_does_not():
    exploration = Exploration(fedlab.aggregators.ScaledSumFactory())
    exploration.next_round(VALUES)
    exploration.next_round([7.0])
    assert [record.number for record in exploration.rounds] == [1, 2]
    exploration.next_round([[1.0, 2.0]])
    assert [record.number for record in exploration.rounds] == [1]
    assert exploration.rounds[0].state_before == (("0", "0"),)


def test_a_round_can_be_repeated_from_the_state_before_it():
    exploration = Exploration(fedlab.aggregators.ScaledSumFactory())
    for _ in range(3):
        exploration.next_round(VALUES)
    repeated = exploration.next_round([10.0], after=1)
    assert repeated.number == 2 and repeated.state_changes() == [("0", "1", "2")]
    assert len(exploration.rounds) == 2
    assert exploration.next_round(VALUES).state_changes() == [("0", "2", "3")]


class FailsOnFour(tff.aggregators.UnweightedAggregationFactory):
    """Counts rounds, and fails at a client that holds 4."""

    def create(self, value_type):
        @tff.federated_computation
        def initialize():
            return tff.federated_value(0.0, tff.SERVER)

        @tff.tensorflow.computation
        def check(value):
            with tf.control_dependencies([tf.debugging.assert_none_equal(value, 4.0, message="four!")]):
                return tf.identity(value)

        @tff.federated_computation(
            initialize.type_signature.result, tff.FederatedType(value_type, tff.CLIENTS)
        )
        def next_fn(state, value):
            count = tff.federated_map(tff.tensorflow.computation(lambda number: number + 1.0), state)
            total = tff.federated_sum(tff.federated_map(check, value))
            return tff.templates.MeasuredProcessOutput(count, total, tff.federated_value((), tff.SERVER))

        return tff.templates.AggregationProcess(initialize, next_fn)


def test_an_error_leaves_state_and_rounds_as_they_were():
    exploration = Exploration(FailsOnFour())
    exploration.next_round([1.0])
    for wrong, error, words in [
        ([4.0], fedlab.runtime.ComputationError, "failed at client 0"),
        (["x"], ValueError, "client 0: 'x' is no number"),
        ([1.0, [2.0]], ValueError, "client 1 holds"),
        ([[4.0]], fedlab.runtime.ComputationError, "four!"),
    ]:
        with pytest.raises(error, match=words):
            exploration.next_round(wrong)
    record = exploration.next_round([1.0])
    assert record.number == 2 and record.state_changes() == [("", "1", "2")]


class OnlyScalars(tff.aggregators.UnweightedAggregationFactory):
    """Refuses what is not a number."""

    def create(self, value_type):
        if value_type != tff.TensorType(np.float32):
            raise ValueError("scalars only, please")
        return tff.aggregators.SumFactory().create(value_type)


def test_a_factory_that_refuses_the_type_is_quoted():
    exploration = Exploration(OnlyScalars())
    with pytest.raises(TypeError, match=r"OnlyScalars makes no process for float32\[2\]: scalars only"):
        exploration.next_round([[1.0, 2.0]])
    assert exploration.rounds == ()


def test_weights_are_for_weighted_factories_and_one_each_unless_said():
    weighted, unweighted = Exploration(example_factories.mean), Exploration(example_factories.plain_sum)
    assert (weighted.is_weighted, unweighted.is_weighted) == (True, False)
    assert weighted.next_round(VALUES).weights == ("1", "1", "1")
    with pytest.raises(ValueError, match="takes no weights"):
        unweighted.next_round(VALUES, [1, 1, 2])
    with pytest.raises(ValueError, match="2 weights for 3 clients"):
        weighted.next_round(VALUES, [1, 1])


def test_a_process_is_explored_as_it_is():
    process = tff.aggregators.MeanFactory().create(tff.TensorType(np.float32), tff.TensorType(np.float32))
    exploration = Exploration(process, "mine")
    assert exploration.is_weighted
    assert exploration.next_round([1.0, 4.0], [1.0, 2.0]).result == (("", "3"),)
    with pytest.raises(
        TypeError, match=r"aggregates values of type float32, and the clients hold float32\[1\]"
    ):
        exploration.next_round([[1.0]])
    assert len(exploration.rounds) == 1


def test_a_process_of_dicts_takes_dicts():
    value_type = tff.to_type(collections.OrderedDict(a=np.float32, b=(np.float32, (2,))))
    process = tff.aggregators.SumFactory().create(value_type)
    record = Exploration(process).next_round([{"b": [1, 2], "a": 3}] * 2)
    assert record.result == (("a", "6"), ("b", "[2., 4.]"))


@pytest.mark.parametrize(
    ("given", "way_out"),
    [
        (tff.aggregators.MeanFactory, r"write MeanFactory\(\)"),
        (3, "give tff.aggregators"),
        (lambda: 3, "3 is neither an aggregation factory nor a process"),
    ],
)
def test_what_is_no_factory_is_refused(given, way_out):
    with pytest.raises(TypeError, match=way_out):
        Exploration(given)


def test_the_description_is_the_docstrings_first_paragraph():
    assert Exploration(OnlyScalars()).description == "Refuses what is not a number."
    of_a_function = Exploration(example_factories.mean).description
    assert of_a_function.startswith("The weighted mean: the sum of value times")
    assert Exploration(lambda: OnlyScalars()).description == ""


# By hand for 1, 2 and 9: what reaches the server as the result, in the first round.
RESULTS = {
    "mean": 4.0,
    "mean, clipped at 3": 2.0,  # (1 + 2 + 3) / 3
    "mean, clipped adaptively": 1.0,  # all clipped to 1
    "mean, zeroed above 5": 1.0,  # (1 + 2 + 0) / 3
    "median": 2.0,
    "trimmed mean": 2.0,
    "sum": 12.0,
    "scaled sum": 12.0,
    "secure sum (simulated)": 11.0,  # 9 is clipped to 8
    "top half, with a residual": 4.0,  # a scalar cannot be halved
    "mean with noise (differential privacy)": None,
}


@pytest.mark.parametrize("name", example_factories.FACTORIES)
@pytest.mark.filterwarnings("ignore::fedlab.runtime.SimulatedSecurityWarning")
def test_factories_to_explore_do_what_their_name_says(name):
    exploration = Exploration(example_factories.FACTORIES[name], name)
    record = exploration.next_round([1, 2, 9])
    assert exploration.description and record.factory == name
    if RESULTS[name] is not None:
        assert record.numbers.result == pytest.approx((RESULTS[name],))
    else:
        assert record.numbers.sent == ((1.0,), (1.0,), (1.0,))
    assert all(step.explanation for step in record.steps)


def test_what_top_half_does_not_send_waits_in_the_state():
    record = Exploration(example_factories.top_half).next_round([[1, 4], [3, 2]])
    # The clients send [0, 4] and [3, 0]; of their mean [1.5, 2] the server keeps 2.
    assert record.numbers.sent == ((0.0, 4.0), (3.0, 0.0))
    assert record.numbers.result == (0.0, 2.0)
    assert record.state_changes() == [("residual", "[0., 0.]", "[1.5, 0. ]")]
