"""The character RNN pretrained on Dickens: fedlab's own weights, or TFF's tutorial checkpoints."""

import json
import pathlib

import numpy as np

from fedlab.downloads import fetch
from fedlab.models.char_rnn import EMBEDDING_SIZE, RNN_UNITS, build_char_rnn
from fedlab.models.weights import WeightsError, read_weights, set_weights, write_weights
from fedlab.vocabulary import VOCABULARY_SIZE

POCKET_WEIGHTS = pathlib.Path(__file__).parent / "pocket" / "dickens.safetensors"
SMALL_WEIGHTS = POCKET_WEIGHTS.with_name("dickens_small.safetensors")
SMALL_RNN_UNITS = 256
TFF_BATCH_SIZES = (1, 8)
_TFF_ORIGIN = "https://storage.googleapis.com/tff-models-public/dickens_rnn.batch{}.kerasmodel"

# 4 million float32 weights are 16 MB; a checkpoint that also holds an optimizer has three times that.
_TFF_SIZE_LIMITS_BYTES = (16_000_000, 60_000_000)

_EXPECTED_LAYERS = ("Embedding", "GRU", "Dense")
_EXPECTED_SHAPES = (
    (VOCABULARY_SIZE, EMBEDDING_SIZE),
    (EMBEDDING_SIZE, 3 * RNN_UNITS),
    (RNN_UNITS, 3 * RNN_UNITS),
    (2, 3 * RNN_UNITS),
    (RNN_UNITS, VOCABULARY_SIZE),
    (VOCABULARY_SIZE,),
)


def load_dickens(batch_size=8, source="pocket", *, cache_dir=None):
    """Loads the pretrained character RNN.

    Args:
      batch_size: rows per batch: 1 to generate, 8 to train and evaluate; "pocket" takes any.
      source: "pocket" (fedlab's own weights, shipped inside; see their model card) or "tff" (the
        checkpoints of TFF's tutorial, downloaded once; from $FEDLAB_MIRROR where that is set).
      cache_dir: folder for the download.

    Returns:
      A stateful tf.keras.Sequential: int64 [batch_size, time] -> float32 logits [batch_size, time, 86].

    Raises:
      ValueError: unknown source, or a batch size that TFF has no checkpoint for.
      DownloadError: source "tff" could not be had, or its file is not the expected model.
    """
    if source == "pocket":
        arrays = read_weights(POCKET_WEIGHTS)
    elif source == "tff":
        arrays = _fetch_tff_weights(batch_size, cache_dir)
    else:
        raise ValueError(f"source={source!r}: choose 'pocket' (ships with fedlab) or 'tff' (downloaded).")
    model = build_char_rnn(batch_size)
    set_weights(model, arrays, source=f"the {source!r} Dickens model")
    return model


def load_small_dickens(batch_size=8):
    """Loads a model like `load_dickens`, with a GRU of 256 units and a tenth of the weights.

    It knows less, and a round of it takes a fraction of the time and the memory: for experiments that
    need many rounds.

    Args:
      batch_size: rows per batch.

    Returns:
      A stateful tf.keras.Sequential, as from `load_dickens`.
    """
    model = build_char_rnn(batch_size, rnn_units=SMALL_RNN_UNITS)
    set_weights(model, read_weights(SMALL_WEIGHTS), source="the small Dickens model")
    return model


def save_pocket_weights(arrays, path=POCKET_WEIGHTS, metadata=None):
    """Writes weights as they ship: float16, 8.1 MB. Used by tools/train_dickens.py."""
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_weights(arrays, path, dtype="float16", metadata=metadata)


def _fetch_tff_weights(batch_size, cache_dir):
    if batch_size not in TFF_BATCH_SIZES:
        raise ValueError(
            f"batch_size={batch_size!r}: TFF has checkpoints for 1 and 8. Load one of these and copy its "
            "weights: fedlab.models.weights.copy_weights(loaded, build_char_rnn(batch_size))."
        )
    path = fetch(_TFF_ORIGIN.format(batch_size), check=read_tff_checkpoint, cache_dir=cache_dir)
    return read_tff_checkpoint(path)


def read_tff_checkpoint(path):
    """Reads the weights of an HDF5 Keras model without running anything that it holds.

    Args:
      path: HDF5 file written by `model.save`, of Embedding(86, 256), GRU(1024), Dense(86).

    Returns:
      list of six float32 arrays in the order of `build_char_rnn(...).get_weights()`.

    Raises:
      WeightsError: the file's size, its layers or their shapes are not those of the Dickens model.
    """
    import h5py

    size = pathlib.Path(path).stat().st_size
    low, high = _TFF_SIZE_LIMITS_BYTES
    if not low <= size <= high:
        raise WeightsError(f"the file has {size:,} bytes, a Dickens checkpoint has {low:,} to {high:,}")
    try:
        with h5py.File(path) as file:
            _check_layers(file)
            arrays = _read_layers(file["model_weights"])
    except (OSError, KeyError) as error:
        raise WeightsError(f"not a complete Keras HDF5 model: {error}") from error
    shapes = tuple(array.shape for array in arrays)
    if shapes != _EXPECTED_SHAPES:
        raise WeightsError(f"expected weights of shapes {_EXPECTED_SHAPES}, found {shapes}")
    if not all(np.isfinite(array).all() for array in arrays):
        raise WeightsError("the weights hold NaN or infinite values")
    return arrays


def _check_layers(file):
    """Raises WeightsError unless the model is Embedding, GRU, Dense and nothing else."""
    config = json.loads(_text(file.attrs["model_config"]))
    layers = config["config"]
    layers = layers["layers"] if isinstance(layers, dict) else layers
    found = tuple(layer["class_name"] for layer in layers if layer["class_name"] != "InputLayer")
    if config["class_name"] != "Sequential" or found != _EXPECTED_LAYERS:
        raise WeightsError(
            f"expected a Sequential of {_EXPECTED_LAYERS}, found {config['class_name']} of {found}"
        )


def _read_layers(group):
    """The arrays of each layer, in the file's own order of layers and of weights."""
    arrays = []
    for layer in group.attrs["layer_names"]:
        weights = group[_text(layer)]
        arrays += [np.asarray(weights[_text(name)], np.float32) for name in weights.attrs["weight_names"]]
    return arrays


def _text(value):
    return value.decode("utf-8") if isinstance(value, bytes) else value
