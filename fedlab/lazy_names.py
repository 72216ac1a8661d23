"""Packages whose names wait in their modules until they are used, so that importing them stays cheap."""

import importlib
import sys


def lazy_names(package, homes):
    """Makes a package's `__getattr__` and `__dir__`.

    Args:
      package: its `__name__`.
      homes: {name: the module of the package that has it}.

    Returns:
      (`__getattr__`, `__dir__`), to be assigned in the package.
    """

    def get(name):
        if name not in homes:
            raise AttributeError(
                f"module {package!r} has no attribute {name!r}; it has {', '.join(sorted(homes))}"
            )
        return getattr(importlib.import_module(f"{package}.{homes[name]}"), name)

    return get, lambda: sorted([*vars(sys.modules[package]), *homes])
