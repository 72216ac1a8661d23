"""Copies of Keras models for any number of rows."""

import keras_models
import numpy as np
import pytest
import tensorflow as tf

from fedlab.training.any_batch_size import copy_for_any_batch_size

WINDOWS = np.random.default_rng(5).integers(0, keras_models.VOCABULARY, [7, 9])
COPIED = ["functional", "one layer twice", "convolution", "both ways"]
NOT_COPIED = ["lambda", "own layer", "own call"]


@pytest.mark.parametrize("kind", COPIED)
def test_a_copy_predicts_seven_rows_as_the_model_predicts_one(kind):
    model = keras_models.build(kind, 1)
    copy = copy_for_any_batch_size(model)
    copy.set_weights(model.get_weights())
    assert copy.input_shape == (None, None)
    predicted = [copy.predict(WINDOWS, batch_size=7, verbose=0) for _ in range(2)]
    for row, window in enumerate(WINDOWS):
        model.reset_states()
        expected = model.predict(window[None], verbose=0)[0]
        np.testing.assert_allclose(predicted[0][row], expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(*predicted)  # It keeps no state.


@pytest.mark.parametrize("kind", NOT_COPIED)
def test_what_is_not_kerass_own_is_not_copied(kind):
    assert copy_for_any_batch_size(keras_models.build(kind, 1)) is None


def test_a_subclass_that_is_no_sequential_is_not_copied():
    class Subclass(tf.keras.Model):
        def call(self, ids):
            return tf.one_hot(ids, keras_models.VOCABULARY)

    assert copy_for_any_batch_size(Subclass()) is None
