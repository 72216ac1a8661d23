"""A pytest plugin beside nbval: compares only what lasts from run to run, and measures the kernels.

`pytest -p nbval_measured --nbval` writes what it measured to the file that FEDLAB_MEASURED names, as
{"00_welcome": {"seconds": 12.3, "peak_mb": 700}}.
"""

import os
import pathlib

from nbval.plugin import IPyNbCell, IPyNbFile

import notebook_sources
from notebook_kernel import KernelMeter
from notebook_outputs import what_is_compared

MEASURED = "FEDLAB_MEASURED"

_setup, _teardown, _compare = IPyNbFile.setup, IPyNbFile.teardown, IPyNbCell.compare_outputs


def _setup_and_measure(self):
    _setup(self)
    self.meter = KernelMeter(self.kernel.km.provisioner.pid)


def _teardown_and_write(self):
    meter = self.__dict__.pop("meter", None)
    if meter is not None and os.environ.get(MEASURED):
        path = pathlib.Path(os.environ[MEASURED])
        measured = notebook_sources.read_measured(path) | {self.path.stem: meter.stop()}
        notebook_sources.write_measured(measured, path)
    _teardown(self)


def _compare_what_lasts(self, test, ref, skip_compare=None):
    return _compare(self, what_is_compared(test), what_is_compared(ref), skip_compare)


def pytest_configure(config):
    IPyNbFile.setup = _setup_and_measure
    IPyNbFile.teardown = _teardown_and_write
    IPyNbCell.compare_outputs = _compare_what_lasts
