"""TFF's C++ worker as a child that starts in time, says why it cannot, and never outlives its parent."""

import atexit
import concurrent.futures
import importlib.util
import os
import pathlib
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from fedlab.runtime import isolated_worker

_PORT_INSIDE = 10000  # In a network of its own any port is free.
_LOG_LINES = 8


class WorkerError(RuntimeError):
    """TFF's worker did not start, or ended."""


_WAY_OUT = " Computations run in this process without it: fedlab.runtime.use_in_process()."


def find_binary():
    """Path of the worker that TFF's package contains.

    Raises:
      WorkerError: this platform has none.
    """
    system, machine = platform.system(), platform.machine()
    if system != "Linux" or machine not in ("x86_64", "AMD64"):
        raise WorkerError(
            f"TFF's worker is a program for Linux on x86-64; this is {system} on {machine}." + _WAY_OUT
        )
    package = pathlib.Path(importlib.util.find_spec("tensorflow_federated").origin).parent
    path = package / "data" / "worker_binary"
    if not path.is_file():
        raise WorkerError(f"TFF's worker is missing: there is no {path}." + _WAY_OUT)
    return path


class WorkerProcess:
    """A running worker.

    Attributes:
      target: where gRPC finds it.
      log: path of the file that its output goes to.
    """

    def __init__(self, binary, *, deadline_s, reachable_from_network, options=()):
        """Starts the worker and waits until it answers; see `fedlab.runtime.use_local_worker`."""
        self._directory = pathlib.Path(tempfile.mkdtemp(prefix="fedlab-worker-"))  # Only this user may enter.
        self.log = self._directory / "worker.log"
        self._isolated = not reachable_from_network
        self._stopped = False
        port = _PORT_INSIDE if self._isolated else _free_port()
        command = [str(binary), f"--port={port}", *options]
        if self._isolated:
            path = str(self._directory / "socket")
            self.target = f"unix:{path}"
        else:
            path = "-"
            self.target = f"127.0.0.1:{port}"
        launcher = [sys.executable, "-m", isolated_worker.__name__, str(os.getpid()), path, str(port)]
        self._process = _start_in_thread_of_its_own([*launcher, *command], self.log)
        atexit.register(self.stop)
        try:
            self._wait_until_it_answers(deadline_s)
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self):
        """Process id of the child."""
        return self._process.pid

    def check(self):
        """Raises WorkerError if the worker has ended."""
        if self._stopped:
            raise WorkerError("TFF's worker has been stopped; use_local_worker() starts another." + _WAY_OUT)
        status = self._process.poll()
        if status is not None:
            raise WorkerError(self._why_it_ended(status))

    def stop(self):
        """Ends the worker and removes its log; does nothing the second time."""
        self._stopped = True
        atexit.unregister(self.stop)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _wait_until_it_answers(self, deadline_s):
        import grpc

        end = time.monotonic() + deadline_s
        with grpc.insecure_channel(self.target, [("grpc.enable_http_proxy", 0)]) as channel:
            ready = grpc.channel_ready_future(channel)
            while not _is_ready(ready):
                self.check()
                if time.monotonic() > end:
                    raise WorkerError(
                        f"TFF's worker did not answer within {deadline_s} s. The end of its log:\n"
                        f"{self._log_end()}\nOn a slow machine give it longer: "
                        f"use_local_worker(deadline_s={2 * deadline_s})." + _WAY_OUT
                    )

    def _why_it_ended(self, status):
        status = status if status >= 0 or not self._isolated else 128 - status
        if self._isolated and status == isolated_worker.CANNOT_ISOLATE:
            return (
                "TFF's worker listens on every network interface, and this system does not let fedlab give "
                "it a network of its own, so it was not started. Read the documentation of "
                "reachable_from_network before you set it." + _WAY_OUT
            )
        if status == isolated_worker.CANNOT_START:
            return f"TFF's worker could not be started: {self._log_end()}." + _WAY_OUT
        died_of = status - 128 if self._isolated else -status
        if died_of == signal.SIGILL:
            return (
                "TFF's worker needs a processor with AVX, and this one has none (illegal instruction)."
                + _WAY_OUT
            )
        if died_of == signal.SIGKILL:
            return "TFF's worker was killed, most likely for want of memory." + _WAY_OUT
        return f"TFF's worker ended with status {status}. The end of its log:\n{self._log_end()}\n" + _WAY_OUT

    def _log_end(self):
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_LOG_LINES:]) or "(empty)"


def _is_ready(ready):
    import grpc

    try:
        ready.result(timeout=0.1)
    except grpc.FutureTimeoutError:
        return False
    return True


def _free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def _start_in_thread_of_its_own(command, log):
    """Starts a process that the kernel kills when this process ends, even by kill -9.

    Linux ties that promise to the thread that starts the child, so the thread waits for it: one that
    ends early, like the one behind a widget's button, would take the worker with it.
    """
    process = concurrent.futures.Future()

    def start_and_wait():
        with log.open("wb") as output:
            try:
                # Without a preexec_fn: that would make Python fork, and gRPC's threads do not survive it.
                child = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                    start_new_session=True,  # Ctrl-C in the terminal is for us.
                )
            except BaseException as error:
                process.set_exception(error)
                return
        process.set_result(child)
        child.wait()

    threading.Thread(target=start_and_wait, name="fedlab-worker", daemon=True).start()
    return process.result()
