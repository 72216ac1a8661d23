from fedlab.datasets import load_shakespeare
from fedlab.datasets.federated_text import from_speeches
from fedlab.datasets.shakespeare import read_pocket_speeches, split_speeches
from fedlab.datasets.speeches import read_all_speeches, read_speeches


def test_everybodys_speeches_are_those_of_the_files():
    wanted = {client_id: split_speeches(texts)[0] for client_id, texts in read_pocket_speeches().items()}
    assert read_all_speeches(load_shakespeare()[0]) == wanted


def test_one_clients_speeches_are_those_of_the_file():
    wanted = split_speeches(read_pocket_speeches()["HAMLET_HAMLET"])[0]
    assert read_speeches(load_shakespeare()[0], "HAMLET_HAMLET") == wanted


def test_clients_without_speeches_are_there_and_order_is_kept_over_many_examples():
    speeches = {"A": [], "B": [str(number) for number in range(1200)], "C": ["naïve\n", ""], "D": []}
    assert read_all_speeches(from_speeches(speeches)) == speeches


def test_nobody_has_no_speeches():
    assert read_all_speeches(from_speeches({})) == {}
