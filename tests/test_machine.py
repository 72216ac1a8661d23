import pytest

from fedlab import machine


@pytest.fixture
def file(tmp_path):
    """Returns a function that writes a file and gives its path."""

    def write(text, name="file"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_flags_are_those_of_the_first_processor(file):
    path = file("processor\t: 0\nflags\t\t: fpu avx2\n\nprocessor\t: 1\nflags\t\t: other\n")
    assert machine.read_cpu_flags(path) == {"fpu", "avx2"}


def test_flags_are_unknown_where_the_system_does_not_tell(file, tmp_path):
    assert machine.read_cpu_flags(tmp_path / "missing") is None
    assert machine.read_cpu_flags(file("Features : fp asimd\n")) is None  # Arm calls them otherwise.


def test_a_containers_limit_counts_where_it_is_less(file, tmp_path):
    limit = file(str(512 * 2**20), "memory.max")
    assert machine.read_memory_mb([tmp_path / "missing", limit]) == 512


def test_no_limit_is_the_machines_memory(file):
    assert machine.read_memory_mb([file("max")]) == machine.read_memory_mb([])
    assert machine.read_memory_mb([]) > 500


def test_this_machine_is_read():
    here = machine.read_machine()
    assert here.python >= (3, 11)
    assert here.cpus >= 1
    assert here.disk_free_mb > 0
