"""Texts of several models side by side: the widget and its columns."""
