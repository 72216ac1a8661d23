"""From a TFF computation to a program of this process, once for each computation.

TFF's own compiler does the work, without the step that this process does better: its
`desugar_and_transform_to_native` also runs TensorFlow's graph optimizer over every graph. A function
of this process is optimized anyway when it first runs, so that would be done twice; and it writes
lines to the terminal that no setting silences.
"""

import collections
import functools
import hashlib
import threading
import warnings
import weakref

from tensorflow_federated.python.core.backends.mapreduce import intrinsics as mapreduce_intrinsics
from tensorflow_federated.python.core.backends.native import compiler
from tensorflow_federated.python.core.backends.test import compiler as test_compiler
from tensorflow_federated.python.core.environments.tensorflow_backend import tensorflow_tree_transformations
from tensorflow_federated.python.core.impl.compiler import building_blocks, intrinsic_defs
from tensorflow_federated.python.core.impl.computation import computation_impl

from fedlab.runtime.interpreter import programs

MOST_PROGRAMS = 64
# Of computations that nobody has any more, but that a loop may be making anew in every pass.
MOST_UNUSED_PROGRAMS = 4

_SECURE = frozenset(
    intrinsic.uri
    for intrinsic in (
        intrinsic_defs.FEDERATED_SECURE_SUM,
        intrinsic_defs.FEDERATED_SECURE_SUM_BITWIDTH,
        intrinsic_defs.FEDERATED_SECURE_SELECT,
        mapreduce_intrinsics.FEDERATED_SECURE_MODULAR_SUM,
    )
)


class SimulatedSecurityWarning(UserWarning):
    """A secure sum or select runs without cryptography: the numbers are right, nothing is hidden."""


class Compiler:
    """Compiles computations and remembers the programs, the most recently used ones.

    A program of a recurrent model holds some 60 MB of optimized graphs, so those whose computations are
    gone go too, but for a few.

    Stands where TFF's execution contexts keep their `CompilerPipeline`. That one finds a computation by
    its serialized bytes, megabytes for a large model, in every call.
    """

    def __init__(self, most_programs=MOST_PROGRAMS):
        self._most_programs = most_programs
        self._lock = threading.Lock()
        self._digests = weakref.WeakKeyDictionary()  # Keyed by _Identity, held by the computation.
        self._programs = collections.OrderedDict()  # By digest, the most recently used last.
        self._users = {}  # By digest: WeakSet of the _Identity of each computation.

    def compile(self, computation):
        """The Program of a computation."""
        with self._lock:
            digest = self._digest(computation)
            if digest not in self._programs:
                self._programs[digest] = _compile(computation)
                self._forget_some()
            self._programs.move_to_end(digest)
            return self._programs[digest]

    def _digest(self, computation):
        identity = vars(computation).setdefault("_fedlab_identity", _Identity())
        if identity not in self._digests:
            self._digests[identity] = _digest(computation)
        digest = self._digests[identity]
        self._users.setdefault(digest, weakref.WeakSet()).add(identity)
        return digest

    def _forget_some(self):
        unused = [digest for digest in self._programs if not self._users[digest]]
        for digest in unused[:-MOST_UNUSED_PROGRAMS]:
            self._forget(digest)
        while len(self._programs) > self._most_programs:
            self._forget(next(iter(self._programs)))

    def _forget(self, digest):
        del self._programs[digest], self._users[digest]


class _Identity:
    """Something to know a computation by that dies with it."""


def _digest(computation):
    proto = computation_impl.ConcreteComputation.get_proto(computation)
    return hashlib.sha256(proto.SerializeToString(deterministic=True)).digest()


def _compile(computation):
    block = with_simulated_security(computation).to_building_block()
    block, _ = tensorflow_tree_transformations.replace_intrinsics_with_bodies(block)
    native = compiler.transform_to_native_form(
        computation_impl.ConcreteComputation.from_building_block(block)
    )
    return programs.Program(native.to_building_block(), native.type_signature)


def with_simulated_security(computation):
    """The computation with secure intrinsics replaced by plain ones that check their inputs."""
    if not _names_secure_intrinsic(computation.to_building_block()):
        return computation
    _say_that_security_is_simulated()
    return test_compiler.replace_secure_intrinsics_with_bodies(computation)


def _names_secure_intrinsic(block):
    if isinstance(block, building_blocks.Intrinsic):
        return block.uri in _SECURE
    return any(_names_secure_intrinsic(child) for child in block.children())


@functools.cache  # Once in a process: Python's own count begins anew whenever a filter changes.
def _say_that_security_is_simulated():
    # From no line of the caller's, for computations are compiled in another thread; and from none of ours,
    # which would say nothing.
    warnings.warn_explicit(
        "Secure aggregation is simulated here: sums are exact and inputs are checked against their "
        "limits, but clients' numbers are added up in the clear. (TFF's own runtime refuses to run it.)",
        SimulatedSecurityWarning,
        filename="fedlab.runtime",
        lineno=1,
    )


# One for all contexts of this process: changing a limit does not compile everything again.
SHARED = Compiler()
