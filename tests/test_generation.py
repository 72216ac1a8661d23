import itertools
import os
import signal
import threading

import keras_models
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff

from fedlab.generation import generate_text, sample_id, softmax, stream_characters, stream_text
from fedlab.models.char_rnn import build_char_rnn
from fedlab.models.dickens import load_small_dickens
from fedlab.vocabulary import UnknownCharacterError, decode, encode
from fedlab.widgets import GenerationPlayground


@pytest.fixture(scope="module")
def model():
    return build_char_rnn(1, rnn_units=16, seed=1)


def test_text_begins_with_the_start_and_has_the_length_asked_for(model):
    text = generate_text(model, "To be", 20, seed=1)
    assert text.startswith("To be")
    assert len(text) == 5 + 20
    assert generate_text(model, "To be", 0) == "To be"


def test_same_seed_gives_the_same_text_and_another_another(model):
    first, again, other = (generate_text(model, "To be", 40, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_stream_yields_one_character_at_a_time(model):
    stream = stream_text(model, "To be", 1000, seed=1)
    characters = list(itertools.islice(stream, 5))
    assert [len(character) for character in characters] == [1] * 5
    assert "".join(characters) == generate_text(model, "To be", 5, seed=1)[5:]


def test_each_character_is_drawn_from_the_models_prediction_for_what_stands_before(model):
    text = generate_text(model, "To be", 12, temperature=1e-6, seed=1)  # always the likeliest
    model.reset_states()
    logits = model(encode(text)[None, :-1]).numpy()[0]
    assert np.argmax(logits, axis=-1)[4:].tolist() == encode(text)[5:].tolist()


def test_each_characters_probability_is_the_models_own_whatever_the_temperature(model):
    sampled = list(stream_characters(model, "To be", 12, temperature=1.5, seed=1))
    ids = encode("To be" + "".join(character for character, _ in sampled))
    model.reset_states()
    logits = model(ids[None, :-1]).numpy()[0, 4:].astype(np.float64)  # [12, 86]: before each drawn one
    expected = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    drawn = expected[np.arange(12), ids[5:]]
    np.testing.assert_allclose([probability for _, probability in sampled], drawn, rtol=1e-4)
    assert sampled[0].probability == sampled[0][1]


def test_characters_with_probabilities_are_those_of_the_text(model):
    sampled = stream_characters(model, "To be", 30, temperature=0.7, seed=3)
    assert list(stream_text(model, "To be", 30, temperature=0.7, seed=3)) == [c for c, _ in sampled]


def test_temperature_shapes_the_probabilities():
    logits = np.log(np.array([0.8, 0.2]))
    rng = np.random.default_rng(0)

    def share_of_first(temperature):
        return np.mean([sample_id(logits, temperature, rng) == 0 for _ in range(4000)])

    # softmax(log p / t) is p**(1/t), normalised: 0.8 at 1; 0.64/0.68 at 1/2; 1/2 when very hot
    assert share_of_first(1.0) == pytest.approx(0.8, abs=0.03)
    assert share_of_first(0.5) == pytest.approx(0.64 / 0.68, abs=0.03)
    assert share_of_first(1000.0) == pytest.approx(0.5, abs=0.03)


def test_huge_logits_do_not_overflow():
    assert sample_id(np.array([1e4, -1e4]), 0.01, np.random.default_rng(0)) == 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"start": ""}, ValueError, "start is empty"),
        ({"start": None}, TypeError, "start=None"),
        ({"start": "naïve"}, UnknownCharacterError, "'ï' x1"),
        ({"length": -1}, ValueError, "length=-1"),
        ({"length": 2.5}, ValueError, "length=2.5"),
        ({"temperature": 0}, ValueError, "temperature=0: give a number above 0"),
        ({"temperature": -1.0}, ValueError, "temperature=-1.0"),
        ({"temperature": float("nan")}, ValueError, "temperature=nan"),
        ({"temperature": "hot"}, ValueError, "temperature='hot'"),
    ],
)
@pytest.mark.parametrize("stream", [stream_text, stream_characters])
def test_bad_input_is_named_before_the_first_character(model, stream, arguments, error, message):
    with pytest.raises(error, match=message):
        stream(model, **({"start": "a", "length": 5} | arguments))


def test_model_for_other_batch_sizes_says_how_to_copy_it():
    with pytest.raises(ValueError, match=r"batches of 8.*with_batch_size\(model, 1\)"):
        stream_text(build_char_rnn(8, rnn_units=4), "a")


def test_diverged_weights_are_said_to_be():
    model = build_char_rnn(1, rnn_units=4)
    model.layers[2].bias.assign([np.nan] * 86)
    with pytest.raises(ValueError, match="NaN or infinite.*smaller learning rate"):
        generate_text(model, "a", 1)


def written_by_keras(model, start, length, temperature, seed):
    """The text of a loop that knows nothing but Keras: the whole start, then a character at a time."""
    rng, ids, text = np.random.default_rng(seed), encode(start), ""
    model.reset_states()
    for _ in range(length):
        logits = model.predict_on_batch(ids[None])[0, -1]
        ids = np.array([sample_id(logits, temperature, rng)])
        text += decode(ids)
    return text


