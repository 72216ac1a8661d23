"""Pieces of HTML that the widgets show: everything from outside is escaped, everything has words."""

import base64
import html
import itertools


def escape(text):
    """Text as HTML: "a < b" -> "a &lt; b"."""
    return html.escape(str(text))


def paragraph(text):
    """Plain text as a paragraph."""
    return f"<p>{escape(text)}</p>"


def heading(text):
    """What stands over a part of a page."""
    return f"<h4>{escape(text)}</h4>"


def passage(text):
    """Text whose spaces and line breaks are kept."""
    # HTML drops a line's end that follows <pre> at once.
    return f"<pre>\n{escape(text)}</pre>"


def numbered(texts, first=1):
    """A numbered list of texts whose line breaks are kept.

    Args:
      texts: strings.
      first: the number of the first.
    """
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f'<ol class="fedlab-texts" start="{first}">{items}</ol>'


def status(text):
    """What is going on, in words; screen readers speak it when they are done with what they say."""
    return f'<p role="status" aria-live="polite">{escape(text)}</p>'


def note(text):
    """Something that is good to know, set apart."""
    return f'<div class="fedlab-note" role="note">{escape(text)}</div>'


def error(text):
    """What went wrong and the way out; screen readers speak it at once."""
    return f'<div class="fedlab-error" role="alert">{escape(text)}</div>'


def progress(label, done, total):
    """A bar with its numbers: "clients 3 of 8"."""
    words = f"{escape(label)} {done} of {total}"
    return f'<p><progress max="{total}" value="{done}" aria-label="{words}"></progress> {words}</p>'


def table(headers, rows, caption="", *, is_grid=False):
    """A table; numbers stand to the right, and so does what stands over numbers only.

    Args:
      headers: texts over the columns.
      rows: lists of cells: text, or numbers that are already written as wanted (str) or plain (int).
      caption: what the table shows; may be "".
      is_grid: whether all cells stand in the middle, for rows that are read against each other.

    Returns:
      HTML that scrolls sideways by itself where it is wider than the page, with the keyboard too.
    """
    rows = list(rows)
    columns = itertools.zip_longest(headers, *rows)
    head = "".join(
        f'<th scope="col"{_kind_of_all(cells)}>{escape(header)}</th>' for header, *cells in columns
    )
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    name = escape(caption or ", ".join(headers))
    grid = ' class="fedlab-grid"' if is_grid else ""
    return (
        f'<div class="fedlab-scroll" tabindex="0" role="region" aria-label="{name}"><table{grid}>{title}'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(value):
    return f"<td{_kind_of_all([value])}>{escape(value)}</td>"


def _kind_of_all(cells):
    filled = [cell for cell in cells if cell not in ("", None)]
    return ' class="number"' if filled and all(map(_looks_like_a_number, filled)) else ""


def _looks_like_a_number(text):
    return str(text).strip().strip("+-−%").replace(",", "").replace(".", "", 1).isdigit()


# What a press does. Older than navigator.clipboard, this asks no permission, and works without https and in
# the frames that hosted notebooks put outputs into. The text that is copied is exact, whatever the page
# makes of its line breaks; where a browser refuses, the text is selected and two keys copy it.
_COPY = """
const text = this.closest('.%s').querySelector('pre');
text.oncopy = event => {
  event.clipboardData.setData('text/plain', text.textContent);
  event.preventDefault();
  event.stopPropagation();
};
getSelection().selectAllChildren(text);
this.nextElementSibling.textContent =
  document.execCommand('copy') ? 'Copied.' : 'Selected: press Ctrl+C (on a Mac Cmd+C) to copy.';
"""


def copy_button(part, name):
    """A button that copies the text of a `<pre>` to the clipboard, and says whether it could.

    Args:
      part: class of the widget's part (`add_class`) that holds both the button and the `<pre>`.
      name: what is copied: "the text of Hamlet".
    """
    return (
        f'<button type="button" class="jupyter-button widget-button" title="Copies {escape(name)}." '
        f'aria-label="Copy {escape(name)}" onclick="{escape(_COPY % part)}">Copy</button> '
        '<span role="status"></span>'
    )


def figure(drawn):
    """A figure of `fedlab.plots` as a picture with its description as alternative text.

    Args:
      drawn: fedlab.plots.style.DescribedFigure.
    """
    data, metadata = drawn._repr_mimebundle_()
    picture = base64.b64encode(data["image/png"]).decode("ascii")
    width = metadata["image/png"]["width"]
    return f'<img alt="{escape(drawn.description)}" width="{width}" src="data:image/png;base64,{picture}">'
