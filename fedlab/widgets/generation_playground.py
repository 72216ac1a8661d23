"""Texts of one or more models side by side: a character at a time, coloured by the model's probability."""

import functools
import itertools
import math
import numbers
import threading
import time

import ipywidgets

from fedlab.widgets import controls, markup
from fedlab.widgets.background import BackgroundWork
from fedlab.widgets.coloured_text import coloured_text, legend, plain_text
from fedlab.widgets.view import View

LONGEST_TEXT_CHARS = 2000
_COLUMN = "fedlab-column"
_SHOWN_EVERY_S = 0.1
_BITS = (
    "Bits per character say how surprised the model is by its text: 1 bit is the toss of a coin, "
    "2 bits are a choice among 4, 3 bits a choice among 8."
)


class GenerationPlayground(View):
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
        self._writers = [_Writer(name, _stream_of(model)) for name, model in models.items()]
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
            self._legend,
            controls.side_by_side(*(writer.column for writer in self._writers)),
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
        return {writer.name: writer.text for writer in self._writers}

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
            f"{_characters(settings['length'])}, seed {settings['seed']}"
        )
        return "\n".join([first, *(writer.facts() for writer in self._writers)])

    def _settings(self):
        return {name: getattr(self, name).value for name in ("start", "length", "temperature", "seed")}

    def _write(self, settings):
        self._show_start(settings)
        shown_at = time.monotonic()
        writing = [writer for writer in self._writers if writer.begin(**settings)]
        while writing and not self._background.stop_requested:
            # In turns, a character each: all are seen to write.
            writing = [writer for writer in writing if writer.write_one()]
            if time.monotonic() - shown_at >= _SHOWN_EVERY_S:
                self._show_texts()
                self._show_progress(settings["length"])
                shown_at = time.monotonic()

    def _show_start(self, settings):
        self.write_button.disabled, self.stop_button.disabled = True, False
        self._state.value, self._errors.value = markup.status("Writing."), ""
        for writer in self._writers:
            writer.clear(settings["start"])
        self._show_texts()

    def _show_progress(self, length):
        self._progress.value = markup.progress("characters", self._num_written(), length)

    def _num_written(self):
        return max(len(writer.characters) for writer in self._writers)

    def _show_texts(self):
        with self._showing:  # The writing shows texts, and so does the box for colours.
            coloured = self.colour.value
            self._legend.value = legend() + markup.paragraph(_BITS) if coloured else ""
            for writer in self._writers:
                writer.show(coloured)

    def _show_end(self, error):
        self._show_texts()
        self._progress.value = ""
        self._errors.value = "".join(map(markup.error, self._errors_in_words(error)))
        self._state.value = markup.status(self._end_in_words())
        for writer in self._writers:
            writer.offer_copy()
        self.write_button.disabled, self.stop_button.disabled = False, True

    def _errors_in_words(self, error):
        found = {writer.name: _in_words(writer.error) for writer in self._writers if writer.error}
        if error:
            return [_in_words(error)]
        if len(found) == len(self._writers) and len(set(found.values())) == 1:
            return list(found.values())[:1]  # All say the same, of the start text for instance.
        return [f"{name}: {words}" for name, words in found.items()]

    def _end_in_words(self):
        if not self._num_written():
            return "Nothing was written."
        return " ".join(
            [self._how_it_ended(), *(f"{writer.name}: {writer.in_words()}." for writer in self._writers)]
        )

    def _how_it_ended(self):
        if any(writer.error for writer in self._writers):
            return "Ended by an error."
        return "Stopped." if self._background.stop_requested else "Written."


class _Writer:
    """One model, its text as it grows, and the column that shows it."""

    def __init__(self, name, stream):
        self.name, self._stream = name, stream
        self._page, self._words, self._copy = (ipywidgets.HTML() for _ in range(3))
        title = ipywidgets.HTML(f"<h4>{markup.escape(name)}</h4>")
        layout = ipywidgets.Layout(flex="1 1 300px", min_width="0", margin="0 8px 0 0")
        self.column = ipywidgets.VBox([title, self._page, self._words, self._copy], layout=layout)
        self.column.add_class(_COLUMN)
        self.clear("")

    @property
    def text(self):
        return self._start + "".join(character for character, _ in self.characters)

    def clear(self, start):
        self._start, self.characters, self.error, self._coming = start, [], None, None
        self._copy.value = ""

    def begin(self, start, length, temperature, seed):
        """Returns whether there will be characters."""
        return self._try(lambda: self._open(start, length, temperature, seed))

    def _open(self, start, length, temperature, seed):
        if not start:
            raise ValueError("The start text is empty: type at least one character to begin with.")
        coming = self._stream(start, length, temperature=temperature, seed=seed)
        self._coming = itertools.islice(coming, length)

    def write_one(self):
        """Writes the next character; returns whether more may come."""
        return self._try(lambda: self.characters.append(_checked(next(self._coming))))

    def _try(self, step):
        try:
            step()
            return True
        except StopIteration:
            return False
        except Exception as error:  # Whatever it is: the other models write on.
            self.error = error
            return False

    def show(self, coloured):
        block = coloured_text if coloured else plain_text
        self._page.value = block(self._start, self.characters)
        self._words.value = markup.paragraph(self.in_words())

    def offer_copy(self):
        self._copy.value = markup.copy_button(_COLUMN, f"the text of {self.name}") if self.characters else ""

    def in_words(self):
        """Length, average probability and surprise: "4 characters, on average 50% probable, 1.0 bits ..."."""
        if not self.characters:
            return "nothing written yet"
        probabilities = [probability for _, probability in self.characters]
        average = sum(probabilities) / len(probabilities)
        return (
            f"{_characters(len(probabilities))}, on average {average:.0%} probable, "
            f"{_bits_per_character(probabilities):.1f} bits per character"
        )

    def facts(self):
        lines = [f"{self.name}: {self.in_words()}"]
        if self.characters:
            lines.append(self.text)
        if self.error:
            lines.append(f"{self.name} ended: {_in_words(self.error)}")
        return "\n".join(lines)


def _characters(count):
    return "1 character" if count == 1 else f"{count:,} characters"


def _bits_per_character(probabilities):
    # A probability may be too small for a float; it is not 0, since the character was drawn.
    smallest = math.ulp(0.0)
    return sum(-math.log2(max(probability, smallest)) for probability in probabilities) / len(probabilities)


def _checked(pair):
    match pair:
        case (str(character), numbers.Real() as probability) if 0 <= probability <= 1:
            return character, float(probability)
    raise ValueError(f"The model gave {pair!r}: it should give pairs (character, probability from 0 to 1).")


def _in_words(error):
    """Messages that are sentences speak for themselves; a bare "'x'" comes with what kind of error it is."""
    words = str(error).strip()
    return words if " " in words else f"{type(error).__name__}: {words}"


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
