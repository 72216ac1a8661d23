"""Shakespeare's characters as federated clients, and the pipeline from their text to batches."""

from fedlab.datasets.shakespeare import load_shakespeare

__all__ = ["load_shakespeare"]
