"""The job of the benchmarks that train: the Dickens model's shape, its first weights, its clients' batches.

Everything is made once, from a seed and from the pocket Shakespeare's text, and put into a file that each
contender reads. Reading needs NumPy alone, for peers do it in environments of their own.
"""

import dataclasses
import pathlib

import numpy as np

BATCHES, ROWS, CHARACTERS = 5, 8, 100  # of a client
VOCABULARY_SIZE, EMBEDDING_SIZE, RNN_UNITS = 86, 256, 1024
LEARNING_RATE = 0.5

_TEXTS = pathlib.Path(__file__).resolve().parent.parent / "fedlab" / "datasets" / "pocket" / "shakespeare"


@dataclasses.dataclass(frozen=True)
class Job:
    """What every contender starts from.

    Attributes:
      ids: int64 [clients, batches, rows, characters + 1]; targets are one character further than inputs.
      weights: float32 arrays in Keras's order and shapes: embedding [86, 256], GRU kernel [256, 3072],
        recurrent kernel [1024, 3072], biases [2, 3072] (gates z, r, h), dense [1024, 86], bias [86].
    """

    ids: np.ndarray
    weights: list[np.ndarray]

    @property
    def num_clients(self) -> int:
        """How many clients have data."""
        return len(self.ids)

    def batches(self, client: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """A client's batches: inputs and targets, each int64 [8, 100]."""
        return [(ids[:, :-1], ids[:, 1:]) for ids in self.ids[client]]


def make_job(num_clients: int, *, seed: int = 1) -> Job:
    """Makes the job: clients take turns at reading on in Shakespeare, which begins anew after its end."""
    from fedlab.vocabulary import CHARACTERS as VOCABULARY
    from fedlab.vocabulary import encode

    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(_TEXTS.glob("*/*.txt")))
    ids = encode("".join(character for character in text if character in VOCABULARY))
    shape = [num_clients, BATCHES, ROWS, CHARACTERS + 1]
    return Job(np.resize(ids, shape), _initial_weights(np.random.default_rng(seed)))


def _initial_weights(random: np.random.Generator) -> list[np.ndarray]:
    def glorot(rows: int, columns: int) -> np.ndarray:
        limit = np.sqrt(6 / (rows + columns))
        return random.uniform(-limit, limit, [rows, columns]).astype(np.float32)

    return [
        random.uniform(-0.05, 0.05, [VOCABULARY_SIZE, EMBEDDING_SIZE]).astype(np.float32),
        glorot(EMBEDDING_SIZE, 3 * RNN_UNITS),
        glorot(RNN_UNITS, 3 * RNN_UNITS),
        np.zeros([2, 3 * RNN_UNITS], np.float32),
        glorot(RNN_UNITS, VOCABULARY_SIZE),
        np.zeros([VOCABULARY_SIZE], np.float32),
    ]


def write_job(job: Job, path: str | pathlib.Path) -> None:
    """Writes a job where `read_job` finds it."""
    np.savez(path, ids=job.ids, **_numbered(job.weights))


def read_job(path: str | pathlib.Path) -> Job:
    """Reads what `write_job` wrote."""
    with np.load(path) as file:
        return Job(file["ids"], _weights_in(file))


def write_weights(weights: list[np.ndarray], path: str | pathlib.Path) -> None:
    """Writes weights in the order of `Job.weights`."""
    np.savez(path, **_numbered(weights))


def read_weights(path: str | pathlib.Path) -> list[np.ndarray]:
    """Reads what `write_weights` wrote."""
    with np.load(path) as file:
        return _weights_in(file)


def _numbered(weights: list[np.ndarray]) -> dict[str, np.ndarray]:
    return {f"weights_{index}": np.asarray(array) for index, array in enumerate(weights)}


def _weights_in(file: np.lib.npyio.NpzFile) -> list[np.ndarray]:
    return [file[name] for name in sorted(name for name in file.files if name.startswith("weights_"))]
