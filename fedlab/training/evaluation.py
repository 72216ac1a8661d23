"""Loss and accuracy on held-out text: every window of every client, each character counted once."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from fedlab import freed_memory
from fedlab.datasets.preprocessed_clients import PreprocessedClients, preprocess_clients
from fedlab.datasets.preprocessing import Preprocessing
from fedlab.training.keras_adapter import assign_weights
from fedlab.training.window_scores import score_windows


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What a model scores on held-out text."""

    loss: float  # nats per character
    accuracy: float  # share of characters whose likeliest prediction was right
    num_characters: int
    accuracy_by_client: dict  # client id -> accuracy; clients without a full window are missing


def evaluate(
    keras_model: tf.keras.Model,
    clients: Any,
    client_ids: Iterable[str] | None = None,
    *,
    preprocessing: Preprocessing | None = None,
) -> Evaluation:
    """Evaluates a character model on the text of some clients.

    Each client's text is cut into windows, of 101 characters by default; each window starts from a cleared
    state. Windows of many clients are read side by side, whatever batch size the model was built for.

    Args:
      keras_model: model from int64 [batch, time] to logits [batch, time, vocabulary]. Its state stays what it
        is, unless it has layers that are not Keras's own.
      clients: ClientData of held-out speeches; or PreprocessedClients, which are not read again.
      client_ids: the clients to evaluate on; default all.
      preprocessing: Preprocessing, how text becomes windows; default the tutorial's, or that of the
        PreprocessedClients. Its batch size plays no part.

    Returns:
      Evaluation over all characters of all windows.

    Raises:
      ValueError: none of the clients has a full window of text; an unknown client id; PreprocessedClients
        made with other settings.
      UnknownCharacterError: preprocessing.unknown is "error", and some text is not in the vocabulary.
    """
    return _evaluate_windows(
        keras_model, _find_windows(preprocess_clients(clients, client_ids, preprocessing))
    )


def make_weights_evaluation(
    keras_model: tf.keras.Model,
    clients: Any,
    client_ids: Iterable[str] | None = None,
    *,
    preprocessing: Preprocessing | None = None,
) -> Callable[[Any], Evaluation]:
    """Makes a function from ModelWeights to Evaluation, for `run_rounds(evaluate_weights=...)`.

    The weights are put into `keras_model`, which afterwards holds those evaluated last. The clients' text is
    read once, here; for the arguments and errors see `evaluate`. Give the `preprocessing` that the rounds
    have, and the model is evaluated on windows as long as those that it trains on.
    """
    windows = _find_windows(preprocess_clients(clients, client_ids, preprocessing))

    def evaluate_weights(model_weights: Any) -> Evaluation:
        assign_weights(model_weights, keras_model)
        return _evaluate_windows(keras_model, windows)

    return evaluate_weights


def _evaluate_windows(keras_model: tf.keras.Model, windows: dict[str, np.ndarray]) -> Evaluation:
    with freed_memory.given_back():
        losses, hits = score_windows(keras_model, np.concatenate(list(windows.values())).astype(np.int64))
    borders = np.cumsum([len(found) for found in windows.values()])[:-1]
    by_client = zip(windows, np.split(hits, borders), strict=True)
    return Evaluation(
        loss=float(losses.mean()),
        accuracy=float(hits.mean()),
        num_characters=int(hits.size),
        accuracy_by_client={client_id: float(part.mean()) for client_id, part in by_client},
    )


def _find_windows(clients: PreprocessedClients) -> dict[str, np.ndarray]:
    """The windows of each client that has one: {client id: uint8 [windows, sequence_length_chars + 1]}."""
    windows = {client_id: found for client_id, found in clients.windows.items() if len(found)}
    if not windows:
        raise ValueError(
            f"None of the {len(clients.windows)} clients has {clients.preprocessing.window_chars} characters "
            "of text to evaluate on."
        )
    return windows
