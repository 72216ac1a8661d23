"""Widgets to watch federated learning happen: one widget a folder, and `parts` for what they share.

They are built on the parts that ipywidgets 7.7.1 (Colab) and 8 (JupyterLab) share, see plain records and
callables only, and say their facts in words where no front end can show them.
"""

from fedlab.lazy_names import lazy_names

# The names of this package, and the modules that they wait in.
_HOMES = {
    "AggregationExplorer": "aggregation_explorer.widget",
    "ClientBrowser": "client_browser.widget",
    "GenerationPlayground": "generation_playground.widget",
    "RoundsDashboard": "rounds_dashboard.widget",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
