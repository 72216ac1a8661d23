"""The Dickens model in PyTorch, for the peers that train with it; weights go in and out in Keras's order."""

import numpy as np
import torch
from torch import nn

import job

# Keras stacks the GRU's gates as update, reset, candidate; PyTorch as reset, update, candidate.
_SWAPPED_GATES = np.r_[
    job.RNN_UNITS : 2 * job.RNN_UNITS, : job.RNN_UNITS, 2 * job.RNN_UNITS : 3 * job.RNN_UNITS
]


class CharRNN(nn.Module):
    """Embedding(86, 256), GRU(1024), Linear(86): ids int64 [rows, time] to logits [rows, time, 86]."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(job.VOCABULARY_SIZE, job.EMBEDDING_SIZE)
        self.gru = nn.GRU(job.EMBEDDING_SIZE, job.RNN_UNITS, batch_first=True)
        self.dense = nn.Linear(job.RNN_UNITS, job.VOCABULARY_SIZE)

    def forward(
        self, ids: torch.Tensor, state: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits, and the state of the GRU [1, rows, 1024] after the last character."""
        outputs, state = self.gru(self.embedding(ids), state)
        return self.dense(outputs), state


def to_state_dict(weights: list[np.ndarray]) -> dict[str, torch.Tensor]:
    """Weights in Keras's order as PyTorch names and lays them out."""
    embedding, kernel, recurrent_kernel, biases, dense, dense_bias = weights
    arrays = {
        "embedding.weight": embedding,
        "gru.weight_ih_l0": kernel[:, _SWAPPED_GATES].T,
        "gru.weight_hh_l0": recurrent_kernel[:, _SWAPPED_GATES].T,
        "gru.bias_ih_l0": biases[0, _SWAPPED_GATES],
        "gru.bias_hh_l0": biases[1, _SWAPPED_GATES],
        "dense.weight": dense.T,
        "dense.bias": dense_bias,
    }
    return {name: torch.tensor(np.ascontiguousarray(array)) for name, array in arrays.items()}


def from_state_dict(state_dict: dict[str, torch.Tensor]) -> list[np.ndarray]:
    """The inverse of `to_state_dict`. (The swap of the gates is its own inverse.)"""
    arrays = {name: tensor.detach().numpy() for name, tensor in state_dict.items()}
    return [
        arrays["embedding.weight"],
        arrays["gru.weight_ih_l0"].T[:, _SWAPPED_GATES],
        arrays["gru.weight_hh_l0"].T[:, _SWAPPED_GATES],
        np.stack([arrays[f"gru.bias_{part}_l0"][_SWAPPED_GATES] for part in ("ih", "hh")]),
        arrays["dense.weight"].T,
        arrays["dense.bias"],
    ]


def train(model: CharRNN, batches: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """A client's local epoch: SGD over its batches, the GRU's state carried from batch to batch."""
    optimizer = torch.optim.SGD(model.parameters(), job.LEARNING_RATE)
    cross_entropy = nn.CrossEntropyLoss()
    state = None
    for inputs, targets in batches:
        optimizer.zero_grad()
        logits, state = model(torch.as_tensor(inputs), state)
        state = state.detach()
        cross_entropy(logits.flatten(0, 1), torch.as_tensor(targets).flatten()).backward()
        optimizer.step()
