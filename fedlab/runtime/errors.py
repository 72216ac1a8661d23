"""Failures inside a computation, told in the learner's terms."""

import re


class ComputationError(RuntimeError):
    """TensorFlow failed inside a TFF computation.

    The original error is `__cause__`.

    Attributes:
      computation: name of the computation that was called.
      function: name of the TensorFlow computation inside it that failed.
      client: index of the client in the cohort, from 0; None where it failed elsewhere.
      num_clients: size of the cohort.
    """

    def __init__(self, function, cause):
        super().__init__(function)
        self.function, self.__cause__ = function, cause
        self.computation = self.client = self.num_clients = None

    def __reduce__(self):
        return RuntimeError, (str(self),)

    def __str__(self):
        where = f"{self.function!r}" + (f", inside {self.computation!r}," if self.computation else "")
        who = (
            "" if self.client is None else f" at client {self.client} (of {self.num_clients}, counted from 0)"
        )
        reason = f"{type(self.__cause__).__name__}: {original_message(self.__cause__)}"
        return f"{where} failed{who}.\n{reason}{self._way_out()}"

    def _way_out(self):
        if self.client is None or self.num_clients == 1:
            return ""
        return (
            f"\nTo look closer, call {self.computation or 'the computation'!r} with that client's data "
            f"alone: [clients[{self.client}]]."
        )


def original_message(error):
    """TensorFlow's message without its node paths: what went wrong, not where in the graph."""
    message = getattr(error, "message", None) or str(error)
    message = re.sub(r"\{\{[^}]*\}\}\s*|\[Op:[^]]*\]", "", message)
    lines = [line.strip() for line in message.splitlines()]
    kept = [line for line in lines if line and not _NOISE.match(line)]
    return "\n".join(kept[:_MOST_LINES])


_MOST_LINES = 12
_NOISE = re.compile(
    r"(\[\[.*\]\]|Detected at node .*|Graph execution error:|File \".*|\d+ root error\(s\) found\.)$"
)
