"""Widgets to watch federated learning happen: one widget a file.

They are built on the parts that ipywidgets 7.7.1 (Colab) and 8 (JupyterLab) share, see plain records and
callables only, and say their facts in words where no front end can show them.
"""

import importlib

# The names of this package, and the modules that they wait in.
_HOMES = {
    "AggregationExplorer": "aggregation_explorer",
    "ClientBrowser": "client_browser",
    "GenerationPlayground": "generation_playground",
    "RoundsDashboard": "rounds_dashboard",
}

__all__ = list(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(_HOMES)}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__():
    return sorted([*globals(), *_HOMES])
