"""The one rule about connections under test: nothing leaves this machine."""

import socket

_THIS_MACHINE = ("127.0.0.1", "::1", "localhost", "0.0.0.0")


def refusing_others(connect, who):
    """A `socket.socket.connect` that refuses addresses elsewhere.

    Args:
      connect: the method as it was.
      who: whom to name in the error, such as "A test".
    """

    def connect_here(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in _THIS_MACHINE:
            raise ConnectionRefusedError(f"{who} reached for the network: {address[0]}:{address[1]}.")
        return connect(self, address)

    return connect_here
