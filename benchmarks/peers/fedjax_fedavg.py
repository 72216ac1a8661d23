"""A peer: federated averaging with FedJAX, on JAX's CPU backend.

FedJAX's own `federated_averaging` shuffles each client's rows and knows no state between batches. What is
written here on its `for_each_client` is the same algorithm for a model that carries a state, in order.
"""

import sys

import fedjax
import jax
import jax.numpy as jnp

import job
import taking_turns


def forward(params: list, ids: jax.Array, state: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The Dickens model: ids [rows, time] and state [rows, 1024] to logits [rows, time, 86] and state."""
    embedding, kernel, recurrent_kernel, biases, dense, dense_bias = params
    projected = embedding[ids] @ kernel + biases[0]  # [rows, time, 3 * 1024], once for all characters

    def step(state: jax.Array, inputs: jax.Array) -> tuple[jax.Array, jax.Array]:
        update, reset, candidate = jnp.split(inputs, 3, axis=-1)
        recurrent = jnp.split(state @ recurrent_kernel + biases[1], 3, axis=-1)
        update = jax.nn.sigmoid(update + recurrent[0])
        reset = jax.nn.sigmoid(reset + recurrent[1])
        candidate = jnp.tanh(candidate + reset * recurrent[2])
        state = update * state + (1 - update) * candidate
        return state, state

    state, outputs = jax.lax.scan(step, state, jnp.swapaxes(projected, 0, 1))
    return jnp.swapaxes(outputs, 0, 1) @ dense + dense_bias, state


def mean_loss(params: list, batch: dict, state: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The mean cross-entropy of a batch, and the state after it."""
    logits, state = forward(params, batch["x"], state)
    log_probabilities = jax.nn.log_softmax(logits)
    return -jnp.take_along_axis(log_probabilities, batch["y"][..., None], axis=-1).mean(), state


def build_for_each_client(optimizer: fedjax.optimizers.Optimizer):
    """FedJAX's loop over clients: from the server's weights and batches to each client's difference."""

    def begin(server_params: list, unused: jax.Array) -> dict:
        return {
            "params": server_params,
            "optimizer": optimizer.init(server_params),
            "state": jnp.zeros([job.ROWS, job.RNN_UNITS]),
        }

    def step(client: dict, batch: dict) -> dict:
        gradients, state = jax.grad(mean_loss, has_aux=True)(client["params"], batch, client["state"])
        optimizer_state, params = optimizer.apply(gradients, client["optimizer"], client["params"])
        return {"params": params, "optimizer": optimizer_state, "state": state}

    def end(server_params: list, client: dict) -> list:
        return jax.tree_util.tree_map(jnp.subtract, server_params, client["params"])

    return fedjax.for_each_client(begin, step, end)


class FedJAX:
    """Weighted federated averaging; the server's optimizer is SGD with learning rate 1."""

    def __init__(self, the_job: job.Job):
        rows = the_job.ids.reshape(the_job.num_clients, -1, the_job.ids.shape[-1]).astype("int32")
        self._datasets = [fedjax.ClientDataset({"x": ids[:, :-1], "y": ids[:, 1:]}) for ids in rows]
        self._params = [jnp.asarray(array) for array in the_job.weights]
        self._server_optimizer = fedjax.optimizers.sgd(1.0)
        self._server_state = self._server_optimizer.init(self._params)
        self._for_each_client = build_for_each_client(fedjax.optimizers.sgd(job.LEARNING_RATE))

    def train_round(self, num_clients: int) -> None:
        """Trains one round over the first clients."""
        clients = [
            (client, self._datasets[client].batch(batch_size=job.ROWS), jnp.zeros([]))
            for client in range(num_clients)
        ]
        total, num_rows = fedjax.tree_util.tree_zeros_like(self._params), 0
        for client, difference in self._for_each_client(self._params, clients):
            rows = len(self._datasets[client])
            total = fedjax.tree_util.tree_add(total, fedjax.tree_util.tree_weight(difference, rows))
            num_rows += rows
        mean = fedjax.tree_util.tree_inverse_weight(total, num_rows)
        self._server_state, self._params = self._server_optimizer.apply(
            mean, self._server_state, self._params
        )
        jax.block_until_ready(self._params)

    def save_weights(self, path: str) -> None:
        """Writes the server's weights."""
        job.write_weights(self._params, path)


if __name__ == "__main__":
    taking_turns.serve(lambda: FedJAX(job.read_job(sys.argv[1])))
