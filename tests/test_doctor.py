"""The doctor: each thing that can be wrong is made to happen, and its way out is read."""

import dataclasses
import importlib.metadata
import pathlib
import re
import signal
import stat
import subprocess
import sys
import time

import pytest

import fedlab
from fedlab import doctor, machine

ROOT = pathlib.Path(__file__).parent.parent
HEALTHY = machine.Machine(
    system="Linux",
    architecture="x86_64",
    python=(3, 12, 1),
    libc="glibc 2.36",
    cpu_flags=frozenset(["avx", "avx2"]),
    cpus=2,
    memory_mb=8_000,
    disk_free_mb=10_000,
)


def findings_about(**facts):
    """What the doctor finds that is not well with an otherwise healthy machine."""
    changed = dataclasses.replace(HEALTHY, **facts)
    return [found for found in (check(changed) for check in doctor.ON_FACTS) if found.status != "ok"]


def test_a_healthy_machine_has_nothing_to_mend():
    assert findings_about() == []


@pytest.mark.parametrize(
    "facts, status, found, way_out",
    [
        (
            dict(system="Darwin", architecture="arm64", libc="", cpu_flags=None),
            "warning",
            "Darwin on arm64",
            "docs/install.md",
        ),
        (dict(system="Windows", architecture="AMD64", libc=""), "warning", "Windows on AMD64", "install.md"),
        (dict(architecture="aarch64", cpu_flags=None), "warning", "Linux on aarch64", "docs/install.md"),
        (
            dict(system="Darwin", libc="", cpu_flags=None),
            "failure",
            "Darwin on x86_64",
            "TensorFlow 2.20 is not published for it: use Colab or Binder.",
        ),
        (dict(python=(3, 9, 2)), "failure", "3.9.2", "3.11, 3.12 or 3.13"),
        (dict(python=(3, 14, 0)), "failure", "3.14.0", "3.11, 3.12 or 3.13"),
        (dict(libc="glibc 2.27"), "failure", "glibc 2.27", "glibc 2.28 or newer"),
        (dict(libc=""), "failure", "not glibc", "not Alpine"),
        (dict(cpu_flags=frozenset(["sse2"])), "failure", "2 CPUs without AVX", "Illegal instruction"),
        (dict(memory_mb=900), "failure", "900 MB", "1,600 MB"),
        (dict(memory_mb=None), "warning", "unknown", "1,600 MB"),
        (dict(disk_free_mb=20), "warning", "20 MB free", "FEDLAB_CACHE"),
    ],
)
def test_what_is_wrong_with_a_machine_is_said_with_a_way_out(facts, status, found, way_out):
    (finding,) = findings_about(**facts)
    assert finding.status == status
    assert found in finding.found
    assert way_out in finding.way_out


# --- Versions -----------------------------------------------------------------------------------------


def test_versions_are_as_wanted_here():
    assert doctor.check_versions().status == "ok"


def test_wrong_and_missing_packages_are_named(monkeypatch):
    wanted = ["numpy>=99", "no-such-package~=1.0", "requests>=2", "winonly; sys_platform == 'win32'"]
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: wanted)
    finding = doctor.check_versions()
    assert finding.status == "failure"
    assert "numpy" in finding.found and "is not >=99" in finding.found
    assert "no-such-package is missing (wanted ~=1.0)" in finding.found
    assert "requests" not in finding.found and "winonly" not in finding.found
    assert "make setup" in finding.way_out and "docs/install.md" in finding.way_out


@pytest.mark.parametrize(("environ", "status"), [({}, "failure"), ({"COLAB_RELEASE_TAG": "1"}, "ok")])
def test_only_colab_does_without_jupyterlab(monkeypatch, environ, status):
    monkeypatch.delenv("COLAB_RELEASE_TAG", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: ["jupyterlab~=4.4"])
    monkeypatch.setattr(doctor, "_version_of", lambda name: None)
    assert doctor.check_versions().status == status


def test_a_fedlab_that_was_not_installed_is_noted():
    finding = doctor.check_versions("no-such-package")
    assert finding.status == "warning"
    assert "make setup" in finding.way_out


def test_data_and_weights_are_here_and_what_is_missing_is_named(tmp_path):
    assert doctor.check_files().status == "ok"
    for name in doctor.SHIPPED[:2]:
        (tmp_path / name).mkdir(parents=True)
    finding = doctor.check_files(tmp_path)
    assert finding.status == "failure"
    assert finding.found == f"missing in {tmp_path}: models/pocket/dickens_small.safetensors"
    assert "anew" in finding.way_out


# --- TFF's worker -------------------------------------------------------------------------------------


