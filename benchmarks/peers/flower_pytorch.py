"""A peer: Flower's simulation engine, its FedAvg and PyTorch clients.

The server app does not run a number of rounds and end; it runs one whenever the benchmark asks for it.
"""

import sys

import flower_clients
import pytorch_model
from flwr.app import ArrayRecord, Context
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg
from flwr.simulation import run_simulation

import job
import taking_turns

# Clients side by side, as many as there are cores, as fedlab's clients are.
_CORES_OF_A_CLIENT = 1


class FlowerRounds:
    """Rounds of Flower's FedAvg over a grid."""

    def __init__(self, the_job: job.Job, grid: Grid):
        self._grid, self._num_clients = grid, the_job.num_clients
        self._arrays = ArrayRecord(pytorch_model.to_state_dict(the_job.weights))
        self._strategy = FedAvg(
            fraction_evaluate=0.0,
            min_train_nodes=the_job.num_clients,
            min_available_nodes=the_job.num_clients,
        )

    def train_round(self, num_clients: int) -> None:
        """Trains one round over all clients of the job.

        Raises:
          ValueError: fewer clients are asked for, which Flower would draw at random.
          RuntimeError: a client failed, which Flower goes on without.
        """
        if num_clients != self._num_clients:
            raise ValueError(f"train_round({num_clients}): this job has {self._num_clients} clients.")
        result = self._strategy.start(grid=self._grid, initial_arrays=self._arrays, num_rounds=1)
        if not result.arrays:
            raise RuntimeError("Flower's round brought no weights: see its words above.")
        self._arrays = result.arrays

    def save_weights(self, path: str) -> None:
        """Writes the server's weights."""
        job.write_weights(pytorch_model.from_state_dict(self._arrays.to_torch_state_dict()), path)


def main(path: str) -> None:
    """Runs the simulation until the benchmark has no more requests."""
    the_job, server_app = job.read_job(path), ServerApp()

    @server_app.main()
    def serve(grid: Grid, context: Context) -> None:
        taking_turns.serve(lambda: FlowerRounds(the_job, grid))

    run_simulation(
        server_app,
        flower_clients.make_client_app(path),
        num_supernodes=the_job.num_clients,
        backend_config={
            "client_resources": {"num_cpus": _CORES_OF_A_CLIENT, "num_gpus": 0.0},
            # Ray's servers listen on this machine only.
            "init_args": {"_node_ip_address": "127.0.0.1"},
        },
    )


if __name__ == "__main__":
    main(sys.argv[1])
