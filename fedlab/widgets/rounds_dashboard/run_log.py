"""What a run has done so far, as the dashboard shows it: plain records, round by round."""

import threading


class RunLog:
    """Rounds, clients and text samples of one run.

    Clients are told of by the threads in which they train, and read by the one that shows them.

    Attributes:
      before: evaluation of the model before the first round; None where there is none.
      records: a RoundRecord for each whole round.
      round_number: the round that the clients below belong to; 0 before the first.
      cohort: ids of the clients of that round.
      samples: [(round number, text)], 0 for the model before the first round.
    """

    def __init__(self):
        self.before, self.records, self.samples = None, [], []
        self.round_number, self.cohort = 0, ()
        self._clients = {}
        self._lock = threading.Lock()

    @property
    def client_records(self):
        """{client id: ClientRecord} of those clients of the round that are done."""
        with self._lock:
            return dict(self._clients)

    def begin_round(self, number, cohort):
        """A round begins: nobody in it is done."""
        with self._lock:
            self.round_number, self.cohort, self._clients = number, tuple(cohort), {}

    def add_client(self, record):
        """A client of the round is done."""
        with self._lock:
            self._clients[record.client_id] = record

    def add_round(self, record):
        """The round is done."""
        self.records.append(record)

    @property
    def last_round(self):
        """The RoundRecord of the round that the clients belong to, or None while it is under way."""
        done = self.records and self.records[-1].round_number == self.round_number
        return self.records[-1] if done else None

    @property
    def mean_seconds(self):
        """Seconds per round, on average; None before the first."""
        seconds = [record.seconds for record in self.records]
        return sum(seconds) / len(seconds) if seconds else None
