"""What a page is made of: blocks that know how to be shown as HTML and how to be said in plain text."""

import dataclasses
from collections.abc import Callable

from fedlab.widgets.parts import markup


def as_html(blocks):
    """The blocks as a piece of HTML."""
    return "".join(block.html() for block in blocks)


def as_html_without_drawings(blocks):
    """The same, with a word instead of each drawing: for those who wait for it."""
    return "".join(_DRAWN_SOON if isinstance(block, Drawing) else block.html() for block in blocks)


def has_drawing(blocks):
    """Whether the blocks take a while to be shown."""
    return any(isinstance(block, Drawing) for block in blocks)


def as_plain_text(blocks):
    """The blocks as lines of text; those that only an eye can take in say nothing."""
    return "\n".join(filter(None, (block.plain() for block in blocks)))


_DRAWN_SOON = markup.paragraph("Drawing …")


@dataclasses.dataclass(frozen=True)
class Sentence:
    """A sentence or two; set apart where `is_note`."""

    text: str
    is_note: bool = False

    def html(self):
        return markup.note(self.text) if self.is_note else markup.paragraph(self.text)

    def plain(self):
        return self.text


@dataclasses.dataclass(frozen=True)
class Passage:
    """Somebody's text, with its spaces and line breaks, and what it is."""

    name: str
    text: str

    def html(self):
        return markup.paragraph(f"{self.name}:") + markup.passage(self.text)

    def plain(self):
        return f"{self.name}: {self.text!r}"


@dataclasses.dataclass(frozen=True)
class Texts:
    """Texts with their numbers; in plain text, the first line of each.

    Attributes:
      texts: tuple of str.
      first: the number of the first.
    """

    texts: tuple
    first: int = 1

    def html(self):
        return markup.numbered(self.texts, self.first)

    def plain(self):
        return "\n".join(
            f"{number}. {_first_line(text)}" for number, text in enumerate(self.texts, self.first)
        )


def _first_line(text):
    line, *rest = text.split("\n", 1)
    return f"{line} …" if rest else line


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows under headers.

    Attributes:
      caption: what it shows.
      headers: tuple of texts.
      rows: list of tuples of texts.
      num_plain_columns: how many columns plain text shows; None for all.
      is_grid: whether all cells stand in the middle.
    """

    caption: str
    headers: tuple
    rows: list
    num_plain_columns: int | None = None
    is_grid: bool = False

    def html(self):
        return markup.table(self.headers, self.rows, self.caption, is_grid=self.is_grid)

    def plain(self):
        shown = [[str(cell) for cell in row[: self.num_plain_columns]] for row in (self.headers, *self.rows)]
        widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
        lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in shown)
        return "\n".join([f"{self.caption}:", *(f"  {line}" for line in lines)])


@dataclasses.dataclass(frozen=True)
class Drawing:
    """A figure, drawn when it is shown; its numbers stand in other blocks.

    Attributes:
      draw: function without arguments that returns a DescribedFigure.
    """

    draw: Callable

    def html(self):
        return markup.figure(self.draw())

    def plain(self):
        return ""
