"""What the runtime tells whoever listens: computations, their steps, and each client's part of them.

A call of a computation is a row of steps. A step is one of TFF's intrinsics (`federated_map`,
`federated_aggregate`, ...) or a TensorFlow computation called outside any; what happens at the clients
comes one event for each client. The order:

    computation_started
        step_started
            client_finished   (for each client, in the order in which they finish)
        step_finished
        ...
    computation_finished, or computation_failed

Events carry plain records, never a tensor. While nobody listens, none is made.
"""

import contextlib
import contextvars
import dataclasses
import threading

COMPUTATION_STARTED = "computation_started"
COMPUTATION_FINISHED = "computation_finished"
COMPUTATION_FAILED = "computation_failed"
STEP_STARTED = "step_started"
STEP_FINISHED = "step_finished"
CLIENT_FINISHED = "client_finished"


@dataclasses.dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes:
      kind: one of this module's constants.
      call: number of the call of a computation, from 1; calls may overlap.
      computation: name of the computation that was called.
      num_clients: size of the cohort.
      step: number of the step within the call, from 0; None for events of the whole call.
      intrinsic: TFF's name of the step; "" for a TensorFlow computation called outside any.
      function: names of the TensorFlow computations that the step calls, joined by ", "; may be "".
      placement: "clients", "server" or "".
      client: index of the client, from 0, in client_finished; else None.
      seconds: how long it took, in the finished events; else None.
      value: a `summaries.Summary` of the result, for listeners that ask for values; else None.
      argument: likewise of what went in, of a client's part or of a step at one place; else None.
      error: what went wrong, in computation_failed; else "".
    """

    kind: str
    call: int
    computation: str
    num_clients: int
    step: int | None = None
    intrinsic: str = ""
    function: str = ""
    placement: str = ""
    client: int | None = None
    seconds: float | None = None
    value: object = None
    error: str = ""
    argument: object = None


_lock = threading.Lock()
_listeners = ()  # (listener, its `values`); replaced as a whole, read without the lock
# Those of the code that calls, and not of other threads: asyncio hands them on to what it calls.
_listeners_here = contextvars.ContextVar("listeners", default=())


def listen(listener, *, values=False):
    """Calls `listener(event)` for everything that happens from now on.

    The listener is called in the thread where it happens, so clients that run side by side call it at
    the same time. An error in it is an error of the computation.

    Args:
      listener: a function of one Event.
      values: whether finished events carry summaries of values, or a function of an event that says for
        which; making them costs a pass over the data.

    Returns:
      A function that ends it.
    """
    global _listeners
    entry = (listener, values)
    with _lock:
        _listeners = (*_listeners, entry)

    def stop():
        global _listeners
        with _lock:
            _listeners = tuple(other for other in _listeners if other is not entry)

    return stop


@contextlib.contextmanager
def listening(listener, *, values=False):
    """Listens inside a `with` block; see `listen`."""
    stop = listen(listener, values=values)
    try:
        yield
    finally:
        stop()


@contextlib.contextmanager
def listening_here(listener, *, values=False):
    """Listens inside a `with` block to what this block computes, and not to other threads."""
    token = _listeners_here.set((*_listeners_here.get(), (listener, values)))
    try:
        yield
    finally:
        _listeners_here.reset(token)


def current_listeners():
    """The listeners as of now, for one call to keep: ((listener, its `values`), ...)."""
    return (*_listeners, *_listeners_here.get())
