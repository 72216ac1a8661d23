"""Steps of layers, against Keras."""

import keras_models
import numpy as np
import pytest
import tensorflow as tf

from fedlab.models import layer_steps
from fedlab.models.dickens import load_small_dickens
from fedlab.models.layer_steps import has_steps, keeps_its_state, numpy_steps, thin_product

IDS = np.random.default_rng(3).integers(0, keras_models.VOCABULARY, 25)


def logits_by_steps(model):
    steps = numpy_steps(model)
    states, logits = steps.start(), []
    for index in IDS:
        after_one, states = steps.step(index, states)
        logits.append(after_one)
    return np.stack(logits)


@pytest.mark.parametrize("kind", keras_models.WITH_STEPS)
def test_steps_give_keras_logits(kind):
    model = keras_models.build(kind, 1)
    expected = model.predict(IDS[None], verbose=0)[0]
    np.testing.assert_allclose(logits_by_steps(model), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", keras_models.WITHOUT_STEPS)
def test_models_with_something_else_in_them_have_no_steps(kind):
    model = keras_models.build(kind, 1)
    assert not has_steps(model)
    assert numpy_steps(model) is None


def test_steps_of_the_small_dickens_model_give_keras_logits():
    model = load_small_dickens(1)
    expected = model.predict(IDS[None], verbose=0)[0]
    np.testing.assert_allclose(logits_by_steps(model), expected, rtol=1e-4, atol=1e-4)


def test_a_large_vocabulary_is_looked_up_before_it_is_multiplied():
    ids = tf.keras.layers.Embedding(600, 4, batch_input_shape=[1, None])
    gru = tf.keras.layers.GRU(3, return_sequences=True, stateful=True)
    model = tf.keras.Sequential([ids, gru, tf.keras.layers.Dense(600)])
    expected = model.predict(IDS[None], verbose=0)[0]
    np.testing.assert_allclose(logits_by_steps(model), expected, rtol=1e-5, atol=1e-6)


def test_steps_begin_with_a_cleared_state_and_leave_the_models_alone():
    model = keras_models.build("LSTM", 1)
    model.predict(IDS[None], verbose=0)
    states = [state.numpy() for state in model.layers[1].states]
    first, second = logits_by_steps(model), logits_by_steps(model)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal([state.numpy() for state in model.layers[1].states], states)


def test_steps_keep_the_weights_that_they_were_made_with():
    model = keras_models.build("GRU", 1)
    steps = numpy_steps(model)
    before, _ = steps.step(5, steps.start())
    model.layers[-1].bias.assign_add(tf.ones([keras_models.VOCABULARY]))
    after, _ = steps.step(5, steps.start())
    np.testing.assert_array_equal(before, after)
    renewed = numpy_steps(model)
    np.testing.assert_allclose(renewed.step(5, renewed.start())[0], before + 1, rtol=1e-5)


def test_half_precision_has_no_steps():
    gru = tf.keras.layers.GRU(3, return_sequences=True, stateful=True, dtype="mixed_float16")
    embedding = tf.keras.layers.Embedding(86, 4, batch_input_shape=[1, None])
    assert not has_steps(tf.keras.Sequential([embedding, gru, tf.keras.layers.Dense(86)]))


def test_a_model_that_forgets_between_calls_is_told_from_one_that_does_not():
    assert keeps_its_state(keras_models.build("GRU", 1))
    gru = tf.keras.layers.GRU(3, return_sequences=True)
    model = tf.keras.Sequential([tf.keras.layers.Embedding(86, 4, input_shape=[None]), gru])
    assert has_steps(model)
    assert not keeps_its_state(model)


@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (7, 3), (12, 5), (13, 5), (64, 2000)])
def test_a_product_in_pieces_is_the_product(monkeypatch, inputs, outputs):
    monkeypatch.setattr(layer_steps, "_NUMBERS_OF_ONE_THREAD", 20)  # Pieces of 20, 6, 4 and 1 rows.
    rng = np.random.default_rng(0)
    row, matrix = rng.integers(-9, 9, inputs), rng.integers(-9, 9, [inputs, outputs])
    product = thin_product(row.astype(np.float32), matrix.astype(np.float32))
    np.testing.assert_array_equal(product, row @ matrix)
