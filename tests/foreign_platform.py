"""Makes this machine another one, as far as fedlab and TFF look: imported when Python starts.

FOREIGN_PLATFORM names it, such as "Windows AMD64". The Unix modules that Windows lacks are then missing for
fedlab and TFF on every foreign platform; everyone else still sees the machine as it is.
"""

import builtins
import os
import platform
import sys

_DECEIVED = ("fedlab", "tensorflow_federated", "__main__")
_UNIX_MODULES = ("fcntl", "grp", "posix", "pwd", "resource", "termios")


def _asked_by(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0] in _DECEIVED


def _answering(answer, otherwise):
    return lambda: answer if _asked_by(sys._getframe(1)) else otherwise()


def _import(name, *arguments, _original=builtins.__import__, **options):
    if name in _UNIX_MODULES and _asked_by(sys._getframe(1)):
        raise ModuleNotFoundError(f"No module named {name!r}")
    return _original(name, *arguments, **options)


_system, _machine = os.environ["FOREIGN_PLATFORM"].split()
platform.system = _answering(_system, platform.system)
platform.machine = _answering(_machine, platform.machine)
builtins.__import__ = _import
