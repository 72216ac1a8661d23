import numpy as np
import pytest

from fedlab.datasets.federated_text import from_speeches
from fedlab.datasets.preprocessed_clients import preprocess_clients
from fedlab.datasets.preprocessing import Preprocessing
from fedlab.models.char_rnn import build_char_rnn
from fedlab.training import evaluate, make_weights_evaluation, weights_of
from fedlab.vocabulary import encode


def test_evaluation_is_what_numpy_computes_window_by_window():
    text = {"A": "dhlptx" * 60, "B": "the cat sat " * 10, "C": "too short"}
    clients = from_speeches({client_id: [speech] for client_id, speech in text.items()})
    model = build_char_rnn(2, rnn_units=8, seed=1)
    single = build_char_rnn(1, rnn_units=8)
    single.set_weights(model.get_weights())

    losses, hits = {}, {}
    for client_id in ("A", "B"):
        ids = encode(text[client_id])
        losses[client_id], hits[client_id] = [], []
        for first in range(0, len(ids) - 100, 101):
            window = ids[first : first + 101]
            single.reset_states()
            logits = single(window[None, :-1]).numpy()[0].astype(np.float64)
            log_probabilities = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
            losses[client_id] += list(-log_probabilities[np.arange(100), window[1:]])
            hits[client_id] += list(logits.argmax(axis=-1) == window[1:])

    found = evaluate(model, clients)
    assert found.num_characters == 400  # 3 windows of A's 360 characters, 1 of B's 120
    assert found.loss == pytest.approx(np.mean(losses["A"] + losses["B"]), rel=1e-5)
    assert found.accuracy == pytest.approx(np.mean(hits["A"] + hits["B"]))
    assert found.accuracy_by_client == pytest.approx({name: np.mean(hits[name]) for name in ("A", "B")})


def test_random_model_guesses_one_character_in_86():
    model = build_char_rnn(8, rnn_units=8, seed=1)
    clients = from_speeches({"A": ["".join(np.random.default_rng(0).choice(list("abcdefgh. "), 2000))]})
    found = evaluate(model, clients)
    assert found.loss == pytest.approx(np.log(86), abs=0.05)


def test_evaluating_twice_gives_the_same():
    model = build_char_rnn(8, rnn_units=8, seed=1)
    clients = from_speeches({"A": ["dhlptx" * 60]})
    assert evaluate(model, clients) == evaluate(model, clients)


def test_a_weights_evaluation_reads_the_text_once_and_follows_the_weights(monkeypatch):
    read = []
    clients = from_speeches({"A": ["dhlptx" * 60], "B": ["the cat sat " * 10]})
    snippets = clients.snippets
    monkeypatch.setattr(clients, "snippets", lambda client_id: read.append(client_id) or snippets(client_id))
    first, second = (build_char_rnn(8, rnn_units=8, seed=seed) for seed in (1, 2))
    expected = [evaluate(model, clients) for model in (first, second)]
    read.clear()
    evaluate_weights = make_weights_evaluation(build_char_rnn(8, rnn_units=8), clients)
    assert [evaluate_weights(weights_of(model)) for model in (first, second)] == expected
    assert read == ["A", "B"]


def test_windows_are_as_long_as_its_preprocessing_makes_them():
    text = "dhlptx" * 20
    model, clients = build_char_rnn(8, rnn_units=8, seed=1), from_speeches({"A": [text], "B": ["cat"]})
    by_fives = Preprocessing(sequence_length_chars=5)
    found = evaluate(model, clients, preprocessing=by_fives)
    # 20 windows of 6 characters, each from a cleared state: what 6 characters alone come to.
    alone = evaluate(model, from_speeches({"A": [text[:6]]}), preprocessing=by_fives)
    assert (found.num_characters, alone.num_characters) == (100, 5)
    assert found.loss == pytest.approx(alone.loss, rel=1e-6)
    assert found.loss != pytest.approx(evaluate(model, clients).loss, rel=1e-6)
    evaluate_weights = make_weights_evaluation(model, clients, ["A"], preprocessing=by_fives)
    assert evaluate_weights(weights_of(model)) == found


def test_characters_outside_the_vocabulary_become_what_its_preprocessing_says():
    model = build_char_rnn(8, rnn_units=8, seed=1)
    odd, plain = (from_speeches({"A": [start + "dhlptx" * 20]}) for start in ("\u00e9", ""))
    dropping = Preprocessing(unknown="drop")
    assert evaluate(model, odd, preprocessing=dropping) == evaluate(model, plain)
    assert evaluate(model, odd) != evaluate(model, plain)


def test_preprocessed_clients_are_evaluated_on_their_windows():
    model, clients = build_char_rnn(8, rnn_units=8, seed=1), from_speeches({"A": ["dhlptx" * 20]})
    by_fives = Preprocessing(sequence_length_chars=5)
    preprocessed = preprocess_clients(clients, preprocessing=by_fives)
    assert evaluate(model, preprocessed) == evaluate(model, clients, preprocessing=by_fives)
    with pytest.raises(ValueError, match="give the ClientData itself"):
        evaluate(model, preprocessed, preprocessing=Preprocessing())


def test_weights_that_are_nan_are_evaluated_to_nan():
    model = build_char_rnn(8, rnn_units=4)
    model.layers[2].bias.assign([np.nan] * 86)
    assert np.isnan(evaluate(model, from_speeches({"A": ["dhlptx" * 60]})).loss)


def test_no_text_to_evaluate_on_is_an_error():
    clients = from_speeches({"A": ["short"], "B": []})
    model = build_char_rnn(8, rnn_units=4)
    with pytest.raises(ValueError, match="None of the 2 clients has 101 characters"):
        evaluate(model, clients)
    with pytest.raises(ValueError, match="None of the 2 clients has 8 characters"):
        evaluate(model, clients, preprocessing=Preprocessing(sequence_length_chars=7))


def test_unknown_client_is_named():
    clients = from_speeches({"A": ["d" * 200]})
    with pytest.raises(ValueError, match="client 'Z' is not in the dataset"):
        evaluate(build_char_rnn(8, rnn_units=4), clients, ["Z"])
