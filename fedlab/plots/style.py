"""What the figures share: a palette for everyone, ink and paper, and clients' names as labels."""

import contextlib
import re

import matplotlib
from matplotlib.figure import Figure

# Okabe and Ito's palette (2008), which colour-blind readers can tell apart.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
COLOURS = {"before": "#E69F00", "after": "#0072B2", "training": "#999999"}

_ROMAN_NUMBER = re.compile("[IVX]+")
_SMALL_WORDS = {"A", "AND", "OF", "THE"}

INK = "#222222"
_STYLE = {
    "axes.edgecolor": "#888888",
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 10,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


@contextlib.contextmanager
def new_figure(width_inches, height_inches):
    """Gives an empty Figure, on white so that it reads on dark pages too; draw inside the `with`."""
    with matplotlib.rc_context(_STYLE):
        yield Figure(figsize=(width_inches, height_inches), layout="constrained", facecolor="white")


def readable(client_id):
    """A client's id as a label: "RICHARD_III_GLOUCESTER" -> "Richard III Gloucester"."""
    return " ".join(
        word
        if _ROMAN_NUMBER.fullmatch(word)
        else word.lower()
        if word in _SMALL_WORDS and place
        else word.title()
        for place, word in enumerate(client_id.split("_"))
    )
