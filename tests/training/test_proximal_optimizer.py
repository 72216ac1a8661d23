import pytest
import tensorflow as tf
import tensorflow_federated as tff

from fedlab.training import build_proximal

SGD = tff.learning.optimizers.build_sgdm(0.5)


def steps_of(optimizer, gradients, weight=0.0):
    """The weight after each step, from one that starts at `weight`."""
    state = optimizer.initialize((tf.TensorSpec([], tf.float32),))
    weights, path = (tf.constant(weight),), []
    for gradient in gradients:
        state, weights = optimizer.next(state, weights, (tf.constant(gradient),))
        path.append(float(weights[0]))
    return path


def test_second_step_is_pulled_back_to_the_start():
    assert steps_of(build_proximal(SGD, 1.0), [2.0, 2.0]) == [-1.0, -1.5]


def test_pull_is_towards_the_weights_met_first_not_towards_zero():
    assert steps_of(build_proximal(SGD, 1.0), [2.0, 2.0], weight=10.0) == [9.0, 8.5]


def test_strength_zero_is_the_optimizer_inside():
    assert steps_of(build_proximal(SGD, 0.0), [2.0, 2.0]) == steps_of(SGD, [2.0, 2.0]) == [-1.0, -2.0]


@pytest.mark.parametrize("strength", [-0.1, float("nan"), float("inf")])
def test_impossible_strengths_are_refused(strength):
    with pytest.raises(ValueError, match="give a number of at least 0"):
        build_proximal(SGD, strength)


def distance_of_client(process, weight=0.0):
    """How far one client of four equal steps takes a linear model of one weight."""
    data = tf.data.Dataset.from_tensors((tf.ones([1, 1]), tf.ones([1, 1]) * 10.0)).repeat(4)
    state = process.initialize()
    start = tff.learning.models.ModelWeights([[[weight]]], [])
    state = process.set_model_weights(state, start)
    (after,) = process.get_model_weights(process.next(state, [data]).state).trainable
    return abs(float(after[0][0]) - weight)


def linear_model_fn():
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, use_bias=False, input_shape=[1])])
    spec = (tf.TensorSpec([None, 1]), tf.TensorSpec([None, 1]))
    return tff.learning.models.from_keras_model(
        model, loss=tf.keras.losses.MeanSquaredError(), input_spec=spec
    )


def test_clients_stay_nearer_to_the_server_the_stronger_it_is():
    # The loss (w - 10)^2 has the gradient 2 (w - 10); four steps of rate 0.05 from 3, by hand:
    def by_hand(strength, w=3.0):
        for _ in range(4):
            w -= 0.05 * (2 * (w - 10) + strength * (w - 3))
        return w - 3

    for strength in (0.0, 1.0, 4.0):
        optimizer = build_proximal(tff.learning.optimizers.build_sgdm(0.05), strength)
        process = tff.learning.algorithms.build_weighted_fed_avg(linear_model_fn, optimizer)
        assert distance_of_client(process, weight=3.0) == pytest.approx(by_hand(strength), rel=1e-5)


def test_tffs_own_fed_prox_drives_clients_away():
    # The reason for this module. When this fails, TFF has mended it.
    sgd = tff.learning.optimizers.build_sgdm(0.05)
    weak, strong = (
        distance_of_client(tff.learning.algorithms.build_weighted_fed_prox(linear_model_fn, strength, sgd))
        for strength in (1.0, 4.0)
    )
    plain = distance_of_client(tff.learning.algorithms.build_weighted_fed_avg(linear_model_fn, sgd))
    assert plain < weak < strong
