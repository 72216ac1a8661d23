"""A model's forward pass, traced once: called eagerly, a Keras GRU is traced anew at every call."""

import contextlib
import weakref
from collections.abc import Callable, Iterator

import tensorflow as tf

from fedlab.interrupts import uninterrupted
from fedlab.keras_classes import between_tff_graphs

# Gone with their models.
_TRACED = weakref.WeakKeyDictionary()


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """For work with eager models: TFF builds no graph in another thread meanwhile, and interrupts wait."""
    with between_tff_graphs(), uninterrupted():
        yield


def reset_states(model: tf.keras.Model) -> None:
    """`model.reset_states()`, undisturbed."""
    with undisturbed():
        model.reset_states()


def traced_forward(model: tf.keras.Model) -> Callable:
    """Returns the model's forward pass as a function that is traced at its first call only.

    Each call is undisturbed: it may be made in any thread, also while another one builds TFF's graphs, and
    an interrupt is raised at its end.

    Args:
      model: tf.keras.Model of fixed batch size from int64 [batch, time] to logits.

    Returns:
      function from int64 [batch, time] to float32 logits [batch, time, vocabulary]. The state of a
      stateful model goes on from call to call.
    """
    if model not in _TRACED:
        _TRACED[model] = _trace(model)
    return _TRACED[model]


def _trace(model: tf.keras.Model) -> Callable:
    # Weakly: a function that held the model would keep its own key alive for ever.
    reference = weakref.ref(model)

    @tf.function(input_signature=[tf.TensorSpec([model.input_shape[0], None], tf.int64)])
    def forward(ids):
        return reference()(ids, training=False)

    return undisturbed()(forward)
