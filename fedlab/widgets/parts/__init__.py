"""What the widgets are made of: the view, controls, pages, and work behind them, one idea a file."""
