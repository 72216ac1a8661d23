"""What every test gets: fedlab before TensorFlow, figures without a screen, no network."""

import os
import socket

os.environ.setdefault("MPLBACKEND", "Agg")

import pytest

import fedlab  # noqa: F401  fedlab first: it chooses the Keras that TensorFlow loads

_THIS_MACHINE = ("127.0.0.1", "::1", "localhost", "0.0.0.0")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Refuses connections that leave this machine: nothing in the test suite needs the network."""
    connect = socket.socket.connect

    def connect_here(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in _THIS_MACHINE:
            raise ConnectionRefusedError(f"A test reached for the network: {address[0]}:{address[1]}.")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
