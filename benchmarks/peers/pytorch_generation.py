"""A peer: text written a character at a time by a loop in plain PyTorch."""

import sys

import pytorch_model
import torch

import job
import taking_turns


class PyTorchLoop:
    """The Dickens model in PyTorch, in inference mode, its state kept from character to character."""

    def __init__(self, weights_path: str):
        self._model = pytorch_model.CharRNN()
        self._model.load_state_dict(pytorch_model.to_state_dict(job.read_weights(weights_path)))

    @torch.inference_mode()
    def write(self, start: list[int], length: int, temperature: float, seed: int) -> list[int]:
        """The ids of the characters that it draws after those of `start`."""
        torch.manual_seed(seed)
        ids, state, drawn = torch.tensor([start]), None, []
        for _ in range(length):
            logits, state = self._model(ids, state)
            probabilities = torch.softmax(logits[0, -1] / temperature, dim=-1)
            ids = torch.multinomial(probabilities, 1)[None]
            drawn.append(ids.item())
        return drawn


if __name__ == "__main__":
    taking_turns.serve(lambda: PyTorchLoop(sys.argv[1]))
