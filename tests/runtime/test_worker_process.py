"""TFF's worker as a child: it starts or says why not, is private, and does not outlive its parent."""

import contextlib
import os
import pathlib
import platform
import signal
import socket
import stat
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
import tensorflow_federated as tff
from runtime_workers import can_isolate, needs_worker

import fedlab
from fedlab.runtime import isolated_worker, worker_process

total = tff.federated_computation(lambda x: tff.federated_sum(x), tff.FederatedType(np.int32, tff.CLIENTS))


def program(tmp_path, text):
    """An executable that stands where TFF's worker would."""
    path = tmp_path / "worker_binary"
    path.write_text(f"#!{sys.executable}\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def start(binary, **options):
    return worker_process.WorkerProcess(
        binary, **{"deadline_s": 20, "reachable_from_network": True, **options}
    )


def wait_until_gone(pids, within_s=60):
    end = time.monotonic() + within_s
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() < end, f"still there: {[pid for pid in pids if is_alive(pid)]}"
        time.sleep(0.05)


def is_alive(pid):
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


# --- It starts, or says why not -----------------------------------------------------------------------


def test_a_processor_without_avx_is_named_as_the_reason(tmp_path):
    binary = program(tmp_path, f"import os; os.kill(os.getpid(), {int(signal.SIGILL)})")
    with pytest.raises(worker_process.WorkerError, match="needs a processor with AVX"):
        start(binary)


def test_a_worker_that_ends_shows_the_end_of_its_log(tmp_path):
    binary = program(tmp_path, "import sys; print('cannot bind'); sys.exit(3)")
    with pytest.raises(
        worker_process.WorkerError, match="(?s)ended with status 3.*cannot bind.*use_in_process"
    ):
        start(binary)


def test_a_worker_that_never_answers_is_given_up_at_the_deadline(tmp_path):
    binary = program(tmp_path, "import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    started = time.monotonic()
    with pytest.raises(worker_process.WorkerError, match="did not answer within 1 s") as caught:
        start(binary, deadline_s=1)
    assert time.monotonic() - started < 100  # The program sleeps for 600.
    pid = int(str(caught.value).split("log:\n")[1].split()[0])
    wait_until_gone([pid])


def test_a_program_that_cannot_run_is_reported(tmp_path):
    path = tmp_path / "worker_binary"
    path.write_bytes(b"\0not a program")
    with pytest.raises(worker_process.WorkerError, match="could not be started"):
        start(path)


@pytest.mark.parametrize("system, machine", [("Darwin", "arm64"), ("Windows", "AMD64"), ("Linux", "aarch64")])
def test_other_platforms_are_told_at_once(monkeypatch, system, machine):
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(worker_process.WorkerError, match=f"this is {system} on {machine}"):
        worker_process.find_binary()


def test_a_missing_program_is_reported_with_its_path(monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr("pathlib.Path.is_file", lambda path: False)
    with pytest.raises(worker_process.WorkerError, match="there is no .*worker_binary"):
        worker_process.find_binary()


def test_without_a_network_of_its_own_it_does_not_start(monkeypatch, tmp_path):
    marker = tmp_path / "started"
    binary = program(tmp_path, f"open({str(marker)!r}, 'w')")
    forbidding = tmp_path / "forbidding.py"
    forbidding.write_text(
        "import sys; from fedlab.runtime import isolated_worker as iw\n"
        "def refuse(): raise OSError(1, iw._UNSHARE)\n"
        "iw.enter_own_network = refuse\n"
        "sys.exit(iw.main(*sys.argv[1:]))\n"
    )
    popen = subprocess.Popen
    monkeypatch.setattr(
        worker_process.subprocess,
        "Popen",
        lambda command, **options: popen([command[0], str(forbidding), *command[3:]], **options),
    )
    with pytest.raises(worker_process.WorkerError, match="(?s)was not started.*reachable_from_network"):
        start(binary, reachable_from_network=False)
    assert not marker.exists()


# --- The real one -------------------------------------------------------------------------------------


@needs_worker
@pytest.mark.slow
@pytest.mark.skipif(not can_isolate(), reason="this system allows no network namespaces")
def test_no_socket_of_the_worker_is_on_any_network_of_this_machine(in_process):
    worker = fedlab.runtime.use_local_worker(deadline_s=120)
    assert total([1, 2, 3]) == 6
    family = [worker.pid, *[child.pid for child in psutil.Process(worker.pid).children(recursive=True)]]
    here, there = listening_sockets(os.getpid()), listening_sockets(family[-1])
    assert there and not here & there  # It does listen: in a network of its own.
    assert not here & set().union(*map(open_sockets, family))
    socket_path = worker.target.removeprefix("unix:")
    assert stat.S_IMODE(os.stat(os.path.dirname(socket_path)).st_mode) == 0o700
    worker.stop()
    with pytest.raises(worker_process.WorkerError, match="has been stopped"):
        total([1])
    fedlab.runtime.use_in_process()
    assert total([1]) == 1


def listening_sockets(pid):
    """The numbers (inodes) of all listening TCP sockets in a process's network namespace."""
    found = set()
    for name in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{name}") as table:
            rows = [line.split() for line in table.readlines()[1:]]
        found |= {row[9] for row in rows if row[3] == "0A"}
    return found


def open_sockets(pid):
    """The numbers (inodes) of the sockets that a process has open."""
    links = [os.readlink(file) for file in pathlib.Path(f"/proc/{pid}/fd").iterdir()]
    return {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}


@needs_worker
@pytest.mark.slow
@pytest.mark.parametrize("ending", ["exit", "exception", "kill -9", "thread"])
def test_the_worker_ends_with_its_parent_however_that_ends(ending):
    isolate = can_isolate()
    code = f"""
import fedlab, os, psutil, signal, sys, threading, time
import tensorflow_federated as tff
def begin():
    global worker
    worker = fedlab.runtime.use_local_worker(deadline_s=120, reachable_from_network={not isolate})
thread = threading.Thread(target=begin)  # As behind a widget's button: a thread that ends.
thread.start(); thread.join(); time.sleep(0.3)
worker.check()
family = [worker.pid, *[child.pid for child in psutil.Process(worker.pid).children(recursive=True)]]
print(*family, flush=True)
ending = {ending!r}
if ending == "exception": raise RuntimeError("on purpose")
if ending == "kill -9": os.kill(os.getpid(), signal.SIGKILL)
"""
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200)
    pids = [int(pid) for pid in child.stdout.split()]
    assert len(pids) == (2 if isolate else 1), child.stderr
    wait_until_gone(pids)


def test_the_relay_passes_bytes_both_ways(tmp_path):
    if not can_isolate():
        pytest.skip("this system allows no network namespaces")
    echo = program(
        tmp_path,
        "import socket\nserver = socket.create_server(('127.0.0.1', 10000))\n"
        "peer = server.accept()[0]\n"
        "while data := peer.recv(65536): peer.sendall(data)",
    )
    path = tmp_path / "socket"
    relay = subprocess.Popen(
        [sys.executable, "-m", isolated_worker.__name__, str(os.getpid()), str(path), "10000", str(echo)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        assert exchange(path, b"x" * 300_000) == b"x" * 300_000
    finally:
        relay.kill()
        relay.wait()


def exchange(path, message, within_s=20):
    """Sends a message through a Unix socket, and reads as much back; tries until there is an answer."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(message)
            client.shutdown(socket.SHUT_WR)
            if answer := b"".join(iter(lambda: client.recv(65536), b"")):
                return answer
        time.sleep(0.1)
    return b""
