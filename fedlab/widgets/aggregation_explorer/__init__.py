"""Rounds of an aggregation factory, step by step: the widget and its pages."""
