"""Measures the shipped Dickens weights on Shakespeare: the figures of the model card.

    FEDLAB_MIRROR=http://127.0.0.1:8000 python tools/evaluate_dickens.py

Reports the three clients of TFF's tutorial in the "tff" dataset (downloaded, or from the mirror), the
pocket's clients that can train, and random characters.
"""

import argparse
import warnings

import numpy as np

from fedlab.datasets import load_shakespeare
from fedlab.datasets.federated_text import from_speeches
from fedlab.datasets.sequences import find_trainable_clients, make_batches
from fedlab.models.dickens import load_dickens
from fedlab.models.traced_forward import traced_forward
from fedlab.training import evaluate
from fedlab.vocabulary import CHARACTERS

TUTORIAL_CLIENTS = (
    "THE_TRAGEDY_OF_KING_LEAR_KING",
    "ALL_S_WELL_THAT_ENDS_WELL_CELIA",
    "MUCH_ADO_ABOUT_NOTHING_OTHELLO",
)


def random_text(num_characters=8 * 101 * 10, seed=0):
    """Characters drawn evenly from the vocabulary: nothing can be predicted in them."""
    return "".join(np.random.default_rng(seed).choice(CHARACTERS, num_characters))


def tutorial_accuracy(model, clients):
    """Accuracy over the tutorial's own batches of (8, 100), the GRU's state running on through them."""
    hits = []
    for client_id in TUTORIAL_CLIENTS:
        model.reset_states()
        for inputs, targets in make_batches(clients.create_tf_dataset_for_client(client_id)):
            hits.append(np.argmax(traced_forward(model)(inputs), axis=-1) == targets)
    return np.mean(hits), np.size(hits)


def show(name, found):
    print(
        f"{name}: accuracy {found.accuracy:.4f}, loss {found.loss:.4f}, {found.num_characters:,} characters"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", choices=("pocket", "tff"), default="pocket", help="which Dickens weights")
    model = load_dickens(8, parser.parse_args().source)
    _, test = load_shakespeare("tff")
    found = evaluate(model, test, TUTORIAL_CLIENTS)
    show("tutorial clients, held-out text, each window from a cleared state", found)
    for client_id, accuracy in found.accuracy_by_client.items():
        print(f"  {client_id}: accuracy {accuracy:.4f}")
    accuracy, number = tutorial_accuracy(model, test)
    print(f"the same in the tutorial's batches: accuracy {accuracy:.4f}, {number:,} characters")
    show("random characters", evaluate(model, from_speeches({"RANDOM": [random_text()]})))
    train, test = load_shakespeare()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainable, _ = find_trainable_clients(train)
    show("pocket clients, held-out text", evaluate(model, test, [report.client_id for report in trainable]))


if __name__ == "__main__":
    main()
