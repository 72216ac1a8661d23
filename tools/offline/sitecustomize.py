"""Refuses connections that leave this machine, in kernels under test: notebooks run offline."""

import socket

from only_here import refusing_others

socket.socket.connect = refusing_others(socket.socket.connect, "A notebook")
