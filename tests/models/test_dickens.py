import h5py
import numpy as np
import pytest
import tensorflow as tf
from safetensors import safe_open

from fedlab.datasets import load_shakespeare
from fedlab.datasets.sequences import make_batches
from fedlab.downloads import DownloadError
from fedlab.models.char_rnn import build_char_rnn
from fedlab.models.dickens import POCKET_WEIGHTS, SMALL_WEIGHTS, load_dickens, load_small_dickens

# tf_keras says at every save that HDF5 is old; these tests make the files that TFF once made.
pytestmark = pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file:UserWarning")


def accuracy_on_shakespeare(model):
    snippets = load_shakespeare()[1].create_tf_dataset_for_client("KING_LEAR_LEAR")
    inputs, targets = next(iter(make_batches(snippets)))
    model.reset_states()
    return np.mean(np.argmax(model(inputs), axis=-1) == targets)


def test_pocket_weights_are_small_and_say_where_they_come_from():
    assert POCKET_WEIGHTS.stat().st_size < 9_000_000
    with safe_open(POCKET_WEIGHTS, "numpy") as file:
        recipe = file.metadata()
    assert {"seed", "text_sha256", "held_out_loss", "held_out_accuracy"} <= recipe.keys()


def test_pocket_model_knows_english_and_a_random_one_does_not():
    assert accuracy_on_shakespeare(load_dickens(8)) > 0.4
    assert accuracy_on_shakespeare(build_char_rnn(8, seed=1)) < 0.05


def test_small_model_knows_english_in_a_tenth_of_the_weights():
    small = load_small_dickens(8)
    assert accuracy_on_shakespeare(small) > 0.35
    assert 9 * small.count_params() < load_dickens(8).count_params()
    assert SMALL_WEIGHTS.stat().st_size < 1_000_000


def test_batch_sizes_share_the_same_weights():
    one, eight = load_dickens(1), load_dickens(8)
    assert (one.input_shape[0], eight.input_shape[0]) == (1, 8)
    assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), eight.get_weights(), strict=True))


def test_unknown_source_names_the_choices():
    with pytest.raises(ValueError, match="source='hub'.*'pocket'.*'tff'"):
        load_dickens(8, "hub")


# --- TFF's checkpoints: real Keras HDF5 files over HTTP -------------------------------------------


@pytest.fixture
def served(mirror):
    """Serves a model of the Dickens architecture as TFF's checkpoint; returns (model, path)."""
    model = build_char_rnn(8, seed=3)
    return model, save(model, mirror)


def save(model, mirror):
    path = mirror.folder / "dickens_rnn.batch8.kerasmodel"
    model.save(path, save_format="h5", include_optimizer=False)
    return path


def load(tmp_path, batch_size=8):
    return load_dickens(batch_size, "tff", cache_dir=tmp_path / "cache")


def test_checkpoint_gives_the_weights_it_holds(served, tmp_path):
    model, _ = served
    loaded = load(tmp_path)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True))


def test_checkpoint_with_another_layer_is_refused(mirror, tmp_path):
    model = build_char_rnn(8)
    save(tf.keras.Sequential([*model.layers, tf.keras.layers.Lambda(lambda logits: logits)]), mirror)
    with pytest.raises(DownloadError, match=r"expected a Sequential of .*found.*Lambda.*source='pocket'"):
        load(tmp_path)
    assert not list((tmp_path / "cache").glob("*kerasmodel*"))


def test_checkpoint_of_another_shape_is_refused(served, tmp_path):
    _, path = served
    with h5py.File(path, "a") as file:
        layer = next(group for name, group in file["model_weights"].items() if name.startswith("gru"))
        kernel = next(name for name in layer.attrs["weight_names"] if name.endswith("recurrent_kernel:0"))
        values = layer[kernel][...]
        del layer[kernel]
        layer[kernel] = values[:-1]
    with pytest.raises(DownloadError, match=r"expected weights of shapes.*found.*\(1023, 3072\)"):
        load(tmp_path)


def test_checkpoint_with_nan_is_refused(served, mirror, tmp_path):
    model, _ = served
    model.layers[2].bias.assign([np.nan] * 86)
    save(model, mirror)
    with pytest.raises(DownloadError, match="NaN"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[:1000], r"has 1,000 bytes"),
        (lambda data: data + bytes(60_000_000), "bytes, a Dickens checkpoint has"),
        (lambda data: bytes(len(data)), "not a complete Keras HDF5 model"),
        (lambda data: data[:-100_000], "not a complete Keras HDF5 model"),
    ],
)
def test_damaged_checkpoint_is_refused(served, tmp_path, damage, reason):
    _, path = served
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DownloadError, match=reason):
        load(tmp_path)


def test_there_is_no_checkpoint_for_other_batch_sizes(tmp_path):
    with pytest.raises(ValueError, match="batch_size=4: TFF has checkpoints for 1 and 8"):
        load(tmp_path, batch_size=4)


def test_missing_checkpoint_says_how_to_go_on(mirror, tmp_path):
    with pytest.raises(DownloadError, match="answered 404.*source='pocket'"):
        load(tmp_path)
