"""What TFF's import wants and nobody has: narrow stand-ins, seen by that import alone.

`jax` and `vizier` are placeholders: TFF's modules name their classes while they are being imported,
and only `tff.jax` and `train_model_with_vizier` would use them. The two distributions of TensorFlow
Probability and `distutils.version` are small and real, so that TFF's distributed differential
privacy and tree queries work without them.
"""

import contextlib
import sys
import types


class NotAvailableError(RuntimeError):
    """A part of TFF that fedlab stands in for was used."""


JAX_ERROR = NotAvailableError(
    "tff.jax is not available here: it needs jax 0.4.14, which no current Python installs, so fedlab "
    "imports TFF without it. Everything else in TFF works; write the computation with "
    "@tff.tensorflow.computation instead."
)
VIZIER_ERROR = NotAvailableError(
    "tff.learning.programs.train_model_with_vizier is not available here: it needs google-vizier "
    "0.1.11, which no current Python installs, so fedlab imports TFF without it. Everything else in "
    "TFF works; loop over the settings that you want to compare in Python instead."
)


class StandIn(types.ModuleType):
    """A module with a few names; every other one is missing, and the error says why."""

    def __init__(self, name, reason, **names):
        super().__init__(name)
        self.__path__ = []
        self._reason = reason
        vars(self).update(names)

    def __getattr__(self, name):
        # An AttributeError, so that other code's "is there a jax?" is answered with no.
        raise AttributeError(name if name.startswith("__") else str(self._reason))


def _placeholder(name):
    return type(name, (), {})


def _jax():
    tree_util = StandIn(
        "jax.tree_util",
        JAX_ERROR,
        register_pytree_node=lambda *unused: None,
        register_pytree_node_class=lambda cls: cls,
    )
    xla_client = StandIn(
        "jax.lib.xla_client",
        JAX_ERROR,
        XlaComputation=_placeholder("XlaComputation"),
        Shape=_placeholder("Shape"),
    )
    lib = StandIn("jax.lib", JAX_ERROR, xla_client=xla_client)
    struct = _placeholder("ShapeDtypeStruct")
    return [
        StandIn("jax", JAX_ERROR, ShapeDtypeStruct=struct, tree_util=tree_util, lib=lib),
        tree_util,
        lib,
        xla_client,
    ]


def _vizier():
    pyvizier = StandIn("vizier.pyvizier", VIZIER_ERROR, Measurement=_placeholder("Measurement"))
    client_abc = StandIn(
        "vizier.client.client_abc",
        VIZIER_ERROR,
        TrialInterface=_placeholder("TrialInterface"),
        StudyInterface=_placeholder("StudyInterface"),
    )
    client = StandIn("vizier.client", VIZIER_ERROR, client_abc=client_abc)
    vizier = StandIn("vizier", VIZIER_ERROR, pyvizier=pyvizier, client=client)
    return [vizier, pyvizier, client, client_abc]


class Geometric:
    """Failures before the first success, by inversion (Devroye 1986, chapter X.2).

    Stands in for `tensorflow_probability.distributions.Geometric`.
    """

    def __init__(self, probs):
        self._probs = probs  # float64 scalar, the chance of success

    def sample(self, shape):
        """Draws float64 whole numbers from 0 up, of the given shape."""
        import tensorflow as tf

        # uniform draws from [0, 1); 1 - u is in (0, 1], whose logarithm is finite.
        uniform = 1.0 - tf.random.uniform(shape, dtype=self._probs.dtype)
        return tf.floor(tf.math.log(uniform) / tf.math.log1p(-self._probs))


class Bernoulli:
    """One with probability `probs`, else zero: `tensorflow_probability.distributions.Bernoulli`."""

    def __init__(self, probs, dtype):
        self._probs, self._dtype = probs, dtype

    def sample(self):
        """Draws a tensor of the shape of `probs`."""
        import tensorflow as tf

        return tf.cast(
            tf.random.uniform(tf.shape(self._probs), dtype=self._probs.dtype) < self._probs, self._dtype
        )


def _probability():
    reason = "fedlab stands in for the two distributions that tensorflow_privacy's queries sample from."
    distributions = StandIn(
        "tensorflow_probability.distributions", reason, Geometric=Geometric, Bernoulli=Bernoulli
    )
    return [StandIn("tensorflow_probability", reason, distributions=distributions), distributions]


def _distutils():
    from packaging.version import Version

    reason = "distutils left Python in 3.12; fedlab stands in for distutils.version alone."
    version = StandIn("distutils.version", reason, LooseVersion=Version)
    return [StandIn("distutils", reason, version=version), version]


@contextlib.contextmanager
def standing_in(*families):
    """Shows imports inside the block the stand-ins; afterwards `import jax` means what it did before.

    Args:
      *families: functions of this module that make stand-in modules: FOR_TFF or FOR_PRIVACY.
    """
    modules = {module.__name__: module for family in families for module in family()}
    roots = {name.split(".")[0] for name in modules}
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] in roots}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in modules:
            sys.modules.pop(name, None)
        sys.modules.update(hidden)


FOR_TFF = (_jax, _vizier)
FOR_PRIVACY = (_probability, _distutils)


def replace_stood_in_parts(tff):
    """Makes calls of the parts that cannot work fail at once, with the reason."""

    def jax_computation(*unused_arguments, **unused_options):
        raise JAX_ERROR

    def train_model_with_vizier(*unused_arguments, **unused_options):
        raise VIZIER_ERROR

    tff.jax.computation = jax_computation
    tff.learning.programs.train_model_with_vizier = train_model_with_vizier
