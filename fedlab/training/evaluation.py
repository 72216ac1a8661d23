"""Loss and accuracy on held-out text: every window of every client, each character counted once."""

import dataclasses

import numpy as np
import tensorflow as tf

from fedlab.datasets.sequences import BATCH_SIZE, SEQUENCE_LENGTH_CHARS, encode_tensor, split_into_sequences
from fedlab.datasets.speeches import read_snippets
from fedlab.interrupts import uninterrupted
from fedlab.keras_classes import between_tff_graphs
from fedlab.models.tracing import traced_forward
from fedlab.training.keras_adapter import assign_weights


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What a model scores on held-out text."""

    loss: float  # nats per character
    accuracy: float  # share of characters whose likeliest prediction was right
    num_characters: int
    accuracy_by_client: dict  # client id -> accuracy; clients without a full window are missing


def evaluate(keras_model, clients, client_ids=None):
    """Evaluates a character model on the text of some clients.

    Each client's text is cut into windows of 101 characters; each window starts from a cleared
    state. The last batch is filled up with rows that do not count, so that no window is left out.

    Args:
      keras_model: model from int64 [batch, time] to logits [batch, time, vocabulary].
      clients: ClientData of held-out speeches.
      client_ids: the clients to evaluate on; default all.

    Returns:
      Evaluation over all characters of all windows.

    Raises:
      ValueError: none of the clients has a full window of text; an unknown client id.
    """
    ids = list(clients.client_ids) if client_ids is None else list(client_ids)
    windows = {client_id: _windows_of(clients, client_id) for client_id in ids}
    windows = {client_id: found for client_id, found in windows.items() if len(found)}
    if not windows:
        raise ValueError(
            f"None of the {len(ids)} clients has {SEQUENCE_LENGTH_CHARS + 1} characters of text "
            "to evaluate on."
        )
    with between_tff_graphs():
        losses, hits = _score(keras_model, np.concatenate(list(windows.values())))
    borders = np.cumsum([len(found) for found in windows.values()])[:-1]
    by_client = zip(windows, np.split(hits, borders), strict=True)
    return Evaluation(
        loss=float(losses.mean()),
        accuracy=float(hits.mean()),
        num_characters=int(hits.size),
        accuracy_by_client={client_id: float(part.mean()) for client_id, part in by_client},
    )


def make_weights_evaluation(keras_model, clients, client_ids=None):
    """Makes a function from ModelWeights to Evaluation, for `run_rounds(evaluate_weights=...)`.

    The weights are put into `keras_model`, which afterwards holds those evaluated last.
    """

    def evaluate_weights(model_weights):
        assign_weights(model_weights, keras_model)
        return evaluate(keras_model, clients, client_ids)

    return evaluate_weights


@uninterrupted()
def _windows_of(clients, client_id):
    """The windows of a client's text: int64 [windows, SEQUENCE_LENGTH_CHARS + 1]."""
    text = b"".join(read_snippets(clients, client_id))
    return split_into_sequences(encode_tensor(text)).numpy()


def _score(model, windows):
    """Loss and hit of every character: two arrays of shape [windows, SEQUENCE_LENGTH_CHARS]."""
    rows = model.input_shape[0] or BATCH_SIZE
    padding = -len(windows) % rows
    padded = np.pad(windows, [(0, padding), (0, 0)])
    scores = [_score_batch(model, batch) for batch in padded.reshape(-1, rows, windows.shape[1])]
    losses, hits = (np.concatenate(part)[: len(windows)] for part in zip(*scores, strict=True))
    return losses, hits


@uninterrupted()
def _score_batch(model, batch):
    model.reset_states()
    inputs, targets = batch[:, :-1], batch[:, 1:]
    logits = traced_forward(model)(inputs)  # [rows, time, vocabulary]
    losses = tf.keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    return losses.numpy(), np.argmax(logits, axis=-1) == targets
