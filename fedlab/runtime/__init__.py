"""Where TFF computations run: in this process, on TFF's workers, or on remote ones.

Nothing here imports TensorFlow or TFF until it is used.
"""

from fedlab.lazy_names import lazy_names

# Names of this package, and the modules that they wait in.
_HOMES = {
    "AsyncInProcessContext": "in_process",
    "InProcessContext": "in_process",
    "ComputationError": "errors",
    "Event": "watching.events",
    "listen": "watching.events",
    "listening": "watching.events",
    "SimulatedSecurityWarning": "compiling",
    "Trace": "watching.traces",
    "show_progress": "watching.progress",
    "showing_progress": "watching.progress",
    "trace": "watching.traces",
    "WorkerError": "worker_process",
    "WorkerLostError": "tff_workers",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)


def use_in_process(*, clients_at_a_time=None, default_num_clients=0):
    """Runs TFF computations in this process from now on; `import fedlab` arranges for this.

    Args:
      clients_at_a_time: how many clients of a cohort may run side by side; None is one for every two
        CPUs. Results do not depend on it; memory does.
      default_num_clients: how many clients there are where a computation's arguments do not say.
    """
    from fedlab.runtime import in_process

    in_process.set_default(in_process.InProcessContext(clients_at_a_time, default_num_clients))


def remember_names():
    """Makes TFF's decorators keep the names of the functions that they wrap; `import fedlab` calls this."""
    from fedlab.runtime import naming

    naming.remember_names()


def use_local_worker(*, deadline_s=60, reachable_from_network=False, default_num_clients=0):
    """Runs TFF computations on TFF's own C++ worker from now on: a program of 300 MB, on Linux x86-64.

    It starts now, answers only this process, writes to a log (the returned object's `log`), and ends
    with this process, however that ends. `use_in_process()` leads back.

    Args:
      deadline_s: how long it may take to start.
      reachable_from_network: start it even where it cannot be shut off from the network. TFF's worker
        listens on every network interface and runs whatever TensorFlow graph anyone sends it, with your
        rights: graphs can read and write your files. fedlab therefore puts it into a network of its own;
        where the system forbids that (as many containers do), it starts only with this set. Set it only
        where nobody else can reach the machine's ports.
      default_num_clients: how many clients there are where a computation's arguments do not say.

    Returns:
      The worker: `pid`, `target`, `log` and `stop()`.

    Raises:
      WorkerError: it did not start; the message says why.
    """
    from fedlab.runtime import in_process, tff_workers, worker_process

    worker = worker_process.WorkerProcess(
        worker_process.find_binary(), deadline_s=deadline_s, reachable_from_network=reachable_from_network
    )
    in_process.set_default(tff_workers.local_context(worker, default_num_clients))
    return worker


def use_remote_workers(targets, *, on_lost="raise", connect_s=10, default_num_clients=0):
    """Runs TFF computations on several of TFF's workers from now on, the cohort divided among them.

    Each worker sums its clients' results, and the sums are merged here: computations with one round of
    aggregation, such as a round of federated averaging. Connections are neither encrypted nor
    authenticated; keep them inside a private network.

    Args:
      targets: where the workers listen, as "host:port".
      on_lost: "raise" a WorkerLostError when a worker is lost, or "continue" with the others: the call
        under way starts over without it.
      connect_s: how long a worker may take to answer before it counts as lost.
      default_num_clients: how many clients each worker has where a computation's arguments do not say.

    Returns:
      The context: `targets` lists the workers that are left.

    Raises:
      WorkerLostError: a worker does not answer.
    """
    if isinstance(targets, str) or not targets:
        raise ValueError(f"targets={targets!r}: give a list of workers, such as ['10.0.0.5:8000'].")
    if on_lost not in ("raise", "continue"):
        raise ValueError(f"on_lost={on_lost!r}: give 'raise' or 'continue'.")
    from fedlab.runtime import in_process, tff_workers

    context = tff_workers.RemoteWorkersContext(
        targets, on_lost=on_lost, connect_s=connect_s, default_num_clients=default_num_clients
    )
    in_process.set_default(context)
    return context
