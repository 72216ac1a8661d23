"""Texts side by side: written in turns, stopped, coloured, and every error in words."""

import doctest
import threading
import time

import ipywidgets
import pytest

from fedlab.widgets.generation_playground import widget
from fedlab.widgets.generation_playground.widget import GenerationPlayground


def alphabet(start, length, *, temperature, seed):
    """Goes on in the alphabet from the seed's letter; the probability is that of a fair coin."""
    return ((chr(ord("a") + (seed + place) % 26), 0.5) for place in range(length))


class Gated:
    """A stream that waits for leave before each character."""

    def __init__(self, character="x", probability=0.25):
        self.pair = (character, probability)
        self.leave = threading.Semaphore(0)
        self.calls = []

    def __call__(self, start, length, *, temperature, seed):
        self.calls.append((start, length, temperature, seed))
        for _ in range(length):
            self.leave.acquire()
            yield self.pair

    def let(self, count):
        for _ in range(count):
            self.leave.release()


def wait_for(condition, timeout_s=60):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def written(playground):
    """Presses Write and waits for the end."""
    playground.write_button.click()
    assert playground.wait(60)
    return playground


def page(playground):
    """All HTML that the widget shows, but its style."""

    def values(part):
        yield from [part.value] if isinstance(part, ipywidgets.HTML) else []
        for child in getattr(part, "children", ()):
            yield from values(child)

    return "\n".join(values(playground.root)).partition("</style>")[2]


def raising(message, after=0, kind=ValueError):
    """A stream that raises after so many characters."""

    def stream(start, length, *, temperature, seed):
        yield from [("y", 0.5)] * after
        raise kind(message)

    return stream


def test_every_model_continues_the_start_with_the_same_settings():
    first, second = Gated("x"), Gated("y")
    playground = GenerationPlayground({"before": first, "after": second})
    playground.start.value, playground.temperature.value = "Go\n", 0.7
    playground.length.value, playground.seed.value = 3, 5
    for stream in (first, second):
        stream.let(3)
    assert written(playground).texts == {"before": "Go\nxxx", "after": "Go\nyyy"}
    assert first.calls == second.calls == [("Go\n", 3, 0.7, 5)]


def test_models_write_in_turns():
    first, second = Gated("x"), Gated("y")
    playground = GenerationPlayground({"before": first, "after": second}, start=">", length=9)
    playground.write()
    first.let(3)
    second.let(2)
    wait_for(lambda: playground.texts == {"before": ">xxx", "after": ">yy"})
    playground.stop()
    second.let(1)
    assert playground.wait(60)


def test_characters_are_on_the_page_while_others_are_still_to_come():
    stream = Gated()
    playground = GenerationPlayground({"one": stream}, start=">", length=50)
    playground.write()
    stream.let(5)
    wait_for(lambda: playground.texts["one"] == ">xxxxx")
    time.sleep(0.15)  # Over the time between two looks.
    stream.let(1)
    wait_for(lambda: "xxxxxx" in page(playground))
    assert "characters 6 of 50" in page(playground) and "Writing." in page(playground)
    playground.stop()
    stream.let(1)
    assert playground.wait(60)
    assert "of 50</p>" not in page(playground)


def test_stop_ends_within_a_character_and_keeps_the_text():
    stream = Gated()
    playground = GenerationPlayground({"one": stream}, start=">", length=1000)
    playground.write()
    stream.let(4)
    wait_for(lambda: len(playground.texts["one"]) == 5)
    assert not playground.stop_button.disabled and playground.write_button.disabled
    playground.stop_button.click()
    stream.let(100)
    assert playground.wait(60)
    assert playground.texts["one"] in (">xxxx", ">xxxxx")
    assert "Stopped." in page(playground)
    assert playground.stop_button.disabled and not playground.write_button.disabled


def test_two_presses_of_write_start_one_text():
    stream = Gated()
    playground = GenerationPlayground({"one": stream}, length=2)
    playground.write_button.click()
    playground.write_button.click()
    stream.let(4)
    assert playground.wait(60)
    assert len(stream.calls) == 1


def test_settings_changed_while_writing_are_for_the_next_text():
    stream = Gated()
    playground = GenerationPlayground({"one": stream}, start=">", length=2)
    playground.write()
    playground.length.value, playground.start.value = 5, "other"
    stream.let(10)
    assert playground.wait(60)
    assert playground.texts == {"one": ">xx"}


def test_a_new_text_takes_the_place_of_the_last():
    playground = GenerationPlayground({"a": alphabet}, start=">", length=3, seed=0)
    assert written(playground).texts == {"a": ">abc"}
    assert written(playground).texts == {"a": ">abc"}
    playground.seed.value = 1
    assert written(playground).texts == {"a": ">bcd"}


def test_an_endless_stream_ends_at_the_length():
    def endless(start, length, *, temperature, seed):
        while True:
            yield "z", 1.0

    playground = GenerationPlayground({"z": endless}, start=">", length=7)
    assert written(playground).texts == {"z": ">zzzzzzz"}


