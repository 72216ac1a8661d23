"""Runs compiled TFF computations in this process: building blocks one by one, TensorFlow graphs as leaves."""
