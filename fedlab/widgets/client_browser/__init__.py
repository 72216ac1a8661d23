"""Clients to look at one by one: the widget and its pages."""
