"""Can this machine run fedlab, and if not, why? `fedlab doctor`, or `fedlab.doctor()` in a notebook.

Every finding says what was looked at, what was found, and where that is not good enough, the way out.
The report is plain text that can be pasted into an issue.
"""

import concurrent.futures
import dataclasses
import importlib.metadata
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import types

from fedlab import compatibility, downloads, machine

BUDGET_S = 9  # For all but starting and ending: under ten seconds, whatever hangs.
_COMPUTATION_S = 8
_NETWORK_TIMEOUT_S = 3

PYTHON_FROM, PYTHON_BELOW = (3, 11), (3, 14)
MEMORY_MB = 1_600  # What the largest notebook takes.
DISK_MB = 500  # For downloads and results; the installation itself is there already.
GLIBC_FROM = (2, 28)  # What the locked wheels ask for; a test compares.
# Where there is a TensorFlow, and TFF is installed without its worker.
_INSTALLABLE = (("Linux", "aarch64"), ("Darwin", "arm64"), ("Windows", "AMD64"))

_PACKAGE = "fedlab-notebooks"
_DATA_HOST = "https://storage.googleapis.com/tff-datasets-public/shakespeare.sqlite.lzma"
_MARKS = {"ok": "ok  ", "warning": "note", "failure": "FAIL"}


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    status: str  # "ok"; "warning": something is missing that the course can do without; "failure"
    found: str
    way_out: str = ""

    def __str__(self):
        """One line, and a second with the way out."""
        line = f"{_MARKS[self.status]}  {self.subject}: {self.found}"
        return f"{line}\n      -> {self.way_out}" if self.way_out else line


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """All findings; prints as a report."""

    findings: tuple
    seconds: float

    @property
    def can_run(self):
        """Whether the course runs here."""
        return all(finding.status != "failure" for finding in self.findings)

    def __str__(self):
        """The report."""
        failures = sum(finding.status == "failure" for finding in self.findings)
        verdict = (
            "This machine can run fedlab."
            if self.can_run
            else f"This machine cannot run fedlab as it is: see the {failures} marked FAIL."
        )
        return "\n".join([*map(str, self.findings), "", f"{verdict} (Looked for {self.seconds:.0f} s.)"])

    __repr__ = __str__


def doctor(facts=None):
    """Looks at everything that the course needs, and says what it finds.

    Args:
      facts: the machine.Machine to judge; default this one.

    Returns:
      Diagnosis; printing it shows the report.
    """
    started = time.monotonic()
    facts = facts or machine.read_machine()
    findings = [check(facts) for check in ON_FACTS]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        network = pool.submit(_shielded, "downloads", check_network)
        findings += [_shielded("packages", check_versions), check_files(), check_import_order()]
        # No need to try what cannot succeed.
        if all(finding.status != "failure" for finding in findings):
            findings += check_computations(_COMPUTATION_S)
        if findings[-1].subject == "computation":
            remaining_s = max(1, round(started + BUDGET_S - time.monotonic()))
            findings.append(_shielded("TFF's worker", check_worker, remaining_s))
        findings += [check_widgets(), network.result()]
    return Diagnosis(tuple(findings), time.monotonic() - started)


def _shielded(subject, check, *arguments):
    """A check's finding, also where a package that the check itself needs is missing."""
    try:
        return check(*arguments)
    except ImportError as error:
        return Finding(subject, "failure", _first_line(error), _INSTALL)


_INSTALL = "make setup, or the commands in docs/install.md, install what uv.lock says."


# --- Facts about the machine ------------------------------------------------------------------------


def check_platform(facts):
    """The operating system and the architecture."""
    found = f"{facts.system} on {facts.architecture}"
    if facts.system == "Linux" and facts.is_x86_64:
        return Finding("platform", "ok", found)
    if (facts.system, facts.architecture) in _INSTALLABLE:
        return Finding(
            "platform",
            "warning",
            found,
            "fedlab is tested on Linux on x86-64, and installs here as docs/install.md says. TFF's own "
            "worker cannot run here; computations run in this process, as everywhere.",
        )
    return Finding(
        "platform", "failure", found, "TensorFlow 2.20 is not published for it: use Colab or Binder."
    )


def check_python(facts):
    """Python's version."""
    found = ".".join(map(str, facts.python))
    if PYTHON_FROM <= facts.python[:2] < PYTHON_BELOW:
        return Finding("Python", "ok", found)
    return Finding(
        "Python", "failure", found, "Use Python 3.11, 3.12 or 3.13: make lab PYTHON=python3.13 rebuilds."
    )


def check_libc(facts):
    """The C library that TensorFlow's programs ask for."""
    if facts.system != "Linux":
        return Finding("C library", "ok", facts.libc or "not Linux")
    name, _, version = facts.libc.partition(" ")
    parts = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if name == "glibc" and parts >= GLIBC_FROM:
        return Finding("C library", "ok", facts.libc)
    needed = ".".join(map(str, GLIBC_FROM))
    return Finding(
        "C library",
        "failure",
        facts.libc or "not glibc",
        f"TensorFlow needs glibc {needed} or newer: use a distribution of 2018 or later (not Alpine).",
    )


