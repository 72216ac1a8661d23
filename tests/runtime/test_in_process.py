"""The default context: TFF computations called like Python functions."""

import fedlab  # noqa: F401  (first: it prepares the environment)
import numpy as np
import tensorflow_federated as tff


def test_a_tensorflow_computation_returns_a_numpy_scalar():
    @tff.tensorflow.computation(np.int32)
    def add_one(number):
        return number + 1

    assert add_one(3) == 4
    assert type(add_one(3)) is np.int32


def test_a_mean_over_clients_is_the_mean():
    @tff.federated_computation(tff.FederatedType(np.float32, tff.CLIENTS))
    def mean(numbers):
        return tff.federated_mean(numbers)

    assert mean([1.0, 2.0, 6.0]) == 3.0
