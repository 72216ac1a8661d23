"""An experiment: what a run of rounds made of a model, in plain numbers to compare with other runs."""

import dataclasses
import itertools
import math

import numpy as np

from fedlab.training.evaluation import Evaluation
from fedlab.training.rounds import RoundRecord


@dataclasses.dataclass(frozen=True)
class Experiment:
    """One run, under a name: the model before it, and its rounds.

    Raises:
      ValueError: no rounds, or the last of them has no held-out evaluation.
    """

    name: str
    before: Evaluation  # of the model that the run started from
    records: tuple[RoundRecord, ...]
    distance_moved: float | None = None  # of the server's weights from their start; see `distance_between`

    def __post_init__(self):
        object.__setattr__(self, "records", tuple(self.records))
        if not self.records or self.records[-1].held_out is None:
            raise ValueError(
                f"Experiment {self.name!r}: its last round needs a held-out evaluation; pass "
                "evaluate_weights to run_rounds, and run all of its rounds."
            )

    @property
    def after(self):
        """Evaluation after the last round."""
        return self.records[-1].held_out

    @property
    def gain_points(self):
        """What held-out accuracy gained, in percentage points."""
        return 100 * (self.after.accuracy - self.before.accuracy)

    @property
    def participants(self):
        """The clients that trained in any round, as a frozenset of ids."""
        return frozenset(itertools.chain.from_iterable(record.cohort for record in self.records))

    @property
    def gain_points_by_client(self):
        """What each client's held-out accuracy gained, in percentage points: {client id: gain}."""
        after = self.after.accuracy_by_client
        return {
            client_id: 100 * (after[client_id] - accuracy)
            for client_id, accuracy in self.before.accuracy_by_client.items()
            if client_id in after
        }

    @property
    def curve(self):
        """Held-out evaluations as tuples (rounds done, batches trained so far, Evaluation).

        The first is (0, 0, before); batches are summed over clients and local epochs.
        """
        batches = itertools.accumulate(record.num_batches for record in self.records)
        evaluated = [
            (record.round_number, done, record.held_out)
            for record, done in zip(self.records, batches, strict=True)
            if record.held_out is not None
        ]
        return [(0, 0, self.before), *evaluated]


def distance_between(first, second):
    """The Euclidean (L2) distance between the trainable weights of two ModelWeights, all as one vector.

    [[3.0], [0.0]] and [[0.0], [4.0]] -> 5.0
    """
    pairs = zip(first.trainable, second.trainable, strict=True)
    return math.sqrt(sum(float(np.sum(np.square(np.subtract(a, b, dtype=np.float64)))) for a, b in pairs))
