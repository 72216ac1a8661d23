"""Labelled controls of one size, from the parts that ipywidgets 7.7.1 and 8 share."""

import ipywidgets

_LABEL_WIDTH = "150px"
_WIDTH = "340px"


def _labelled(kind, label, **options):
    return kind(
        description=label,
        style={"description_width": _LABEL_WIDTH},
        layout=ipywidgets.Layout(width=_WIDTH),
        **options,
    )


def whole_number(label, value, least, most, step=1):
    """A field for a whole number between two others."""
    return _labelled(ipywidgets.BoundedIntText, label, value=value, min=least, max=most, step=step)


def number(label, value, least, most, step=None):
    """A field for a number between two others."""
    return _labelled(ipywidgets.BoundedFloatText, label, value=value, min=least, max=most, step=step)


def choice(label, options, value=None):
    """A drop-down list.

    Args:
      label: text before it.
      options: texts, or (text, value) pairs.
      value: the one chosen at first; default the first.
    """
    made = _labelled(ipywidgets.Dropdown, label, options=options)
    if value is not None:
        made.value = value
    return made


def listing(label, options, rows=6):
    """A list of which one is chosen, several lines high.

    Args:
      label: text before it.
      options: texts, or (text, value) pairs.
      rows: its height in lines.
    """
    made = _labelled(ipywidgets.Select, label, options=options, rows=rows)
    made.layout.height = "auto"
    return made


def switch(label, options):
    """Buttons of which one is pressed: texts, the first pressed at first."""
    made = ipywidgets.ToggleButtons(description=label, options=options)
    made.style.description_width, made.style.button_width = "auto", "auto"
    return made


def several(label, options, rows=8):
    """A list to choose several from; at first all are chosen.

    Args:
      label: text before it.
      options: (text, value) pairs.
      rows: how many of them are seen at once.
    """
    made = _labelled(ipywidgets.SelectMultiple, label, options=options, rows=rows)
    made.layout.width = "100%"
    made.layout.max_width = "690px"
    made.value = [value for _, value in options]
    return made


def text_line(label, value="", placeholder="", *, sent_as_typed=True):
    """A field for one line of text.

    Args:
      label: text before it.
      value: what it says at first.
      placeholder: what it shows while it is empty.
      sent_as_typed: whether every letter changes the value; else Enter does, or leaving the field.
    """
    return _labelled(
        ipywidgets.Text, label, value=value, placeholder=placeholder, continuous_update=sent_as_typed
    )


def text_lines(label, value="", rows=2):
    """A field for text that may have several lines."""
    made = _labelled(ipywidgets.Textarea, label, value=value, rows=rows, continuous_update=True)
    made.layout.width = "100%"
    made.layout.max_width = "690px"
    return made


def tick(label, value):
    """A box to tick, with its label behind it."""
    layout = ipywidgets.Layout(width="auto")
    return ipywidgets.Checkbox(description=label, value=value, indent=False, layout=layout)


def button(label, on_click, *, tooltip="", icon="", style=""):
    """A button.

    Args:
      label: what it says.
      on_click: function without arguments.
      tooltip: what it does, in a sentence.
      icon: a Font Awesome name without "fa-"; may be "".
      style: "", "primary", "success", "info", "warning" or "danger".
    """
    made = ipywidgets.Button(description=label, tooltip=tooltip or label, icon=icon, button_style=style)
    made.on_click(lambda _: on_click())
    return made


def side_by_side(*parts):
    """Parts beside each other, in several lines where the page is narrow."""
    return ipywidgets.HBox(parts, layout=ipywidgets.Layout(flex_flow="row wrap"))
