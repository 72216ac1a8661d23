"""Figures from plain records and numbers: one figure a file, one style for all of them."""

import importlib

# The names of this package, and the modules that they wait in.
_HOMES = {
    "COLOURS": "style",
    "PALETTE": "style",
    "draw_federated_round": "federated_round",
    "gains_by_group": "client_gains",
    "plot_aggregation_round": "aggregation_round",
    "plot_character_shares": "character_shares",
    "plot_client_distances": "client_distances",
    "plot_client_gains": "client_gains",
    "plot_client_place": "client_place",
    "plot_client_shares": "client_shares",
    "plot_client_texts": "client_texts",
    "plot_comparison": "comparison",
    "plot_fine_tuning": "fine_tuning",
    "plot_left_out": "left_out",
    "plot_next_characters": "next_characters",
    "plot_run": "run_curves",
    "plot_update_norms": "update_norms",
    "plot_windows_in_batches": "windows_in_batches",
    "readable": "style",
}

__all__ = list(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(_HOMES)}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__():
    return sorted([*globals(), *_HOMES])
