"""Where TFF computations run: in this process, on TFF's workers, or on remote ones.

Nothing here imports TensorFlow or TFF until it is used.
"""

import importlib

# Names of this package, and the modules that they wait in.
_HOMES = {
    "AsyncInProcessContext": "in_process",
    "InProcessContext": "in_process",
    "ComputationError": "errors",
    "Event": "events",
    "listen": "events",
    "listening": "events",
}


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__():
    return sorted([*globals(), *_HOMES])


def use_in_process(*, clients_at_a_time=None, default_num_clients=0):
    """Runs TFF computations in this process from now on; `import fedlab` arranges for this.

    Args:
      clients_at_a_time: how many clients of a cohort may run side by side; None is one for each CPU.
        Results do not depend on it; memory does.
      default_num_clients: how many clients there are where a computation's arguments do not say.
    """
    from fedlab.runtime import in_process

    in_process.set_default(in_process.InProcessContext(clients_at_a_time, default_num_clients))
