"""One model's text as it grows, and the column of the page that shows it."""

import itertools
import math
import numbers

import ipywidgets

from fedlab.widgets.generation_playground.coloured_text import coloured_text, plain_text
from fedlab.widgets.parts import markup
from fedlab.widgets.parts.wording import count, error_in_words

_COLUMN = "fedlab-column"


class TextColumn:
    """One model, its text as it grows, and the column that shows it.

    Attributes:
      name: what the model is called.
      characters: list of (character, probability) that were written so far.
      error: the exception that ended the text, or None.
      root: the column, of ipywidgets.
    """

    def __init__(self, name, stream):
        self.name, self._stream = name, stream
        self._page, self._words, self._copy = (ipywidgets.HTML() for _ in range(3))
        title = ipywidgets.HTML(f"<h4>{markup.escape(name)}</h4>")
        layout = ipywidgets.Layout(flex="1 1 300px", min_width="0", margin="0 8px 0 0")
        self.root = ipywidgets.VBox([title, self._page, self._words, self._copy], layout=layout)
        self.root.add_class(_COLUMN)
        self.clear("")

    @property
    def text(self):
        """The start and what was written after it."""
        return self._start + "".join(character for character, _ in self.characters)

    def clear(self, start):
        """Begins a new text with `start`."""
        self._start, self.characters, self.error, self._coming = start, [], None, None
        self._copy.value = ""

    def begin(self, start, length, temperature, seed):
        """Asks the model to write; returns whether it does. Its error, if any, is in `error`."""
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
        """Puts the text so far on the page, with tints or plain."""
        block = coloured_text if coloured else plain_text
        self._page.value = block(self._start, self.characters)
        words = self.in_words()
        self._words.value = markup.paragraph(words[0].upper() + words[1:])

    def offer_copy(self):
        """Puts a button below the text that copies it."""
        self._copy.value = markup.copy_button(_COLUMN, f"the text of {self.name}") if self.characters else ""

    @property
    def bits_per_character(self):
        """The average of log2(1 / probability); None when nothing is written."""
        bits = [_bits(probability) for _, probability in self.characters]
        return sum(bits) / len(bits) if bits else None

    def in_words(self):
        """Says how long the text is, and how probable: "2 characters, on average 50% probable, ..."."""
        probabilities = [probability for _, probability in self.characters]
        if not probabilities:
            return "nothing written yet"
        average = sum(probabilities) / len(probabilities)
        written = count(len(probabilities), "character")
        surprise = f"{self.bits_per_character:.1f} bits per character"
        return f"{written}, on average {average:.0%} probable, {surprise}"

    def surprise_in_words(self):
        """Says how surprised the model is by its text: "before: 1.0 bits per character"."""
        return f"{self.name}: {self.bits_per_character:.1f} bits per character"

    def facts(self):
        """The text and what is to say about it, as lines."""
        lines = [f"{self.name}: {self.in_words()}"]
        if self.characters:
            lines.append(self.text)
        if self.error:
            lines.append(f"{self.name} ended: {error_in_words(self.error)}")
        return "\n".join(lines)


def _bits(probability):
    # A probability may be too small for a float; it is not 0, since the character was drawn.
    return -math.log2(max(probability, math.ulp(0.0)))


def _checked(pair):
    match pair:
        case (str(character), numbers.Real() as probability) if 0 <= probability <= 1:
            return character, float(probability)
    raise ValueError(f"The model gave {pair!r}: it should give pairs (character, probability from 0 to 1).")
