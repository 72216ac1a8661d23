"""The adapter, and the trap it guards against: an RNN that never receives the server's weights."""

import time

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff

from fedlab.models.char_rnn import build_char_rnn, with_batch_size
from fedlab.models.weights import WeightsError
from fedlab.training import assign_weights, make_model_fn, weights_of
from fedlab.training.keras_adapter import copy_without_cached_weights, without_cached_weights

RNN_LAYERS = [tf.keras.layers.GRU, tf.keras.layers.LSTM, tf.keras.layers.SimpleRNN]


def build_model(rnn_layer=tf.keras.layers.GRU, wrap=lambda layer: layer):
    """A small model whose loss depends on its RNN's weights: they are scaled away from the usual."""
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Embedding(86, 8, batch_input_shape=[8, None]),
            wrap(rnn_layer(12, return_sequences=True)),
            tf.keras.layers.Dense(86),
        ]
    )
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=weight.shape).astype(np.float32) for weight in model.get_weights()])
    return model


@pytest.fixture
def batch():
    ids = np.random.default_rng(1).integers(0, 86, [8, 101])
    return ids[:, :-1], ids[:, 1:]


def loss_in_keras(model, batch):
    inputs, targets = batch
    return float(tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)(targets, model(inputs)))


def loss_in_tff(model_fn, model, batch):
    """The loss that federated evaluation reports for the weights of `model`."""
    process = tff.learning.algorithms.build_fed_eval(model_fn)
    state = process.set_model_weights(process.initialize(), weights_of(model))
    metrics = process.next(state, [tf.data.Dataset.from_tensors(batch)]).metrics
    return float(metrics["client_work"]["eval"]["current_round_metrics"]["loss"])


def loss_after_slow_arrival(make_copy, model, batch):
    """The loss of a copy made in a graph, as TFF makes it, once the weights of `model` have arrived.

    They arrive late, so that a cached read, which waits for nobody, surely comes first. When they
    arrive at once, as in a simulation, the two race and the trap shows only now and then.
    """
    weights = model.get_weights()

    def arrive():
        time.sleep(0.5)
        return [tf.constant(weight) for weight in weights]

    with tf.Graph().as_default():
        copy = make_copy()
        arrived = tf.py_function(arrive, [], [tf.float32] * len(weights))
        assigned = [
            variable.assign(tf.ensure_shape(value, variable.shape)).op
            for variable, value in zip(copy.weights, arrived, strict=True)
        ]
        with tf.control_dependencies(assigned):
            logits = copy(tf.constant(batch[0]))
        loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)(batch[1], logits)
        with tf.compat.v1.Session() as session:
            session.run(tf.compat.v1.global_variables_initializer())
            value = float(session.run(loss))
    build_model(type(model.layers[1]))  # an eager model: it turns the classes back
    return value


@pytest.mark.parametrize("rnn_layer", RNN_LAYERS)
def test_model_in_tff_has_the_loss_of_the_model_in_keras(rnn_layer, batch):
    model = build_model(rnn_layer)
    assert loss_in_tff(make_model_fn(model), model, batch) == pytest.approx(
        loss_in_keras(model, batch), rel=1e-5
    )


def test_naive_clone_never_receives_the_weights_of_its_rnn(batch):
    model = build_model()
    naive = loss_after_slow_arrival(lambda: tf.keras.models.clone_model(model), model, batch)
    assert abs(naive - loss_in_keras(model, batch)) > 0.1


@pytest.mark.parametrize("rnn_layer", RNN_LAYERS)
def test_adapters_copy_waits_for_the_weights_of_its_rnn(rnn_layer, batch):
    model = build_model(rnn_layer)
    loss = loss_after_slow_arrival(lambda: copy_without_cached_weights(model), model, batch)
    assert loss == pytest.approx(loss_in_keras(model, batch), rel=1e-5)


