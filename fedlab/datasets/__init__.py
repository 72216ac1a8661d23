"""Shakespeare's characters as federated clients, and the pipeline from their text to batches."""

from fedlab.datasets.profiles import profile_clients
from fedlab.datasets.shakespeare import load_shakespeare

__all__ = ["load_shakespeare", "profile_clients"]
