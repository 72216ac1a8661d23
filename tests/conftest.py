"""What every test gets: fedlab before TensorFlow, figures without a screen, no network.

And for those that ask: a mirror, served over real HTTP on this machine.
"""

import functools
import http.server
import os
import signal
import socket
import threading
import types

os.environ.setdefault("MPLBACKEND", "Agg")

import pytest
from sharing_out import (  # noqa: F401  hooks
    pytest_collection_modifyitems,
    pytest_xdist_auto_num_workers,
    pytest_xdist_make_scheduler,
)

import fedlab  # noqa: F401  fedlab first: it chooses the Keras that TensorFlow loads
from offline.only_here import refusing_others

# A shell that starts the tests in the background has interrupts ignored, for us and for what we
# start; the tests of Ctrl-C would then wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Refuses connections that leave this machine: nothing in the test suite needs the network."""
    monkeypatch.setattr(socket.socket, "connect", refusing_others(socket.socket.connect, "A test"))


class _MirrorHandler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; what is asked for as "cut-NAME" is NAME, ended half way through."""

    def __init__(self, *arguments, requests, **options):
        self._requests = requests
        super().__init__(*arguments, **options)

    def do_GET(self):
        self._requests.append(self.path)
        if not self.path.startswith("/cut-"):
            return super().do_GET()
        with open(os.path.join(self.directory, self.path.removeprefix("/cut-")), "rb") as file:
            content = file.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])

    def log_message(self, *unused):
        pass


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A server that $FEDLAB_MIRROR names: `.folder` is what it serves, `.requests` what was asked for."""
    folder, requests = tmp_path / "served", []
    folder.mkdir()
    handler = functools.partial(_MirrorHandler, directory=folder, requests=requests)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("FEDLAB_MIRROR", f"http://127.0.0.1:{server.server_port}/")
        yield types.SimpleNamespace(folder=folder, requests=requests)
        server.shutdown()