def test_bidirectional_rnns_receive_their_weights_too(batch):
    model = build_model(wrap=tf.keras.layers.Bidirectional)
    assert loss_in_tff(make_model_fn(model), model, batch) == pytest.approx(
        loss_in_keras(model, batch), rel=1e-5
    )


def test_functional_models_receive_their_weights_too(batch):
    inputs = tf.keras.Input([None], batch_size=8)
    hidden = tf.keras.layers.GRU(4, return_sequences=True)(tf.keras.layers.Embedding(86, 8)(inputs))
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(86)(hidden))
    assert loss_in_tff(make_model_fn(model), model, batch) == pytest.approx(
        loss_in_keras(model, batch), rel=1e-5
    )


def test_function_that_builds_new_layers_receives_its_weights(batch):
    model = build_char_rnn(8, rnn_units=8, seed=1)
    in_tff = loss_in_tff(make_model_fn(lambda: build_char_rnn(8, rnn_units=8)), model, batch)
    model.reset_states()
    assert in_tff == pytest.approx(loss_in_keras(model, batch), rel=1e-5)


def test_function_that_clones_an_eager_rnn_is_refused():
    model = build_model()
    model_fn = make_model_fn(lambda: tf.keras.models.clone_model(model))
    with pytest.raises(ValueError, match="would never receive the server's"):
        tff.learning.algorithms.build_fed_eval(model_fn)


def test_config_is_cleaned_at_every_depth_and_not_changed_in_place():
    config = {"layers": [{"cell": {"enable_caching_device": True, "units": 3}}, ("a", 1)]}
    cleaned = without_cached_weights(config)
    assert cleaned == {"layers": [{"cell": {"enable_caching_device": False, "units": 3}}, ("a", 1)]}
    assert config["layers"][0]["cell"]["enable_caching_device"]


def test_eager_model_made_before_still_evaluates_after_tff_built_a_process(batch):
    model = build_model()
    model.compile(loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = model.evaluate(*batch, batch_size=8, verbose=0)
    tff.learning.algorithms.build_weighted_fed_avg(
        make_model_fn(model), client_optimizer_fn=tff.learning.optimizers.build_sgdm(0.1)
    )
    assert model.evaluate(*batch, batch_size=8, verbose=0) == before
    assert model.predict(batch[0], batch_size=8, verbose=0).shape == (8, 100, 86)


@pytest.mark.parametrize("value", [None, 3, "model"])
def test_what_is_no_model_is_named(value):
    with pytest.raises(TypeError, match=f"keras_model={value!r}"):
        make_model_fn(value)


def test_keras_3_model_is_refused():
    import keras

    with pytest.raises(TypeError, match="tf.keras is Keras 2"):
        make_model_fn(keras.Sequential([keras.layers.Dense(1)]))


def test_subclassed_model_without_config_says_what_to_give():
    class Mine(tf.keras.Model):
        def call(self, inputs):
            return inputs

        def get_config(self):
            raise NotImplementedError

    with pytest.raises(TypeError, match="give a function that builds it"):
        make_model_fn(Mine())


def test_server_weights_come_back_into_a_model_of_another_batch_size():
    model = build_char_rnn(8, rnn_units=4, seed=1)
    single = with_batch_size(build_char_rnn(8, rnn_units=4, seed=2), 1)
    assign_weights(weights_of(model), single)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), single.get_weights(), strict=True))


def test_weights_of_trainable_and_frozen_variables_go_where_they_belong():
    model = tf.keras.Sequential(
        [tf.keras.layers.BatchNormalization(input_shape=[2]), tf.keras.layers.Dense(1)]
    )
    model.set_weights([np.full(weight.shape, i + 1.0) for i, weight in enumerate(model.get_weights())])
    copy = tf.keras.models.clone_model(model)
    assign_weights(weights_of(model), copy)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), copy.get_weights(), strict=True))


def test_weights_of_another_model_are_refused():
    with pytest.raises(WeightsError, match="weights of the server do not fit"):
        assign_weights(weights_of(build_char_rnn(8, rnn_units=4)), build_char_rnn(8, rnn_units=5))
