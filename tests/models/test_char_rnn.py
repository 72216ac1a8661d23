import numpy as np
import pytest
import tensorflow as tf

from fedlab.models.char_rnn import build_char_rnn, with_batch_size


def test_architecture_is_the_tutorials():
    model = build_char_rnn(8)
    assert [type(layer).__name__ for layer in model.layers] == ["Embedding", "GRU", "Dense"]
    assert model.input_shape == (8, None)
    assert model.output_shape == (8, None, 86)
    assert model.layers[1].units == 1024
    assert model.layers[1].stateful
    # 86*256 + 3*1024*(256 + 1024 + 2) + 1025*86
    assert model.count_params() == 22_016 + 3_938_304 + 88_150


def test_state_goes_on_from_batch_to_batch_until_it_is_reset():
    model = build_char_rnn(1, rnn_units=8, seed=1)
    ids = np.array([[3, 1, 4, 1, 5, 9]])
    whole = model(ids).numpy()
    model.reset_states()
    halves = np.concatenate([model(ids[:, :3]).numpy(), model(ids[:, 3:]).numpy()], axis=1)
    np.testing.assert_allclose(whole, halves, rtol=1e-5, atol=1e-6)
    assert not np.allclose(model(ids).numpy(), whole)


def test_seed_makes_initial_weights_repeatable():
    first, again, other = (build_char_rnn(1, rnn_units=4, seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_same_weights_for_another_batch_size_give_the_same_logits():
    model = build_char_rnn(8, rnn_units=8, seed=1)
    single = with_batch_size(model, 1)
    ids = np.arange(8 * 5).reshape(8, 5)
    rows = model(ids).numpy()
    for ids_of_row, row in zip(ids, rows, strict=True):
        single.reset_states()
        np.testing.assert_allclose(single(ids_of_row[None]).numpy()[0], row, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("batch_size", [0, -8, 1.5, "8", True])
def test_impossible_batch_size_is_named(batch_size):
    with pytest.raises(ValueError, match=f"batch_size={batch_size!r}"):
        build_char_rnn(batch_size)


def test_keras_is_keras_2():
    assert tf.keras.Sequential.__module__.startswith("tf_keras.")
