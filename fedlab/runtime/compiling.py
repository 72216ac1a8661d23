"""TFF's own compiler, without the step that this process does better.

TFF's `desugar_and_transform_to_native` also runs TensorFlow's graph optimizer over every graph. A
function of this process is optimized anyway when it first runs, so that step would be done twice;
and it writes lines to the terminal that no setting silences.
"""

from tensorflow_federated.python.core.backends.native import compiler
from tensorflow_federated.python.core.environments.tensorflow_backend import tensorflow_tree_transformations
from tensorflow_federated.python.core.impl.computation import computation_impl


def compile_computation(computation):
    """Reduces a computation to the few intrinsics that `fedlab.runtime.intrinsics` defines."""
    block, _ = tensorflow_tree_transformations.replace_intrinsics_with_bodies(computation.to_building_block())
    return compiler.transform_to_native_form(computation_impl.ConcreteComputation.from_building_block(block))