@pytest.mark.parametrize("kind", ["GRU", "dense layers", "shortcut", "convolution", "own call"])
def test_models_of_many_shapes_write_what_keras_predicts(kind):
    one = keras_models.build(kind, 1)
    for seed in range(3):
        text = generate_text(one, "To be", 12, temperature=1.0, seed=seed)
        assert text == "To be" + written_by_keras(one, "To be", 12, 1.0, seed)


@pytest.mark.parametrize("layer", [tf.keras.layers.GRU, tf.keras.layers.LSTM])
def test_a_model_that_forgets_between_calls_writes_as_keras_lets_it(layer):
    embedding = tf.keras.layers.Embedding(86, 4, input_shape=[None])
    model = tf.keras.Sequential([embedding, layer(5, return_sequences=True), tf.keras.layers.Dense(86)])
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.7, weights.shape) for weights in model.get_weights()])
    assert generate_text(model, "To be", 9, seed=1) == "To be" + written_by_keras(model, "To be", 9, 1.0, 1)


def test_the_small_dickens_model_writes_the_same_text_as_through_keras():
    model = load_small_dickens(1)
    expected = written_by_keras(model, "My dear ", 60, 0.7, 3)
    assert generate_text(model, "My dear ", 60, temperature=0.7, seed=3) == "My dear " + expected


@pytest.mark.parametrize("kind", ["GRU", "shortcut"])
def test_weights_assigned_after_the_first_text_are_followed_at_once(kind):
    model = keras_models.build(kind, 1)
    before = generate_text(model, "To be", 20, seed=1)
    model.set_weights(keras_models.build(kind, 1, seed=1).get_weights())
    after = generate_text(model, "To be", 20, seed=1)
    assert after != before
    assert after == "To be" + written_by_keras(model, "To be", 20, 1.0, 1)


def test_two_texts_of_one_model_do_not_disturb_each_other(model):
    streams = [stream_text(model, start, 20, seed=2) for start in ("To be", "or not")]
    pairs = list(zip(*streams, strict=True))
    for start, characters in zip(("To be", "or not"), zip(*pairs, strict=True), strict=True):
        assert start + "".join(characters) == generate_text(model, start, 20, seed=2)


def test_a_text_goes_on_with_the_weights_it_began_with():
    model = keras_models.build("GRU", 1)
    expected = generate_text(model, "To be", 20, seed=1)
    stream = stream_text(model, "To be", 20, seed=1)
    text = "To be" + next(stream)
    model.set_weights([np.zeros_like(weights) for weights in model.get_weights()])
    assert text + "".join(stream) == expected


@pytest.mark.parametrize("kind", ["GRU", "shortcut"])
def test_a_text_in_a_thread_waits_for_the_graph_that_tff_builds(kind):
    model, order = keras_models.build(kind, 1), []
    building, go_on = threading.Event(), threading.Event()

    def slow():
        building.set()
        go_on.wait(10)
        order.append("graph")
        return tf.constant(1)

    def write():
        generate_text(model, "a", 2, seed=1)
        order.append("text")

    threads = [
        threading.Thread(target=lambda: tff.tensorflow.computation(slow)),
        threading.Thread(target=write),
    ]
    threads[0].start()
    assert building.wait(60)
    threads[1].start()
    threads[1].join(0.3)
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert order == ["graph", "text"]


@pytest.mark.parametrize("kind", ["GRU", "shortcut"])
def test_an_interrupt_ends_a_text_as_an_interrupt(kind):
    # Longer than any machine writes until the interrupt comes.
    stream = stream_text(keras_models.build(kind, 1), "To be", 100_000_000, seed=1)
    next(stream)
    timer = threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        for _ in stream:
            pass
    timer.join()


@pytest.mark.parametrize("temperature", [0.01, 0.7, 1.0, 5.0])
def test_what_is_drawn_is_what_numpys_choice_draws_from_the_same_seed(temperature):
    ours, numpys = np.random.default_rng(3), np.random.default_rng(3)
    for logits in np.random.default_rng(1).normal(0, 3, [500, 86]).astype(np.float32):
        expected = numpys.choice(86, p=softmax(logits, temperature))
        assert sample_id(logits, temperature, ours) == expected
    assert ours.random() == numpys.random()


def test_models_side_by_side_write_what_each_writes_alone(model):
    other = build_char_rnn(1, rnn_units=8, seed=2)
    settings = {"start": "To be", "length": 30, "temperature": 0.8, "seed": 4}
    playground = GenerationPlayground({"this": model, "other": other}, **settings)
    playground.write()
    assert playground.wait(60)
    alone = {"this": generate_text(model, **settings), "other": generate_text(other, **settings)}
    assert playground.texts == alone


def test_playground_says_what_is_wrong_with_a_start_or_a_model_in_the_models_words(model):
    diverged = build_char_rnn(1, rnn_units=4)
    diverged.layers[2].bias.assign([np.nan] * 86)
    models = {"whole": model, "diverged": diverged, "of eight": build_char_rnn(8, rnn_units=4)}
    playground = GenerationPlayground(models, start="a", length=3)
    playground.write()
    assert playground.wait(60)
    assert "whole: 3 characters" in playground.facts()
    assert "diverged ended: The model's logits are NaN or infinite" in playground.facts()
    assert "takes batches of 8, and text is generated one row at a time" in playground.facts()
    playground.start.value = "Zo\u00eb"
    playground.write()
    assert playground.wait(60)
    assert "whole ended: 1 character outside the vocabulary of 86: '\u00eb' x1" in playground.facts()
