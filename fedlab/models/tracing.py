"""A model's forward pass, traced once: called eagerly, a Keras GRU is traced anew at every call."""

import weakref

import tensorflow as tf

# Gone with their models.
_TRACED = weakref.WeakKeyDictionary()


def traced_forward(model):
    """Returns the model's forward pass as a function that is traced at its first call only.

    Args:
      model: tf.keras.Model of fixed batch size from int64 [batch, time] to logits.

    Returns:
      function from int64 [batch, time] to float32 logits [batch, time, vocabulary]. The state of a
      stateful model goes on from call to call.
    """
    if model not in _TRACED:
        # Weakly: a function that held the model would keep its own key alive for ever.
        reference = weakref.ref(model)

        @tf.function(input_signature=[tf.TensorSpec([model.input_shape[0], None], tf.int64)])
        def forward(ids):
            return reference()(ids, training=False)

        _TRACED[model] = forward
    return _TRACED[model]
