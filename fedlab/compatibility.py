"""Lets `import tensorflow_federated` work on current Python and TensorFlow.

TFF 0.87.0 was built for Python 3.11, TensorFlow 2.14 and jax 0.4.14. Its code runs on today's
versions once four things hold, and this module sees to them:

- `tf.keras` is tf_keras (Keras 2): `TF_USE_LEGACY_KERAS=1` before TensorFlow is imported;
- `jax` and `vizier`, which only `tff.jax` and `train_model_with_vizier` use, are stood in for while
  TFF is being imported, and only then;
- the `__init__` of `tensorflow_privacy` (estimators that TensorFlow no longer has) and of
  `tensorflow_model_optimization` (`distutils`, gone from Python) does not run: TFF needs
  `privacy.dp_query` and `tensor_encoding` alone;
- in a notebook, nest_asyncio lets TFF start its event loop inside Jupyter's.

Nothing here imports TensorFlow or TFF: a finder on `sys.meta_path` waits until the learner does.
"""

import functools
import importlib
import importlib.machinery
import logging
import os
import sys
import warnings

from fedlab import keras_classes, stand_ins

TFF = "tensorflow_federated"
TFF_VERSION = "0.87.0"

# Where `tensorflow_privacy.X` lives, for the names that its own __init__ would have gathered.
_PRIVACY_MODULES = (
    "discrete_gaussian_query",
    "distributed_discrete_gaussian_query",
    "distributed_skellam_query",
    "dp_query",
    "gaussian_query",
    "nested_query",
    "no_privacy_query",
    "normalized_query",
    "quantile_adaptive_clip_sum_query",
    "quantile_adaptive_clip_tree_query",
    "quantile_estimator_query",
    "restart_query",
    "tree_aggregation",
    "tree_aggregation_query",
    "tree_range_query",
)

_TRUE = ("1", "true", "True")


# --- Keras ------------------------------------------------------------------------------------


def prepare_environment():
    """Asks for tf_keras and for quiet logs; must run before TensorFlow is imported.

    Raises:
      ImportError: TensorFlow is imported already, with Keras 3.
    """
    if "tensorflow" in sys.modules:
        _check_keras(sys.modules["tensorflow"])
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # "The name tf.losses... is deprecated": tf_keras's own business, at every import.
    logger = logging.getLogger("tensorflow")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.ERROR)
    logger.addFilter(is_for_the_learner)  # Adding it twice adds it once.


def is_for_the_learner(record):
    """Whether a record of TensorFlow's log says something to a learner.

    TFF's secure sums leave assertions behind that nothing in their graph uses, and TensorFlow writes a page
    about each, from which nobody can tell whose it is.
    """
    message = record.getMessage()
    return not ("Object was never used" in message and "/Assert/" in message)


def _check_keras(tensorflow):
    asked_for = os.environ.get("TF_USE_LEGACY_KERAS") in _TRUE
    # Read without touching tf.keras, which a first touch would load.
    keras = vars(tensorflow).get("keras")
    keras = vars(keras) if keras is not None else {}
    is_keras_3 = keras.get("_tfll_keras_version") == "keras_3" or keras.get("__name__", "").startswith(
        "keras."
    )
    if not asked_for or is_keras_3:
        raise ImportError(
            "TensorFlow was imported before fedlab and runs with Keras 3, which TensorFlow Federated "
            "cannot use. Restart the kernel (Kernel > Restart, in Colab Runtime > Restart session), "
            "then run `import fedlab` before anything that imports TensorFlow."
        )


# --- Loaders ------------------------------------------------------------------------------------


class _TFFLoader:
    """Runs TFF's own loader among stand-ins, then hands TFF to fedlab's runtime."""

    def __init__(self, loader):
        self._loader = loader

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        prepare_environment()
        with warnings.catch_warnings():
            # Deprecations inside TFF's and protobuf's code are not the learner's to mend.
            warnings.simplefilter("ignore")
            # Before the stand-ins, so that none of these ever sees them.
            for name in ("tensorflow", "scipy.stats", "dp_accounting", *_BARE_PACKAGES):
                importlib.import_module(name)
            with stand_ins.standing_in(*stand_ins.FOR_TFF):
                self._loader.exec_module(module)
        stand_ins.replace_stood_in_parts(module)
        keras_classes.restore_after_tff_graphs()
        allow_nested_event_loops()
        _arm_runtime()

    def __getattr__(self, name):
        return getattr(self._loader, name)


