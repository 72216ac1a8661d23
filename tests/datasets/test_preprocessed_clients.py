import collections

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff

from fedlab.datasets.federated_text import FederatedText, from_speeches
from fedlab.datasets.preprocessed_clients import SmallClientWarning, preprocess_clients
from fedlab.datasets.preprocessing import Preprocessing
from fedlab.datasets.sequences import make_batches
from fedlab.vocabulary import UnknownCharacterError

SPEECHES = {"A": ["d" * 900, "hl" * 400], "B": ["x" * 807], "C": [], "D": ["naïve " * 200]}


def stacked(batches):
    return np.array([[inputs.numpy(), targets.numpy()] for inputs, targets in batches])


def test_clients_are_told_apart_by_their_text():
    clients = preprocess_clients(from_speeches(SPEECHES))
    assert clients.client_ids == ["A", "B", "C", "D"]
    assert [report.client_id for report in clients.trainable] == ["A", "D"]
    assert [report.client_id for report in clients.too_small] == ["B", "C"]
    assert clients.reports["D"].num_unknown == 200


def test_batches_are_those_of_the_clients_dataset():
    data = from_speeches(SPEECHES)
    made = preprocess_clients(data).batches("A", epochs=2, shuffle_seed=3)
    wanted = make_batches(data.create_tf_dataset_for_client("A"), epochs=2, shuffle_seed=3)
    np.testing.assert_array_equal(stacked(made), stacked(wanted))
    assert len(stacked(made)) == 4


def test_client_data_of_anybodys_is_read_too():
    data = tff.simulation.datasets.TestClientData(
        {name: collections.OrderedDict(snippets=texts) for name, texts in SPEECHES.items() if texts}
    )
    ours, theirs = (preprocess_clients(clients, ["D", "A"]) for clients in (from_speeches(SPEECHES), data))
    assert theirs.reports == ours.reports
    assert list(theirs.reports) == ["D", "A"]
    assert all(np.array_equal(theirs.windows[name], ours.windows[name]) for name in "AD")


def test_speeches_are_read_once():
    reads = collections.Counter()

    def read():
        reads["all"] += 1
        return {"A": [b"d" * 900]}

    def no_dataset(client_id):
        raise AssertionError("a pipeline was built")

    data = FederatedText(["A"], no_dataset, read)
    clients = preprocess_clients(data)
    for seed in range(3):
        list(clients.batches("A", shuffle_seed=seed))
    assert preprocess_clients(clients) is clients
    preprocess_clients(data)
    assert reads == {"all": 1}


def test_some_clients_keep_what_was_read_of_them():
    clients = preprocess_clients(from_speeches(SPEECHES))
    some = preprocess_clients(clients, ["D", "B"])
    assert some.client_ids == ["D", "B"]
    assert some.windows["D"] is clients.windows["D"]
    with pytest.raises(ValueError, match="client 'E' is not in the dataset"):
        clients.only(["E"])


def test_clients_read_with_other_settings_are_refused():
    clients = preprocess_clients(from_speeches(SPEECHES))
    assert preprocess_clients(clients, preprocessing=Preprocessing()) is clients
    with pytest.raises(ValueError, match=r"batch_size=8.*not with.*batch_size=4.*give the ClientData"):
        preprocess_clients(clients, preprocessing=Preprocessing(batch_size=4))


def test_the_warning_names_five_and_counts_the_others():
    clients = preprocess_clients(from_speeches({name: ["x"] for name in "ABCDEFG"}))
    with pytest.warns(SmallClientWarning, match=r"7 of 7 clients.*E \(1\) and 2 more\.$") as caught:
        clients.warn()
    assert caught[0].filename == __file__


def test_other_batches_need_other_text():
    clients = preprocess_clients(from_speeches(SPEECHES), ["B"], Preprocessing(batch_size=7))
    assert [report.num_batches for report in clients.trainable] == [1]
    assert clients.batches("B").element_spec == (tf.TensorSpec([7, 100], tf.int64),) * 2


def test_unknown_characters_can_be_an_error_that_names_the_client():
    with pytest.raises(UnknownCharacterError, match=r"200 characters.*D \(200\)"):
        preprocess_clients(from_speeches(SPEECHES), preprocessing=Preprocessing(unknown="error"))
