"""The character RNN of TFF's text-generation tutorial: Embedding(86, 256), GRU(1024), Dense(86)."""

import tensorflow as tf

from fedlab.arguments import check_whole_numbers
from fedlab.vocabulary import VOCABULARY_SIZE

EMBEDDING_SIZE = 256
RNN_UNITS = 1024


def build_char_rnn(batch_size, *, rnn_units=RNN_UNITS, seed=None):
    """Builds the model: character ids in, logits over the next character out.

    The GRU is stateful: what it remembers of one batch is where it starts the next, row by row,
    until `reset_states()`. That fixes the batch size: 1 to generate, 8 to train and evaluate.

    Args:
      batch_size: rows per batch, at least 1.
      rnn_units: width of the GRU; 1024 is the pretrained model's.
      seed: int for repeatable initial weights, None for random ones.

    Returns:
      tf.keras.Sequential from int64 [batch_size, time] to float32 logits [batch_size, time, 86].
    """
    check_whole_numbers(batch_size=batch_size)
    seeds = [None] * 4 if seed is None else [seed, seed + 1, seed + 2, seed + 3]
    initializers = tf.keras.initializers
    return tf.keras.Sequential(
        [
            tf.keras.layers.Embedding(
                VOCABULARY_SIZE,
                EMBEDDING_SIZE,
                batch_input_shape=[batch_size, None],
                embeddings_initializer=initializers.RandomUniform(-0.05, 0.05, seed=seeds[0]),
            ),
            tf.keras.layers.GRU(
                rnn_units,
                return_sequences=True,
                stateful=True,
                kernel_initializer=initializers.GlorotUniform(seed=seeds[1]),
                # As in the tutorial. Keras's default, orthogonal, takes half a second at this width, and
                # TFF initialises a model for every client of every round before the weights arrive.
                recurrent_initializer=initializers.GlorotUniform(seed=seeds[2]),
            ),
            tf.keras.layers.Dense(
                VOCABULARY_SIZE, kernel_initializer=initializers.GlorotUniform(seed=seeds[3])
            ),
        ],
        name="char_rnn",
    )


def with_batch_size(model, batch_size):
    """Builds the same character RNN for another batch size, with a copy of the weights."""
    copy = build_char_rnn(batch_size, rnn_units=model.layers[1].units)
    copy.set_weights(model.get_weights())
    return copy
