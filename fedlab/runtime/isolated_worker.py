"""The program that starts TFF's worker: tied to its parent's life, and in a network of its own.

The worker listens on every network interface, for anyone and any TensorFlow graph, and has no setting
against that. So this program, started by `worker_process`, moves into a new Linux network namespace,
whose only interface is its own loopback, starts the worker there, and passes bytes between it and a
Unix socket in a directory that only this user can enter. With "-" for the socket it does without.

    python -m fedlab.runtime.isolated_worker <parent's process id> <socket path or -> <port> <command ...>
"""

import asyncio
import ctypes
import os
import signal
import socket
import struct
import subprocess
import sys

# Exit statuses.
CANNOT_ISOLATE = 77  # The system does not allow a new network namespace.
CANNOT_START = 76  # The command is not a program.

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG = 1
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1
_CHUNK_BYTES = 1 << 20
_UNSHARE = "a network namespace is not permitted"

# Linux's own calls are looked up when they are made: this module is imported on every platform.


def die_with_parent():
    """Has the kernel kill this process when the thread that started it ends, however it ends."""
    _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def enter_own_network():
    """Moves this process into a network namespace with nothing but a loopback interface.

    Raises:
      OSError: the system does not allow it, as in many containers.
    """
    user, group = os.getuid(), os.getgid()
    libc = _libc()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0:
        _stay_who_we_are(user, group)
    elif libc.unshare(_CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), _UNSHARE)
    _start_loopback()


def _libc():
    return ctypes.CDLL(None, use_errno=True)


def _stay_who_we_are(user, group):
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")


def _write(path, text):
    with open(path, "w") as file:
        file.write(text)


def _start_loopback():
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


async def _relay(socket_path, port, worker):
    async def connect(from_client, to_client):
        try:
            from_worker, to_worker = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            to_client.close()  # Not listening yet; gRPC tries again.
            return
        await asyncio.gather(_pump(from_client, to_worker), _pump(from_worker, to_client))
        to_worker.close()
        to_client.close()

    await asyncio.start_unix_server(connect, socket_path, limit=_CHUNK_BYTES)
    return await asyncio.to_thread(worker.wait)


async def _pump(source, sink):
    try:
        while chunk := await source.read(_CHUNK_BYTES):
            sink.write(chunk)
            await sink.drain()
        sink.write_eof()  # The other direction may still have something to say.
    except OSError:
        sink.close()  # Either end went away, which ends the conversation.


def main(parent, socket_path, port, *command):
    """Runs the worker until it ends; returns what it returned, a signal as 128 + its number."""
    die_with_parent()
    if os.getppid() != int(parent):
        return 0  # It ended before the line above.
    try:
        if socket_path == "-":
            os.execv(command[0], command)  # Keeps this process, and with it the tie to the parent.
        enter_own_network()
        die_with_parent()  # Again: Linux forgets it when a process gains rights, as in its own namespace.
        worker = subprocess.Popen(command, preexec_fn=die_with_parent)
    except OSError as error:
        print(error, file=sys.stderr)
        return CANNOT_ISOLATE if error.strerror == _UNSHARE else CANNOT_START
    status = asyncio.run(_relay(socket_path, int(port), worker))
    return 128 - status if status < 0 else status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
