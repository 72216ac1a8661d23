"""What the figures share: a palette for everyone, ink and paper, and clients' names as labels."""

import base64
import contextlib
import html
import io
import re
import threading

import matplotlib
from matplotlib.figure import Figure

# Okabe and Ito's palette (2008), which colour-blind readers can tell apart.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
COLOURS = {"before": "#E69F00", "after": "#0072B2", "training": "#999999"}

# Twice what a screen shows, for sharp text; the picture's width in pixels says how large it is shown.
_SHOWN_DPI = 80
_DRAWN_DPI = 2 * _SHOWN_DPI

IN_WORDS = "The figure in words"

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


# One figure at a time: widgets draw in threads, and Matplotlib's settings and fonts belong to all of them.
_DRAWING = threading.RLock()


class DescribedFigure(Figure):
    """A Figure with a description in words, for readers who do not see it and for tests.

    A notebook shows it as a picture, whether pyplot was imported or not; the description is the
    picture's alt text and its text form, which nbval compares. JupyterLab does not hand alt text on to
    screen readers, so the words are folded up below the picture as well.
    """

    description = ""

    def _repr_mimebundle_(self, include=None, exclude=None):
        picture = io.BytesIO()
        with _DRAWING:
            self.savefig(picture, format="png", dpi=_DRAWN_DPI, metadata={"Software": None})
        details = {"alt": self.description, "width": round(self.get_figwidth() * _SHOWN_DPI)}
        return {"image/png": picture.getvalue(), "text/plain": self.description}, {"image/png": details}

    def _ipython_display_(self):
        from IPython.display import display

        data, metadata = self._repr_mimebundle_()
        data["image/png"] = base64.b64encode(data["image/png"]).decode("ascii")
        display(data, metadata=metadata, raw=True)
        if self.description:
            display({"text/html": describe_in_html(self.description)}, raw=True)


def describe_in_html(description):
    """The description, folded up: what stands below a figure in a notebook."""
    return f"<details><summary>{IN_WORDS}</summary>{html.escape(description)}</details>"


@contextlib.contextmanager
def new_figure(width_inches, height_inches, description=""):
    """Gives an empty figure, on white so that it reads on dark pages too; draw inside the `with`.

    Args:
      width_inches: width, of which a notebook shows 80 pixels an inch; 8 to 11 fit.
      height_inches: height.
      description: what the figure shows, in words and computed numbers, without seconds or other
        values that differ between machines.

    Yields:
      DescribedFigure.
    """
    with _DRAWING, matplotlib.rc_context(_STYLE):
        figure = DescribedFigure(
            figsize=(width_inches, height_inches), layout="constrained", facecolor="white"
        )
        figure.description = description
        yield figure


def visible(character):
    """A character as a label: a space as "␣", a line's end as "↵", a carriage return as "CR"."""
    return {" ": "␣", "\n": "↵", "\r": "CR"}.get(character, character)


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
