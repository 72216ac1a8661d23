"""What the widgets share: shown where a front end can show them, in words everywhere else."""

import functools
import pathlib

import ipywidgets

from fedlab.widgets.parts import markup

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

# JupyterLab takes keys for its own commands even while a list or a slider has the focus: arrows would leave
# the cell, "b" would make a new one. It leaves alone what is marked like this. Other front ends ignore it.
_KEYS_STAY = """
if (!window.fedlabKeysStay) {
  window.fedlabKeysStay = true;
  document.addEventListener('focusin', ({target}) => {
    if (target.closest('.fedlab') && target.matches('select, [role=slider], .fedlab-scroll')) {
      target.dataset.lmSuppressShortcuts = 'true';
    }
  });
}
"""


class WidgetBase:
    """One of fedlab's widgets: parts of ipywidgets under a heading, and their facts in words.

    A notebook shows the parts; a terminal, a printed page or a test shows `facts()`. Subclasses build
    their parts, hand them to `_show` and write `facts`.
    """

    def _show(self, title, *parts):
        """Puts the parts under each other, below the title.

        Args:
          title: plain text.
          *parts: ipywidgets.
        """
        style = f'<style onload="{markup.escape(_KEYS_STAY)}">{_style()}</style>'
        heading = ipywidgets.HTML(f"{style}<h3>{markup.escape(title)}</h3>")
        self.root = ipywidgets.VBox([heading, *parts])
        self.root.add_class("fedlab")

    def facts(self):
        """What the widget shows, as lines of text."""
        raise NotImplementedError

    def close(self):
        """Ends the widget's work and takes it from the page."""
        _close(self.root)

    def __repr__(self):
        return self.facts()

    def _repr_mimebundle_(self, include=None, exclude=None):
        view = {"version_major": 2, "version_minor": 0, "model_id": self.root.model_id}
        return {"text/plain": self.facts(), WIDGET_VIEW: view}


def _close(part):
    for child in getattr(part, "children", ()):
        _close(child)
    part.close()


@functools.cache
def _style():
    return pathlib.Path(__file__).with_name("style.css").read_text(encoding="utf-8")
