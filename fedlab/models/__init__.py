"""The character RNN, its pretrained weights, its metric, and weights on disk."""
