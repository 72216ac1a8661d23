import pytest

from fedlab.datasets.client_names import check_client_id, find_clients, suggest

IDS = ["HAMLET_HAMLET", "HAMLET_OPHELIA", "MACBETH_LADY_MACBETH", "MACBETH_THIRD_WITCH", "OTHELLO_OTHELLO"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", IDS),
        ("  ", IDS),
        ("ophelia", ["HAMLET_OPHELIA"]),
        ("Hamlet", ["HAMLET_HAMLET", "HAMLET_OPHELIA"]),
        ("witch macb", ["MACBETH_THIRD_WITCH"]),
        ("lady_m", ["MACBETH_LADY_MACBETH"]),
        ("falstaff", []),
    ],
)
def test_a_search_finds_ids_that_hold_all_its_words(search, found):
    assert find_clients(IDS, search) == found


def test_ids_in_small_letters_are_found_too():
    assert find_clients(["client_a", "client_b"], "B") == ["client_b"]


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("OTHELO", "did you mean 'OTHELLO_OTHELLO'?"),
        ("third witch", "did you mean 'MACBETH_THIRD_WITCH'?"),
        ("hamlet", "did you mean 'HAMLET_HAMLET' or 'HAMLET_OPHELIA'?"),
        ("Zzz", "it has 5 clients; see client_ids, for example 'HAMLET_HAMLET'."),
    ],
)
def test_a_mistyped_id_brings_those_that_are_near(name, suggestion):
    assert suggest(name, IDS) == suggestion


def test_an_id_that_is_no_text_is_named_and_an_example_given():
    with pytest.raises(TypeError, match=r"client_id=7: .* as str, for example 'HAMLET_HAMLET'"):
        check_client_id(7, IDS)


def test_of_no_clients_none_is_suggested():
    with pytest.raises(ValueError, match=r"'A' is not in the dataset; it has 0 clients; see client_ids\.$"):
        check_client_id("A", [])
    with pytest.raises(TypeError, match=r"as str\.$"):
        check_client_id(7, [])