def check_cpu(facts):
    """The processor: TensorFlow for x86-64 is built with AVX."""
    if facts.cpu_flags is None or not facts.is_x86_64:
        return Finding("processor", "ok", f"{facts.cpus} CPUs")
    if "avx" in facts.cpu_flags:
        best = next(flag for flag in ("avx512f", "avx2", "avx") if flag in facts.cpu_flags)
        return Finding("processor", "ok", f"{facts.cpus} CPUs with {best.upper()}")
    return Finding(
        "processor",
        "failure",
        f"{facts.cpus} CPUs without AVX",
        "TensorFlow ends with 'Illegal instruction' on it: use another machine, Colab or Binder.",
    )


def check_memory(facts):
    """Memory for the largest notebook."""
    if facts.memory_mb is None:
        return Finding("memory", "warning", "unknown", f"The course needs {MEMORY_MB:,} MB.")
    if facts.memory_mb >= MEMORY_MB:
        return Finding("memory", "ok", f"{facts.memory_mb:,} MB")
    return Finding(
        "memory",
        "failure",
        f"{facts.memory_mb:,} MB",
        f"The course needs {MEMORY_MB:,} MB: close other programs, or raise the container's limit.",
    )


def check_disk(facts):
    """Space in the home folder."""
    found = f"{facts.disk_free_mb:,} MB free at home"
    if facts.disk_free_mb >= DISK_MB:
        return Finding("disk", "ok", found)
    return Finding(
        "disk",
        "warning",
        found,
        f"Downloads want {DISK_MB} MB: delete something, or set {downloads.CACHE_VARIABLE} to another disk.",
    )


ON_FACTS = (check_platform, check_python, check_libc, check_cpu, check_memory, check_disk)


# --- What is installed ------------------------------------------------------------------------------


def check_versions(package=_PACKAGE):
    """The versions that are installed, against those that fedlab asks for."""
    try:
        wanted = importlib.metadata.requires(package) or []
    except importlib.metadata.PackageNotFoundError:
        return Finding(
            "packages", "warning", f"{package} is not installed, so wanted versions are unknown", _INSTALL
        )
    wrong = [problem for problem in map(_problem_with, wanted) if problem]
    if not wrong:
        return Finding("packages", "ok", f"all {len(wanted)} as wanted")
    return Finding("packages", "failure", "; ".join(wrong), _INSTALL)


def _problem_with(requirement):
    from packaging.requirements import Requirement

    wanted = Requirement(requirement)
    if wanted.marker is not None and not wanted.marker.evaluate():
        return ""
    version = _version_of(wanted.name)
    if version is None and wanted.name == "jupyterlab" and "COLAB_RELEASE_TAG" in os.environ:
        return ""  # Colab's page is its own.
    if version is None:
        return f"{wanted.name} is missing (wanted {wanted.specifier})"
    if wanted.specifier.contains(version, prereleases=True):
        return ""
    return f"{wanted.name} {version} is not {wanted.specifier}"


def check_files(package=pathlib.Path(__file__).parent):
    """The data and the weights that ship with fedlab, which a copy by hand may leave out."""
    missing = [name for name in SHIPPED if not (package / name).exists()]
    if not missing:
        return Finding("data and weights", "ok", "all there")
    return Finding(
        "data and weights",
        "failure",
        f"missing in {package}: {', '.join(missing)}",
        "Get fedlab anew, whole.",
    )


SHIPPED = (
    "datasets/pocket/shakespeare",
    "models/pocket/dickens.safetensors",
    "models/pocket/dickens_small.safetensors",
)


# --- What runs --------------------------------------------------------------------------------------


def check_import_order():
    """Whether TensorFlow, where this kernel has imported it, has the Keras that TFF needs."""
    try:
        compatibility.prepare_environment()
    except ImportError as error:
        way_out = "Restart the kernel; `import fedlab` comes before anything that imports TensorFlow."
        return Finding("import order", "failure", _first_line(error), way_out)
    found = "fedlab first" if "tensorflow" in sys.modules else "fedlab first, TensorFlow not imported yet"
    return Finding("import order", "ok", found)


