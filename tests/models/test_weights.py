import os
import signal
import types

import numpy as np
import pytest
from safetensors import safe_open

from fedlab.models.char_rnn import build_char_rnn
from fedlab.models.weights import (
    WeightsError,
    assign_variables,
    copy_weights,
    load_weights,
    read_weights,
    save_weights,
)


@pytest.fixture
def model():
    return build_char_rnn(8, rnn_units=4, seed=1)


def test_saved_weights_load_into_a_model_of_another_batch_size(model, tmp_path):
    save_weights(model, tmp_path / "weights.safetensors", metadata={"note": "hello"})
    other = build_char_rnn(1, rnn_units=4, seed=2)
    load_weights(tmp_path / "weights.safetensors", other)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), other.get_weights(), strict=True))
    with safe_open(tmp_path / "weights.safetensors", "numpy") as file:
        assert file.metadata() == {"note": "hello"}


def test_float16_halves_the_file_and_rounds_once(model, tmp_path):
    save_weights(model, tmp_path / "whole")
    save_weights(model, tmp_path / "half", dtype="float16")
    assert (tmp_path / "half").stat().st_size < 0.55 * (tmp_path / "whole").stat().st_size
    for exact, rounded in zip(model.get_weights(), read_weights(tmp_path / "half"), strict=True):
        assert rounded.dtype == np.float32
        np.testing.assert_array_equal(rounded, exact.astype(np.float16).astype(np.float32))


def test_weights_are_copied_between_batch_sizes(model):
    other = build_char_rnn(1, rnn_units=4, seed=2)
    copy_weights(model, other)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), other.get_weights(), strict=True))


def test_an_interrupt_leaves_no_model_with_half_its_weights():
    assigned = []

    def assign(value):
        os.kill(os.getpid(), signal.SIGINT)
        assigned.append(value)

    variables = [types.SimpleNamespace(shape=(), assign=assign)] * 3
    with pytest.raises(KeyboardInterrupt):
        assign_variables(variables, [1.0, 2.0, 3.0], model_name="m", source="s")
    assert assigned == [1.0, 2.0, 3.0]


def test_weights_of_another_model_are_refused_and_change_nothing(model):
    other = build_char_rnn(1, rnn_units=5, seed=2)
    before = other.get_weights()
    with pytest.raises(WeightsError, match=r"do not fit.*\(4, 12\)"):
        copy_weights(model, other)
    assert all(np.array_equal(a, b) for a, b in zip(before, other.get_weights(), strict=True))


@pytest.mark.parametrize("damage", [lambda data: data[:-7], lambda data: b"", lambda data: b"<html>" + data])
def test_damaged_file_is_refused_by_name(model, tmp_path, damage):
    path = tmp_path / "weights.safetensors"
    save_weights(model, path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(WeightsError, match=r"weights.safetensors is not a complete safetensors file"):
        read_weights(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no weights file .*nowhere"):
        read_weights(tmp_path / "nowhere")


def test_failed_write_leaves_the_old_file_and_nothing_else(model, tmp_path):
    path = tmp_path / "weights.safetensors"
    save_weights(model, path)
    old = path.read_bytes()
    model.layers[2].bias.assign([np.nan] * 86)
    with pytest.raises(WeightsError, match="NaN"):
        save_weights(model, path)
    assert path.read_bytes() == old
    assert [file.name for file in tmp_path.iterdir()] == ["weights.safetensors"]


def test_unknown_dtype_names_the_choices(model, tmp_path):
    with pytest.raises(ValueError, match="dtype='int8'.*'float32', 'float16'"):
        save_weights(model, tmp_path / "x", dtype="int8")
