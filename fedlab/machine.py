"""Facts about this machine, read from the operating system: no opinion."""

import contextlib
import dataclasses
import os
import pathlib
import platform
import shutil
import sys

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclasses.dataclass(frozen=True)
class Machine:
    """What a machine is; None where it does not say."""

    system: str  # "Linux", "Darwin", "Windows"
    architecture: str  # "x86_64", "arm64", ...
    python: tuple  # (3, 11, 7)
    libc: str  # "glibc 2.36"
    cpu_flags: frozenset | None
    cpus: int
    memory_mb: int | None  # of the machine, or of the container where that is less
    disk_free_mb: int

    @property
    def is_x86_64(self):
        """Whether programs for x86-64 run here."""
        return self.architecture in ("x86_64", "AMD64")


def read_machine():
    """Reads the facts about this machine."""
    return Machine(
        system=platform.system(),
        architecture=platform.machine(),
        python=tuple(sys.version_info[:3]),
        libc=" ".join(platform.libc_ver()).strip(),
        cpu_flags=read_cpu_flags(pathlib.Path("/proc/cpuinfo")),
        cpus=os.cpu_count() or 1,
        memory_mb=read_memory_mb(map(pathlib.Path, _CGROUP_LIMITS)),
        disk_free_mb=shutil.disk_usage(pathlib.Path.home()).free // 2**20,
    )


def read_cpu_flags(path):
    """The processor's flags from a file like Linux's /proc/cpuinfo; None where there is none."""
    try:
        text = path.read_text()
    except OSError:
        return None
    lines = [line for line in text.splitlines() if line.startswith("flags")]
    return frozenset(lines[0].partition(":")[2].split()) if lines else None


def read_memory_mb(limit_files):
    """Memory in MB: the machine's, or a container's limit where that is less."""
    limits = [limit for limit in map(_read_number, limit_files) if limit is not None]
    with contextlib.suppress(ImportError):  # As where an installation broke off, and the doctor is asked.
        import psutil

        limits.append(psutil.virtual_memory().total)
    return min(limits) // 2**20 if limits else None


def _read_number(path):
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # No such file; or "max", which is no limit.
        return None
