"""Federated training, watched while it runs: the widget, its form, its pages, and the run behind them."""
