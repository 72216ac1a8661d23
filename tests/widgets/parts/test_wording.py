import pytest

from fedlab.widgets.parts.wording import count


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0, "client"), "0 clients"),
        ((1, "client"), "1 client"),
        ((2, "batch", "batches"), "2 batches"),
        ((1, "batch", "batches"), "1 batch"),
        ((12345, "round"), "12,345 rounds"),
    ],
)
def test_one_thing_is_singular_and_all_other_numbers_are_plural(arguments, words):
    assert count(*arguments) == words