def program(tmp_path, text):
    """An executable that stands where TFF's worker would."""
    path = tmp_path / "worker_binary"
    path.write_text(f"#!{sys.executable}\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_a_worker_that_is_missing_is_noted(tmp_path):
    finding = doctor.check_worker(2, tmp_path / "missing")
    assert finding.status == "warning"
    assert "not" in finding.found
    assert "Not needed" in finding.way_out


def outcome_of(tmp_path, text, deadline_s):
    started = time.monotonic()
    finding = doctor.check_worker(deadline_s, program(tmp_path, text))
    assert time.monotonic() - started < 100  # What hangs does so for 600.
    assert finding.status == "warning"
    return finding.found


def test_a_worker_that_hangs_is_given_up_in_time(tmp_path):
    found = outcome_of(tmp_path, "import time; time.sleep(600)", 1)
    assert found.startswith(("TFF's worker did not answer within 1 s", "TFF's worker listens on every"))


def test_a_worker_that_talks_rubbish_is_given_up_in_time(tmp_path):
    rubbish = (
        "import socket\nserver = socket.create_server(('127.0.0.1', 10000))\n"
        "while True: server.accept()[0].sendall(b'rubbish' * 1000)"
    )
    found = outcome_of(tmp_path, rubbish, 2)
    assert found.startswith(("TFF's worker did not answer within 2 s", "TFF's worker listens on every"))


def test_a_worker_for_another_processor_is_understood(tmp_path):
    text = f"import os; os.kill(os.getpid(), {int(signal.SIGILL)})"
    found = outcome_of(tmp_path, text, 10)
    assert found.startswith(("TFF's worker needs a processor with AVX", "TFF's worker listens on every"))


# --- TensorFlow and TFF -------------------------------------------------------------------------------


def what_is_wrong(program, deadline_s=60):
    started = time.monotonic()
    (finding,) = doctor.check_computations(deadline_s, program)
    assert time.monotonic() - started < 100  # What hangs does so for 600.
    return finding


def test_a_processor_without_tensorflows_instructions_is_understood():
    finding = what_is_wrong(f"import os; os.kill(os.getpid(), {int(signal.SIGILL)})")
    assert finding.status == "failure"
    assert finding.found == "TensorFlow met an instruction that this processor does not have"
    assert "Colab" in finding.way_out


def test_an_import_that_is_killed_wanted_memory():
    finding = what_is_wrong("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert finding.status == "failure"
    assert "want of memory" in finding.found
    assert "Close other programs" in finding.way_out


def test_an_import_that_hangs_is_given_up_in_time():
    finding = what_is_wrong("import time; time.sleep(600)", deadline_s=1)
    assert finding.status == "warning"
    assert finding.found == "not done after 1 s"
    assert "ask again" in finding.way_out


@pytest.mark.parametrize("rubbish", ["", "print('rubbish')", "print('[1, 2, 3]')"])
def test_a_computation_that_talks_rubbish_has_failed(rubbish):
    finding = what_is_wrong(rubbish)
    assert finding.status == "failure"
    assert "exit code 0" in finding.found
    assert "issue" in finding.way_out


def test_an_import_that_fails_says_so_and_a_missing_package_how_to_get_it():
    finding = what_is_wrong("raise ImportError('half a wheel')")
    assert finding.found == "ImportError: half a wheel (exit code 1)"
    assert "issue" in finding.way_out
    finding = what_is_wrong("import no_such_package")
    assert finding.found == "ModuleNotFoundError: No module named 'no_such_package' (exit code 1)"
    assert "docs/install.md" in finding.way_out


def test_tff_is_imported_and_asked_in_a_process_of_its_own(monkeypatch):
    monkeypatch.delitem(sys.modules, "tensorflow_federated", raising=False)
    imported, said = doctor.check_computations(deadline_s=120)
    assert (imported.status, said.status) == ("ok", "ok")
    assert imported.found.startswith("TFF 0.87.0 with TensorFlow 2.20")
    assert imported.found.endswith("tf.keras is tf_keras")
    assert said.found == "TFF says Hello, World! without its worker"
    assert "tensorflow_federated" not in sys.modules


def test_a_process_that_has_tff_already_is_asked_itself(monkeypatch):
    import tensorflow_federated  # noqa: F401

    imported, said = doctor.check_computations(deadline_s=0)
    assert (imported.status, said.status) == ("ok", "ok")
    assert "Hello, World!" in said.found
    monkeypatch.setattr(doctor, "_say_hello", lambda: 1 / 0)
    (failed,) = doctor.check_computations(deadline_s=0)
    assert (failed.status, failed.found) == ("failure", "division by zero")
    assert "Restart the kernel" in failed.way_out


def test_a_kernel_that_imported_tensorflow_first_is_to_be_restarted():
    # `import fedlab` refuses a TensorFlow that came first; here the setting is lost afterwards.
    code = (
        "import os, sys, types, fedlab; os.environ.pop('TF_USE_LEGACY_KERAS')\n"
        "sys.modules['tensorflow'] = types.ModuleType('tensorflow')\n"
        "print(fedlab.doctor.check_import_order())"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ended.stdout.startswith("FAIL  import order: TensorFlow was imported before fedlab"), ended.stderr
    assert "Restart the kernel" in ended.stdout
    assert doctor.check_import_order().status == "ok"


# --- Widgets, network ---------------------------------------------------------------------------------


@pytest.mark.parametrize("half", ["ipywidgets", "jupyterlab-widgets"])
def test_missing_widgets_are_noted(monkeypatch, half):
    version_of = doctor._version_of
    monkeypatch.setattr(doctor, "_version_of", lambda name: None if name == half else version_of(name))
    finding = doctor.check_widgets()
    assert finding.status == "warning"
    assert finding.found == f"{half} is missing"
    assert f"pip install {half}" in finding.way_out


def test_both_halves_of_the_widgets_are_there_and_on_colab_its_page_has_one(monkeypatch):
    assert "jupyterlab-widgets 3" in doctor.check_widgets().found
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    finding = doctor.check_widgets()
    assert finding.status == "ok"
    assert "jupyterlab-widgets" not in finding.found


def test_a_mirror_that_has_the_data_is_reached(mirror):
    (mirror.folder / "shakespeare.sqlite.lzma").write_bytes(b"x")
    finding = doctor.check_network()
    assert finding.status == "ok"
    assert "mirror http://127.0.0.1" in finding.found


def test_a_mirror_without_the_data_is_noted_with_its_answer(mirror):
    finding = doctor.check_network()
    assert finding.status == "warning"
    assert "404" in finding.found
    assert "offline" in finding.way_out


def test_a_mirror_that_is_not_there_is_noted(monkeypatch):
    monkeypatch.setenv("FEDLAB_MIRROR", "http://127.0.0.1:9/")
    finding = doctor.check_network()
    assert finding.status == "warning"
    assert "cannot be reached" in finding.found


# --- The whole ----------------------------------------------------------------------------------------


def test_the_report_can_be_pasted_and_says_what_fails():
    findings = (
        doctor.Finding("Python", "ok", "3.12.1"),
        doctor.Finding("memory", "failure", "900 MB", "Close other programs."),
    )
    diagnosis = doctor.Diagnosis(findings, 1.6)
    assert str(diagnosis).splitlines() == [
        "ok    Python: 3.12.1",
        "FAIL  memory: 900 MB",
        "      -> Close other programs.",
        "",
        "This machine cannot run fedlab as it is: see the 1 marked FAIL. (Looked for 2 s.)",
    ]
    assert not diagnosis.can_run


def test_the_doctor_gives_itself_ten_seconds_and_keeps_to_it_even_if_all_hangs(monkeypatch):
    assert doctor._COMPUTATION_S < doctor.BUDGET_S < 10
    monkeypatch.setattr(doctor, "check_network", lambda: time.sleep(6))
    monkeypatch.setattr(doctor, "check_versions", lambda: doctor.Finding("packages", "ok", ""))
    monkeypatch.delitem(sys.modules, "tensorflow_federated", raising=False)
    monkeypatch.setattr(doctor, "_HELLO", "import time; time.sleep(600)")
    started = time.monotonic()
    diagnosis = doctor.doctor(HEALTHY)
    assert time.monotonic() - started < 100  # What hangs does so for 600.
    assert "import" in [finding.subject for finding in diagnosis.findings if finding is not None]


def test_an_installation_that_broke_off_is_reported_not_raised(tmp_path):
    # A Python with nothing but the standard library, and fedlab's own files.
    ended = subprocess.run(
        [sys._base_executable, "-I", "-S", "-c", BROKEN_OFF, str(ROOT)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "FAIL  import: ModuleNotFoundError: No module named 'tensorflow' (exit code 1)" in ended.stdout
    assert "docs/install.md" in ended.stdout
    assert ended.stderr == ""
    assert ended.returncode == 1


BROKEN_OFF = (
    "import sys; sys.path.insert(0, sys.argv.pop()); from fedlab import cli; sys.exit(cli.main(['doctor']))"
)


def test_with_a_failure_tensorflow_is_not_tried():
    diagnosis = doctor.doctor(dataclasses.replace(HEALTHY, cpu_flags=frozenset(["sse2"])))
    assert "import" not in [finding.subject for finding in diagnosis.findings]
    assert not diagnosis.can_run


def test_the_doctor_is_called_by_its_own_name_and_by_its_modules():
    code = (
        "import fedlab; print(callable(fedlab.doctor)); import fedlab.doctor; print(callable(fedlab.doctor))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ended.stdout.split() == ["True", "True"]
    assert fedlab.doctor is doctor


def test_the_command_reports_and_its_exit_code_says_whether_it_can_run():
    ended = subprocess.run(
        [sys.executable, "-m", "fedlab.cli", "doctor"], capture_output=True, text=True, timeout=120
    )
    assert re.search(r"import: TFF 0.87.0 with TensorFlow 2.20|import: not done after", ended.stdout)
    assert re.search(r"Looked for \d+ s", ended.stdout)
    assert "This machine can run fedlab." in ended.stdout
    assert ended.returncode == 0