class _AfterImportLoader:
    """Loads a module of TFF as ever, then does something with it before TFF's import goes on."""

    def __init__(self, loader, then):
        self._loader, self._then = loader, then

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._loader.exec_module(module)
        self._then(module)

    def __getattr__(self, name):
        return getattr(self._loader, name)


def _keep_names(module):
    """Early, so that the functions inside TFF's own aggregators have names in traces and errors too."""
    from fedlab import runtime

    runtime.remember_names()


def _do_without_worker(module):
    """TFF ends its import by making its C++ worker the default, and fails where that program is missing."""
    set_context = module.set_sync_local_cpp_execution_context

    @functools.wraps(set_context)
    def set_context_once_imported(*arguments, **options):
        if not sys.modules[TFF].__spec__._initializing:
            set_context(*arguments, **options)

    module.set_sync_local_cpp_execution_context = set_context_once_imported


_AFTER_IMPORT = {
    f"{TFF}.python.core.environments.tensorflow_frontend.tensorflow_computation": _keep_names,
    f"{TFF}.python.core.backends.native.execution_contexts": _do_without_worker,
}


class _BarePackageLoader:
    """Makes a package importable without running its __init__."""

    def __init__(self, fill):
        self._fill = fill

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        self._fill(module)


def _fill_privacy(module):
    """Gathers the differential-privacy queries, as the package's own __init__ does."""
    with warnings.catch_warnings(), stand_ins.standing_in(*stand_ins.FOR_PRIVACY):
        warnings.simplefilter("ignore")
        for name in _PRIVACY_MODULES:
            query_module = importlib.import_module(f"{module.__name__}.privacy.dp_query.{name}")
            vars(module)[name] = query_module
            for attribute, value in vars(query_module).items():
                defined_there = getattr(value, "__module__", None) == query_module.__name__
                if isinstance(value, type) and defined_there and not attribute.startswith("_"):
                    vars(module)[attribute] = value
    module.__getattr__ = _explain_bare_package(
        module.__name__, "its privacy.dp_query package", "its Keras optimizers and estimators"
    )


def _fill_model_optimization(module):
    module.__getattr__ = _explain_bare_package(
        module.__name__, "the tensor encodings that TFF uses", "pruning, clustering and quantization"
    )


def _explain_bare_package(package, kept, left_out):
    def missing(name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(
            f"{package}.{name} is not available: beside TFF, fedlab imports of {package} only {kept}. "
            f"The rest ({left_out}) asks for TensorFlow versions that no current Python has."
        )

    return missing


_BARE_PACKAGES = {
    "tensorflow_privacy": _fill_privacy,
    "tensorflow_model_optimization": _fill_model_optimization,
}


class _Finder:
    """Finds TFF, two modules inside it and its two companions, and wraps their loaders."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname != TFF and fullname not in _BARE_PACKAGES and fullname not in _AFTER_IMPORT:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or spec.loader is None:
            return None
        if fullname == TFF:
            spec.loader = _TFFLoader(spec.loader)
        elif fullname in _AFTER_IMPORT:
            spec.loader = _AfterImportLoader(spec.loader, _AFTER_IMPORT[fullname])
        else:
            spec.loader = _BarePackageLoader(_BARE_PACKAGES[fullname])
        return spec


def install():
    """Prepares the environment and puts the finder in place, once; `import fedlab` calls this.

    Raises:
      ImportError: TensorFlow is imported already with Keras 3, or TFF was imported without fedlab.
    """
    prepare_environment()
    if any(type(finder).__name__ == _Finder.__name__ for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, _Finder())
    if TFF in sys.modules:
        _arm_runtime()


# --- After TFF's import -------------------------------------------------------------------------


def allow_nested_event_loops():
    """Applies nest_asyncio where an event loop already runs, as in every notebook cell."""
    if not in_notebook():
        return
    import nest_asyncio

    nest_asyncio.apply()


def in_notebook():
    """Whether this process is a notebook's kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


def _arm_runtime():
    from fedlab import runtime

    runtime.use_in_process()
