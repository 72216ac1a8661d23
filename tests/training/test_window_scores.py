"""Loss and hit of every character, against Keras's own `predict`."""

import gc
import weakref

import keras_models
import numpy as np
import pytest
import tensorflow as tf

from fedlab.training import window_scores
from fedlab.training.window_scores import score_windows

# Each kind of step once; tests/models/test_layer_steps.py has the rest.
KINDS = ["GRU", "GRU that resets before", "dense layers", *keras_models.WITHOUT_STEPS]
WINDOWS = np.random.default_rng(5).integers(0, keras_models.VOCABULARY, [7, 9])


def expected_scores(model, windows=WINDOWS):
    """Window by window from a cleared state, through a batch of as many rows as the model takes."""
    losses, hits = [], []
    for window in windows:
        model.reset_states()
        rows = np.repeat(window[None], model.input_shape[0] or 1, axis=0)
        logits = model.predict(rows[:, :-1], batch_size=len(rows), verbose=0)[0].astype(np.float64)
        log_probabilities = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        losses.append(-np.take_along_axis(log_probabilities, window[1:, None], axis=-1)[:, 0])
        hits.append(logits.argmax(axis=-1) == window[1:])
    return np.array(losses), np.array(hits)


def assert_scores(model, windows=WINDOWS):
    losses, hits = score_windows(model, windows)
    expected_losses, expected_hits = expected_scores(model, windows)
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(hits, expected_hits)


@pytest.fixture
def few_rows(monkeypatch):
    """Several batches, of unequal sizes."""
    monkeypatch.setattr(window_scores, "_STEP_ROWS", 3)
    monkeypatch.setattr(window_scores, "_KERAS_ROWS", 3)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_what_keras_predicts(few_rows, kind):
    assert_scores(keras_models.build(kind, 3))


@pytest.mark.parametrize("kind", ["GRU", "shortcut", "own layer"])
def test_one_window_and_models_for_one_row(kind):
    assert_scores(keras_models.build(kind, 1), WINDOWS[:1])


@pytest.mark.parametrize("more", [[], [tf.keras.layers.LayerNormalization], [keras_models.Doubled]])
def test_models_without_a_batch_size(few_rows, more):
    layers = [
        tf.keras.layers.Embedding(86, 4, input_shape=[None]),
        tf.keras.layers.GRU(3, return_sequences=True),
    ]
    model = tf.keras.Sequential([*layers, *(layer() for layer in more), tf.keras.layers.Dense(86)])
    assert_scores(model)


@pytest.mark.parametrize("kind", ["GRU", "shortcut", "own layer"])
def test_weights_that_change_are_followed_at_once(kind):
    model = keras_models.build(kind, 3)
    score_windows(model, WINDOWS)
    other = keras_models.build(kind, 3, seed=1)
    model.set_weights(other.get_weights())
    assert_scores(model)
    model.compile(
        tf.keras.optimizers.SGD(0.1), tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    model.train_on_batch(WINDOWS[:3, :-1], WINDOWS[:3, 1:])
    assert_scores(model)


@pytest.mark.parametrize("kind", ["GRU", "shortcut"])
def test_the_models_own_state_stays_what_it_is(kind):
    model = keras_models.build(kind, 3)
    model.predict(WINDOWS[:3], batch_size=3, verbose=0)
    (gru,) = [layer for layer in model.layers if isinstance(layer, tf.keras.layers.GRU)]
    state = gru.states[0].numpy()
    score_windows(model, WINDOWS)
    assert state.any()
    np.testing.assert_array_equal(gru.states[0].numpy(), state)


@pytest.mark.parametrize("kind", ["GRU", "shortcut", "own layer"])
def test_what_was_traced_goes_with_the_model(kind):
    model = keras_models.build(kind, 3)
    score_windows(model, WINDOWS)
    alive = weakref.ref(model)
    gc.collect()  # Models of other tests go now, and are not counted.
    copies, traced = len(window_scores._COPIES), len(window_scores._TRACED)
    del model
    gc.collect()
    assert alive() is None
    assert len(window_scores._TRACED) == traced - 1
    assert len(window_scores._COPIES) == (copies if kind == "GRU" else copies - 1)


@pytest.mark.parametrize("kind", ["GRU", "shortcut", "own layer"])
def test_weights_that_are_nan_give_a_loss_that_is_nan(kind):
    model = keras_models.build(kind, 3)
    model.layers[-1].set_weights([np.full(part.shape, np.nan) for part in model.layers[-1].get_weights()])
    losses, _ = score_windows(model, WINDOWS)
    assert np.isnan(losses).all()


@pytest.mark.parametrize(
    ("num_windows", "sizes"), [(1, [1]), (63, [63]), (64, [64]), (127, [127]), (228, [76, 76, 76])]
)
def test_batches_have_64_rows_or_more_where_there_are_so_many(num_windows, sizes):
    batches = window_scores._similar_batches(np.zeros([num_windows, 2]), 64)
    assert [len(batch) for batch in batches] == sizes
