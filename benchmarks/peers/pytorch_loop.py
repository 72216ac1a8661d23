"""A peer: federated averaging as a loop in plain PyTorch, clients one after another in one process."""

import sys

import pytorch_model
import torch

import job
import taking_turns


class PyTorchLoop:
    """Each client trains a copy of the server's weights; the server takes their mean, weighted by rows."""

    def __init__(self, the_job: job.Job):
        self._job = the_job
        self._server = pytorch_model.to_state_dict(the_job.weights)
        self._model = pytorch_model.CharRNN()

    def train_round(self, num_clients: int) -> None:
        """Trains one round over the first clients."""
        sums, total = {name: torch.zeros_like(weights) for name, weights in self._server.items()}, 0
        for client in range(num_clients):
            batches = self._job.batches(client)
            self._model.load_state_dict(self._server)
            pytorch_model.train(self._model, batches)
            rows = sum(len(inputs) for inputs, _ in batches)
            for name, weights in self._model.state_dict().items():
                sums[name].add_(weights, alpha=rows)
            total += rows
        self._server = {name: weights / total for name, weights in sums.items()}

    def save_weights(self, path: str) -> None:
        """Writes the server's weights."""
        job.write_weights(pytorch_model.from_state_dict(self._server), path)


if __name__ == "__main__":
    taking_turns.serve(lambda: PyTorchLoop(job.read_job(sys.argv[1])))
