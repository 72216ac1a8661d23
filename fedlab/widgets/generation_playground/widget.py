"""Texts of one or more models side by side: a character at a time, coloured by the model's probability."""

import functools
import threading
import time

import ipywidgets

from fedlab.widgets.generation_playground.coloured_text import legend
from fedlab.widgets.generation_playground.text_column import TextColumn
from fedlab.widgets.parts import controls, markup
from fedlab.widgets.parts.background import BackgroundWork
from fedlab.widgets.parts.widget_base import WidgetBase
from fedlab.widgets.parts.wording import count, error_in_words

LONGEST_TEXT_CHARS = 2000
_SHOWN_EVERY_S = 0.1
_BITS = (
    "Bits per character say how surprised the model is by its text: 1 bit is the toss of a coin, "
    "2 bits are a choice among 4, 3 bits a choice among 8."
)


class GenerationPlayground(WidgetBase):
    """Lets models continue a text, all from the same start and seed.

    Example:
      >>> def ab(start, length, *, temperature, seed):
      ...     return (("ab"[place % 2], 0.5) for place in range(length))
      >>> playground = GenerationPlayground({"ab": ab}, start=">", length=4)
      >>> playground.write()
      >>> playground.wait()
      True
      >>> playground.texts
      {'ab': '>abab'}

    Attributes:
      start, temperature, length, seed, colour: the controls; `.value` is what they are set to.
      write_button, stop_button: `.click()` presses them; `write()` and `stop()` do the same.
    """

    def __init__(self, models, *, start="The ", temperature=0.5, length=200, seed=1):
        """Makes the widget; nothing is written yet.

        Args:
          models: dict from a name to what writes: a Keras model built for batch size 1, or a function
            `stream(start, length, *, temperature, seed)` that yields (character, probability) pairs.
          start: text to begin with.
          temperature: from 0.1, which plays safe, to 2, which takes risks.
          length: number of characters to add, from 1 to 2000.
          seed: whole number from 0; the same one gives the same text again.

        Raises:
          TypeError: `models` is no dict.
          ValueError: it is empty, or has the same model twice.
        """
        _check(models)
        self._columns = [TextColumn(name, _stream_of(model)) for name, model in models.items()]
        self._background = BackgroundWork()
        self._showing = threading.Lock()
        self._make_controls(start, temperature, length, seed)
        self._make_pages()
        self._show(
            "Generation playground",
            self.start,
            controls.side_by_side(self.temperature, self.length, self.seed, self.colour),
            controls.side_by_side(self.write_button, self.stop_button, self._progress),
            self._state,
            self._errors,
            controls.side_by_side(*(column.root for column in self._columns)),
            self._legend,
        )

    def _make_controls(self, start, temperature, length, seed):
        self.start = controls.text_lines("Start text", start)
        self.temperature = controls.number("Temperature", temperature, 0.1, 2.0, 0.1)
        self.length = controls.whole_number("Length (characters)", length, 1, LONGEST_TEXT_CHARS)
        self.seed = controls.whole_number("Seed", seed, 0, 2**31 - 1)
        self.colour = controls.tick("Colour by probability", True)
        self.colour.observe(lambda _: self._show_texts(), "value")
        self.write_button = controls.button(
            "Write", self.write, tooltip="Writes new texts.", icon="pencil", style="primary"
        )
        self.stop_button = controls.button(
            "Stop", self.stop, tooltip="Ends the writing, keeps the texts.", icon="stop"
        )
        self.stop_button.disabled = True

    def _make_pages(self):
        self._state = ipywidgets.HTML(markup.status("Ready: press Write."))
        self._progress, self._errors, self._legend = (ipywidgets.HTML() for _ in range(3))
        self._show_texts()

    @property
    def texts(self):
        """The texts so far, with their start: a dict from the model's name to str."""
        return {column.name: column.text for column in self._columns}

    @property
    def bits_per_character(self):
        """How surprised each model is by its text: a dict from its name to bits, None for no text.

        The average of log2(1 / probability), of the model's own probabilities, at temperature 1.
        """
        return {column.name: column.bits_per_character for column in self._columns}

    def write(self):
        """Starts to write, beside the notebook; does nothing while the models are writing."""
        self._background.start(functools.partial(self._write, self._settings()), self._show_end)

    def stop(self):
        """Ends the writing after the character that is being written."""
        self._background.request_stop()

    def wait(self, timeout_s=None):
        """Waits for the texts to be written.

        Args:
          timeout_s: how long to wait at most; None for as long as it takes.

        Returns:
          Whether the writing has ended.
        """
        return self._background.wait(timeout_s)

    def close(self):
        """Ends the writing and takes the widget from the page."""
        self.stop()
        self.wait()
        super().close()

    def facts(self):
        settings = self._settings()
        first = (
            f"Generation playground: start {settings['start']!r}, temperature {settings['temperature']:g}, "
            f"{count(settings['length'], 'character')}, seed {settings['seed']}"
        )
        return "\n".join([first, *(column.facts() for column in self._columns)])

    def _settings(self):
        return {name: getattr(self, name).value for name in ("start", "length", "temperature", "seed")}

    def _write(self, settings):
        self._show_start(settings)
        shown_at = time.monotonic()
        writing = [column for column in self._columns if column.begin(**settings)]
        while writing and not self._background.stop_requested:
            # In turns, a character each: all are seen to write.
            writing = [column for column in writing if column.write_one()]
            if time.monotonic() - shown_at >= _SHOWN_EVERY_S:
                self._show_texts()
                self._show_progress(settings["length"])
                shown_at = time.monotonic()

    def _show_start(self, settings):
        self.write_button.disabled, self.stop_button.disabled = True, False
        self._state.value, self._errors.value = markup.status("Writing."), ""
        for column in self._columns:
            column.clear(settings["start"])
        self._show_texts()

    def _show_progress(self, length):
        self._progress.value = markup.progress("characters", self._num_written(), length)

    def _num_written(self):
        return max(len(column.characters) for column in self._columns)

    def _show_texts(self):
        with self._showing:  # The writing shows texts, and so does the box for colours.
            coloured = self.colour.value
            self._legend.value = legend() + markup.paragraph(_BITS) if coloured else ""
            for column in self._columns:
                column.show(coloured)

    def _show_end(self, error):
        self._show_texts()
        self._progress.value = ""
        self._errors.value = "".join(map(markup.error, self._errors_in_words(error)))
        self._state.value = markup.status(self._end_in_words())
        for column in self._columns:
            column.offer_copy()
        self.write_button.disabled, self.stop_button.disabled = False, True

    def _errors_in_words(self, error):
        found = {column.name: error_in_words(column.error) for column in self._columns if column.error}
        if error:
            return [error_in_words(error)]
        if len(found) == len(self._columns) and len(set(found.values())) == 1:
            return list(found.values())[:1]  # All say the same, of the start text for instance.
        return [f"{name}: {words}" for name, words in found.items()]

    def _end_in_words(self):
        if not self._num_written():
            return "Nothing was written."
        surprise = "; ".join(column.surprise_in_words() for column in self._columns if column.characters)
        return f"{self._how_it_ended()} {surprise}."

    def _how_it_ended(self):
        if any(column.error for column in self._columns):
            return "Ended by an error."
        return "Stopped." if self._background.stop_requested else "Written."


def _check(models):
    if not isinstance(models, dict):
        raise TypeError(f"models={models!r}: give a dict of names and models, as {{'Dickens': model}}.")
    if not models:
        raise ValueError("models is empty: give at least one, as {'Dickens': model}.")
    first_name = {}
    for name, model in models.items():
        if first_name.setdefault(id(model), name) != name:
            raise ValueError(
                f"{first_name[id(model)]!r} and {name!r} are one and the same model, with one state: "
                "give the second its own, with fedlab.models.char_rnn.with_batch_size(model, 1)."
            )


def _stream_of(model):
    # A Keras model is told by its looks: the widgets themselves do without TensorFlow.
    if not hasattr(model, "reset_states"):
        return model
    from fedlab.generation import stream_characters

    return functools.partial(stream_characters, model)
