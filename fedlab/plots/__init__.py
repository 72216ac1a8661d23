"""Figures from plain records and numbers: one figure a file, one style for all of them."""

from fedlab.lazy_names import lazy_names

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

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
