"""Refuses connections that leave this machine, in kernels under test: notebooks run offline."""

import socket

_THIS_MACHINE = ("127.0.0.1", "::1", "localhost", "0.0.0.0")
_connect = socket.socket.connect


def _connect_here(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in _THIS_MACHINE:
        raise ConnectionRefusedError(f"A notebook reached for the network: {address[0]}:{address[1]}.")
    return _connect(self, address)


socket.socket.connect = _connect_here
