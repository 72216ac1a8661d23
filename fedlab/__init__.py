"""fedlab: learn federated learning with TensorFlow Federated, in notebooks that run where you are.

`import fedlab` comes first in a notebook. It is cheap (neither TensorFlow nor TFF is imported), and
afterwards `import tensorflow_federated as tff` works as in any TFF text.
"""

import importlib

from fedlab import compatibility

__version__ = "0.1.0"

compatibility.install()

# The names that a notebook uses, and the modules that they wait in until they are used.
_HOMES = {
    "evaluate": "training",
    "generate_text": "generation",
    "load_dickens": "models.dickens",
    "load_shakespeare": "datasets",
    "make_model_fn": "training",
    "run_rounds": "training",
    "sample_clients": "training",
    "start_server": "training",
    "stream_text": "generation",
    "trace": "runtime",
}
_ROOMS = (
    "aggregators",
    "datasets",
    "doctor",
    "generation",
    "models",
    "plots",
    "runtime",
    "training",
    "vocabulary",
    "widgets",
)

__all__ = [*_HOMES, *_ROOMS]


def __getattr__(name):
    if name in _HOMES:
        return getattr(importlib.import_module(f"fedlab.{_HOMES[name]}"), name)
    if name in _ROOMS:
        return importlib.import_module(f"fedlab.{name}")
    raise AttributeError(f"module 'fedlab' has no attribute {name!r}; it has {', '.join(sorted(__all__))}")


def __dir__():
    return sorted([*globals(), *__all__])
