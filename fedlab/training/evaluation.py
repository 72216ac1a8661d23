"""Loss and accuracy on held-out text: every window of every client, each character counted once."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from fedlab.datasets.sequences import SEQUENCE_LENGTH_CHARS, encode_tensor, split_into_sequences
from fedlab.datasets.speeches import read_snippets
from fedlab.interrupts import uninterrupted
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
    keras_model: tf.keras.Model, clients: Any, client_ids: Iterable[str] | None = None
) -> Evaluation:
    """Evaluates a character model on the text of some clients.

    Each client's text is cut into windows of 101 characters; each window starts from a cleared
    state. Windows of many clients are read side by side, whatever batch size the model was built for.

    Args:
      keras_model: model from int64 [batch, time] to logits [batch, time, vocabulary]. Its state stays what it
        is, unless it has layers that are not Keras's own.
      clients: ClientData of held-out speeches.
      client_ids: the clients to evaluate on; default all.

    Returns:
      Evaluation over all characters of all windows.

    Raises:
      ValueError: none of the clients has a full window of text; an unknown client id.
    """
    return _evaluate_windows(keras_model, _find_windows(clients, client_ids))


def make_weights_evaluation(
    keras_model: tf.keras.Model, clients: Any, client_ids: Iterable[str] | None = None
) -> Callable[[Any], Evaluation]:
    """Makes a function from ModelWeights to Evaluation, for `run_rounds(evaluate_weights=...)`.

    The weights are put into `keras_model`, which afterwards holds those evaluated last. The clients' text is
    read once, here; for the errors see `evaluate`.
    """
    windows = _find_windows(clients, client_ids)

    def evaluate_weights(model_weights):
        assign_weights(model_weights, keras_model)
        return _evaluate_windows(keras_model, windows)

    return evaluate_weights


def _evaluate_windows(keras_model: tf.keras.Model, windows: dict[str, np.ndarray]) -> Evaluation:
    losses, hits = score_windows(keras_model, np.concatenate(list(windows.values())))
    borders = np.cumsum([len(found) for found in windows.values()])[:-1]
    by_client = zip(windows, np.split(hits, borders), strict=True)
    return Evaluation(
        loss=float(losses.mean()),
        accuracy=float(hits.mean()),
        num_characters=int(hits.size),
        accuracy_by_client={client_id: float(part.mean()) for client_id, part in by_client},
    )


def _find_windows(clients: Any, client_ids: Iterable[str] | None) -> dict[str, np.ndarray]:
    """The windows of each client that has one: {client id: int64 [windows, SEQUENCE_LENGTH_CHARS + 1]}."""
    ids = list(clients.client_ids) if client_ids is None else list(client_ids)
    windows = {client_id: _windows_of(clients, client_id) for client_id in ids}
    windows = {client_id: found for client_id, found in windows.items() if len(found)}
    if not windows:
        raise ValueError(
            f"None of the {len(ids)} clients has {SEQUENCE_LENGTH_CHARS + 1} characters of text "
            "to evaluate on."
        )
    return windows


@uninterrupted()
def _windows_of(clients: Any, client_id: str) -> np.ndarray:
    """The windows of a client's text: int64 [windows, SEQUENCE_LENGTH_CHARS + 1]."""
    text = b"".join(read_snippets(clients, client_id))
    return split_into_sequences(encode_tensor(text)).numpy()