def test_average_probability_and_bits_are_those_computed_by_hand():
    def two(start, length, *, temperature, seed):
        return iter([("a", 0.5), ("b", 0.125)])  # 1 bit and 3 bits

    playground = written(GenerationPlayground({"two": two}, length=2))
    words = "two: 2 characters, on average 31% probable, 2.0 bits per character"
    assert words in playground.facts()
    assert "<p>2 characters, on average 31% probable, 2.0 bits per character</p>" in page(playground)
    assert "Written. two: 2.0 bits per character." in page(playground)
    assert playground.bits_per_character == {"two": 2.0}


def test_colours_come_and_go_with_their_legend():
    stream = Gated("q", 0.001)
    playground = GenerationPlayground({"one": stream}, start=">", length=2)
    stream.let(2)
    coloured = '<span class="fedlab-step-4">qq</span>'
    assert coloured in page(written(playground)) and "below 1%" in page(playground)
    playground.colour.value = False
    assert coloured not in page(playground) and "below 1%" not in page(playground)
    assert "<strong>&gt;</strong>qq" in page(playground)
    playground.colour.value = True
    assert coloured in page(playground)


def test_text_of_models_and_their_names_never_become_html():
    stream = Gated("<", 0.9)
    stream.let(1)
    playground = GenerationPlayground({"<b>": stream}, start="<i>", length=1)
    assert "<b>" not in page(written(playground)) and "<i>" not in page(playground)
    assert "<strong>&lt;i&gt;</strong>&lt;</pre>" in page(playground)


def test_an_empty_start_is_an_error_in_words_and_the_next_text_is_written():
    playground = GenerationPlayground({"a": alphabet, "b": lambda *a, **b: alphabet(*a, **b)}, length=3)
    playground.start.value = ""
    assert page(written(playground)).count("The start text is empty: type at least one character") == 1
    assert "Nothing was written." in page(playground)
    playground.start.value = ">"
    assert written(playground).texts == {"a": ">bcd", "b": ">bcd"}
    assert "The start text is empty" not in page(playground)


def test_an_error_of_one_model_keeps_its_text_and_lets_the_others_write():
    playground = GenerationPlayground(
        {"whole": alphabet, "broken": raising("its weights are <NaN>", after=2)}, start=">", length=4
    )
    assert written(playground).texts == {"whole": ">bcde", "broken": ">yy"}
    assert '<div class="fedlab-error" role="alert">broken: its weights are &lt;NaN&gt;</div>' in page(
        playground
    )
    assert "Ended by an error. whole: 1.0 bits per character; broken: 1.0 bits per character." in page(
        playground
    )
    assert "broken ended: its weights are <NaN>" in playground.facts()
    assert not playground.write_button.disabled


def test_copy_is_offered_when_there_is_a_text_and_never_while_writing():
    stream = Gated()
    playground = GenerationPlayground({"one": stream}, length=1)
    assert "Copy the text of one" not in page(playground)
    stream.let(1)
    assert "Copy the text of one" in page(written(playground))
    playground.write()
    wait_for(lambda: "Writing." in page(playground))
    wait_for(lambda: "Copy the text of one" not in page(playground))
    stream.let(1)
    assert playground.wait(60)


def test_settings_out_of_range_are_kept_in_it():
    playground = GenerationPlayground({"a": alphabet})
    playground.temperature.value, playground.length.value, playground.seed.value = 9.0, 0, -1
    assert (playground.temperature.value, playground.length.value, playground.seed.value) == (2.0, 1, 0)


def test_facts_say_settings_and_texts_and_nothing_that_changes_from_run_to_run():
    playground = GenerationPlayground(
        {"before": alphabet, "after": raising("no such text")}, start="A\n", temperature=1.0, length=4, seed=2
    )
    assert playground.bits_per_character == {"before": None, "after": None}
    settings = "Generation playground: start 'A\\n', temperature 1, 4 characters, seed 2"
    assert (
        playground.facts()
        == f"{settings}\nbefore: nothing written yet\nafter: nothing written yet"
        == repr(playground)
    )
    assert written(playground).facts() == (
        f"{settings}\nbefore: 4 characters, on average 50% probable, 1.0 bits per character\nA\ncdef\n"
        "after: nothing written yet\nafter ended: no such text"
    )


def test_closing_ends_the_writing():
    stream = Gated()
    playground = GenerationPlayground({"one": stream}, length=1000)
    playground.write()
    stream.let(1)
    threading.Timer(0.1, stream.let, [1]).start()
    playground.close()
    assert playground.wait(0) and playground.write_button.comm is None


@pytest.mark.parametrize(
    ("models", "error", "message"),
    [
        (alphabet, TypeError, "give a dict of names and models"),
        ({}, ValueError, "models is empty"),
        (
            dict.fromkeys(["before", "after"], alphabet),
            ValueError,
            "'before' and 'after' are one and the same",
        ),
    ],
)
def test_models_that_make_no_sense_are_refused_with_the_way_out(models, error, message):
    with pytest.raises(error, match=message):
        GenerationPlayground(models)


def test_the_example_in_the_docstring_is_true():
    assert doctest.testmod(widget) == (0, 5)
