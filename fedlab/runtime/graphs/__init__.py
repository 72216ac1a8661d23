"""Rewrites TensorFlow graphs, as plain protocol buffers, so that they are safe to run and fast."""
