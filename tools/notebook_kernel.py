"""The kernel that notebooks are built and tested with: alone, offline, on the CPU, and measured."""

import contextlib
import os
import pathlib
import tempfile
import threading
import time

import psutil

OFFLINE = pathlib.Path(__file__).parent / "offline"
SAMPLE_EVERY_S = 0.05


@contextlib.contextmanager
def kernel_environment():
    """Gives the environment for a kernel whose outputs are compared.

    No settings of the user's own IPython, no network, no GPU (sums come out in another order there),
    pictures inline, nothing said by TensorFlow's C++ side.
    """
    with tempfile.TemporaryDirectory(prefix="ipython-") as folder:
        yield os.environ | {
            "IPYTHONDIR": folder,
            # The kernel of this environment, not one that the user has under the same name.
            "JUPYTER_PREFER_ENV_PATH": "1",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "CUDA_VISIBLE_DEVICES": "-1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "PYTHONPATH": os.pathsep.join([str(OFFLINE), *_python_path()]),
        }


def _python_path():
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]


class KernelMeter:
    """Measures a kernel from now until `stop`: seconds, and the largest memory of its process tree."""

    def __init__(self, pid):
        self._process = psutil.Process(pid)
        self._started = time.monotonic()
        self._peak_bytes = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self):
        """Returns {"seconds": ..., "peak_mb": ...}, in seconds and millions of bytes resident."""
        seconds = time.monotonic() - self._started
        self._stopping.set()
        self._thread.join()
        return {"seconds": round(seconds, 1), "peak_mb": round(self._peak_bytes / 1e6)}

    def _sample(self):
        while not self._stopping.is_set():
            self._peak_bytes = max(self._peak_bytes, resident_bytes(self._process))
            self._stopping.wait(SAMPLE_EVERY_S)


def resident_bytes(process):
    """Resident memory of a process and its descendants; 0 for what has ended meanwhile."""
    memory = {}  # by process id: (process id of the parent, memory)
    with contextlib.suppress(psutil.NoSuchProcess):
        for member in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                memory[member.pid] = member.ppid(), member.memory_info()
    return sum(info.rss for parent, info in memory.values() if not _is_starting(info, memory.get(parent)))


def _is_starting(info, parent):
    """Whether a child is between vfork and exec: its parent's own memory under another number."""
    return parent is not None and info.vms == parent[1].vms
