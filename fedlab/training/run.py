"""A run of rounds that can be stopped, gone on with, watched client by client, and made to write."""

import contextlib

from fedlab.arguments import check_whole_numbers
from fedlab.generation import generate_text
from fedlab.models.char_rnn import with_batch_size
from fedlab.runtime.watching import events
from fedlab.training.client_results import ClientListener
from fedlab.training.keras_adapter import assign_weights
from fedlab.training.rounds import run_plan


class Run:
    """What `Simulation.start` begins.

    Attributes:
      server: the `Server`, for going on in code; it has the last whole round.
      before: Evaluation of the model before its first round; None where nothing is evaluated.
    """

    def __init__(self, server, plan, keras_model, evaluate_weights):
        self.server = server
        self._plan, self._evaluate_weights = plan, evaluate_weights
        self.before = None if evaluate_weights is None else evaluate_weights(server.model_weights)
        self._writer = with_batch_size(keras_model, 1)

    @property
    def round_number(self):
        """How many whole rounds are done."""
        return self.server.round_number

    def next_cohort(self):
        """The ids of the clients that train in the next round, in the order of their data."""
        return self._plan.cohort(self.round_number + 1)

    def rounds(self, num_rounds, on_client=None):
        """Trains on, from where the run is.

        Break off, or let a round fail, and the rounds before are kept; call again to go on.

        Args:
          num_rounds: how many rounds to add.
          on_client: function of a ClientRecord, called as soon as a client is done, in the thread where
            it trained. An exception in it ends the round, and comes out of this loop.

        Yields:
          RoundRecord after each round.

        Raises:
          TrainingDivergedError: the loss became NaN or infinite.
        """
        check_whole_numbers(num_rounds=num_rounds)
        return self._rounds(num_rounds, on_client)

    def _rounds(self, num_rounds, on_client):
        for _ in range(num_rounds):
            with self._listening(on_client):
                (record,) = run_plan(self.server, self._plan, 1, evaluate_weights=self._evaluate_weights)
            yield record

    def _listening(self, on_client):
        if on_client is None:
            return contextlib.nullcontext()
        listener = ClientListener(self.next_cohort(), on_client)
        return events.listening_here(listener, values=listener.wants)

    def write(self, start, length=200, *, temperature=0.5, seed=0):
        """Continues a text with the model as it is now; for the arguments and errors see `generate_text`."""
        assign_weights(self.server.model_weights, self._writer)
        return generate_text(self._writer, start, length, temperature=temperature, seed=seed)