def check_computations(deadline_s, program=None):
    """Imports TFF and runs a computation.

    Where this process has TFF already, it is asked; else a process of its own, which may crash or hang.

    Args:
      deadline_s: seconds that the other process has.
      program: what it runs; prints what `_say_hello` returns as JSON in its last line.

    Returns:
      Two findings, or the one that something is wrong.
    """
    if program is None and "tensorflow_federated" in sys.modules:
        try:
            return _two_findings(*_say_hello())
        except Exception as error:
            return [Finding("computation", "failure", _first_line(error), f"Restart the kernel. {_REPORT}")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        ended = subprocess.run(
            [sys.executable, "-c", _HELLO if program is None else program],
            env=environment,
            capture_output=True,
            timeout=deadline_s,
        )
    except subprocess.TimeoutExpired:
        return [Finding("import", "warning", f"not done after {deadline_s} s", _SLOW)]
    try:
        return _two_findings(*json.loads(ended.stdout.splitlines()[-1]))
    except (IndexError, TypeError, ValueError):
        return [_import_failure(ended)]


_HELLO = "from fedlab import doctor; import json; print(json.dumps(doctor._say_hello()))"


def _say_hello():
    """What is imported, and what a computation says."""
    import tensorflow as tf
    import tensorflow_federated as tff

    keras = tf.keras.Model.__module__.partition(".")[0]
    found = f"TFF {tff.__version__} with TensorFlow {tf.__version__}, tf.keras is {keras}"
    return found, tff.federated_computation(lambda: "Hello, World!")().decode()


def _two_findings(imported, hello):
    said = f"TFF says {hello} without its worker"
    return [Finding("import", "ok", imported), Finding("computation", "ok", said)]


_SLOW = "The first import is slow on some disks: ask again. If it stays, close other programs, or use Colab."
_REPORT = "Paste this report into an issue."
_ILLEGAL_INSTRUCTION = (-signal.SIGILL, 0xC000001D)  # On Unix, and on Windows.


def _import_failure(ended):
    """What a process that did not say hello died of."""
    if ended.returncode in _ILLEGAL_INSTRUCTION:
        found = "TensorFlow met an instruction that this processor does not have"
        return Finding("import", "failure", found, "Use another machine, Colab or Binder.")
    if ended.returncode == -9:
        found = "it was killed, most likely for want of memory"
        return Finding("import", "failure", found, "Close other programs and notebooks, then ask again.")
    lines = ended.stderr.decode(errors="replace").splitlines() or ["it said nothing"]
    found = f"{lines[-1]} (exit code {ended.returncode})"
    missing = "ModuleNotFoundError" in lines[-1]
    return Finding("import", "failure", found, _INSTALL if missing else _REPORT)


def check_worker(deadline_s, binary=None):
    """Whether TFF's own worker starts; the course does without it.

    Args:
      deadline_s: seconds that it has to answer.
      binary: the program; default the one in TFF's package.
    """
    from fedlab.runtime import worker_process

    try:
        path = binary or worker_process.find_binary()
        worker = worker_process.WorkerProcess(path, deadline_s=deadline_s, reachable_from_network=False)
    except (worker_process.WorkerError, OSError) as error:
        return Finding("TFF's worker", "warning", _first_line(error), "Not needed: see docs/runtime.md.")
    worker.stop()
    return Finding("TFF's worker", "ok", "starts, out of the network's reach")


def _first_line(error):
    lines = str(error).splitlines()
    return lines[0].removesuffix(" The end of its log:") if lines else type(error).__name__


# --- The notebook and the network -------------------------------------------------------------------


def check_widgets():
    """Whether both halves of ipywidgets are there, the kernel's and JupyterLab's; Colab brings its own."""
    halves = ["ipywidgets"] if "COLAB_RELEASE_TAG" in os.environ else ["ipywidgets", "jupyterlab-widgets"]
    missing = [half for half in halves if not _version_of(half)]
    if missing:
        way_out = f"pip install {' '.join(missing)}, where JupyterLab runs; or read tables."
        return Finding("widgets", "warning", f"{' and '.join(missing)} is missing", way_out)
    where = "in a notebook" if compatibility.in_notebook() else "not in a notebook now"
    return Finding("widgets", "ok", f"{' with '.join(f'{h} {_version_of(h)}' for h in halves)}, {where}")


def _version_of(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def check_network(address=_DATA_HOST, timeout_s=_NETWORK_TIMEOUT_S):
    """Whether the optional downloads can be reached, from the mirror where one is named."""
    import requests

    url = downloads.address_of(address)
    named = f"mirror {os.environ[downloads.MIRROR_VARIABLE]}" if url != address else "TFF's server"
    try:
        answer = requests.head(url, timeout=timeout_s, allow_redirects=True)
        answer.raise_for_status()
    except (requests.RequestException, OSError) as error:
        reason = type(error).__name__ if getattr(error, "response", None) is None else _first_line(error)
        return Finding(
            "downloads",
            "warning",
            f"{named} cannot be reached ({reason})",
            'Not needed: everything works offline, except source="tff".',
        )
    return Finding("downloads", "ok", f"{named} can be reached")


class _Callable(types.ModuleType):
    """Lets `fedlab.doctor()` work, whether the name is this module or the function."""

    def __call__(self, *arguments, **options):
        """Calls the function of the same name."""
        return doctor(*arguments, **options)


sys.modules[__name__].__class__ = _Callable
