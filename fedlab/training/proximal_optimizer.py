"""FedProx as a client optimizer: any optimizer, held back from running away from the server's weights.

Li et al. 2020, "Federated Optimization in Heterogeneous Networks", arXiv:1812.06127. A client minimises its
loss plus `strength / 2` times the squared distance from the weights it was sent.

TFF's own `build_weighted_fed_prox` (0.87.0) adds the gradient of that term with the wrong sign: it drives
clients away from the server, and the stronger the faster.
"""

import tensorflow as tf
import tensorflow_federated as tff


def build_proximal(optimizer, strength):
    """Adds the proximal term to a client optimizer, for `client_optimizer_fn` of federated averaging.

    With plain SGD of rate 0.5, strength 1.0 and the gradient 2.0 in both steps, a weight goes from 0 to -1
    (the term is 0 where the client starts), and then to -1 - 0.5 * (2 + 1.0 * (-1 - 0)) = -1.5.

    Args:
      optimizer: tff.learning.optimizers.Optimizer that takes the steps.
      strength: float of at least 0, the paper's mu; 0 is federated averaging.

    Returns:
      tff.learning.optimizers.Optimizer. Its first step of a round remembers the weights it meets: those
      of the server.

    Raises:
      ValueError: a strength below 0 or not finite.
    """
    if not 0 <= strength < float("inf"):
        raise ValueError(f"strength={strength!r}: give a number of at least 0, for example 0.1.")
    return _Proximal(optimizer, float(strength))


class _Proximal(tff.learning.optimizers.Optimizer):
    """State: that of the optimizer inside, the steps taken, and the server's weights."""

    def __init__(self, optimizer, strength):
        self._optimizer = optimizer
        self._strength = strength

    def initialize(self, specs):
        nothing_yet = tf.nest.map_structure(lambda spec: tf.zeros(spec.shape, spec.dtype), specs)
        return (self._optimizer.initialize(specs), tf.constant(0), nothing_yet)

    def next(self, state, weights, gradients):
        inner, steps, remembered = state
        # tf.equal: in TFF's graphs `==` compares objects, as in TensorFlow 1.
        first = tf.equal(steps, 0)
        start = tf.nest.map_structure(lambda old, new: tf.where(first, new, old), remembered, weights)
        pulled = tf.nest.map_structure(self._pull_back, gradients, weights, start)
        inner, updated = self._optimizer.next(inner, weights, pulled)
        return (inner, steps + 1, start), updated

    def _pull_back(self, gradient, weight, start):
        return tf.convert_to_tensor(gradient) + self._strength * (weight - start)
