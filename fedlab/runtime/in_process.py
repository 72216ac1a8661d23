"""Contexts that run TFF computations in the process that calls them."""

import asyncio
import concurrent.futures
import functools
import os
import threading

from tensorflow_federated.python.core.environments.tensorflow_frontend import tensorflow_computation
from tensorflow_federated.python.core.impl.context_stack import context_base, context_stack_impl
from tensorflow_federated.python.core.impl.execution_contexts import async_execution_context

from fedlab.runtime import compiling, executor, naming

_MOST_COMPUTATIONS = 64


class AsyncInProcessContext(async_execution_context.AsyncExecutionContext):
    """Runs computations in this process; calling one gives something to await."""

    def __init__(self, clients_at_a_time=None, default_num_clients=0):
        """Makes a context; for the arguments see `fedlab.runtime.use_in_process`."""
        super().__init__(
            executor_fn=executor.InProcessExecutorFactory(
                _checked_limit(clients_at_a_time),
                default_num_clients,
                _computation_threads(),
            ),
            transform_args=tensorflow_computation.transform_args,
            transform_result=tensorflow_computation.transform_result,
        )
        self._compiler_pipeline = _NamingCompiler()


class InProcessContext(context_base.SyncContext):
    """Runs computations in this process; calling one gives its result. An interrupt stops it."""

    def __init__(self, clients_at_a_time=None, default_num_clients=0):
        """Makes a context; for the arguments see `fedlab.runtime.use_in_process`."""
        self._async_context = AsyncInProcessContext(clients_at_a_time, default_num_clients)

    @property
    def executor_factory(self):
        """TFF's name for what makes executors."""
        return self._async_context.executor_factory

    def invoke(self, comp, arg):
        # In an event loop of another thread, so that this works inside a notebook's own event loop; the
        # calling thread waits, and is the one that Python interrupts.
        future = asyncio.run_coroutine_threadsafe(self._async_context.invoke(comp, arg), _event_loop())
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise


@functools.cache
def _event_loop():
    """The loop, in a thread of its own, in which all contexts run what TFF writes as coroutines."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="fedlab-event-loop", daemon=True).start()
    return loop


@functools.cache
def _computation_threads():
    """The threads in which computations run, one for each that is under way."""
    return concurrent.futures.ThreadPoolExecutor(_MOST_COMPUTATIONS, thread_name_prefix="fedlab-computation")


class _NamingCompiler:
    """Compiles computations, and keeps hold of their names."""

    def compile(self, computation):
        return executor.NamedProgram(naming.name_of(computation), compiling.SHARED.compile(computation))


def _checked_limit(clients_at_a_time):
    if clients_at_a_time is None:
        # Half the CPUs: TensorFlow spreads one client's work over cores as well, and every client at work
        # needs memory of its own. On the two cores of a public Binder that is one at a time.
        return max(1, (os.cpu_count() or 1) // 2)
    if not isinstance(clients_at_a_time, int) or clients_at_a_time < 1:
        raise ValueError(
            f"clients_at_a_time={clients_at_a_time!r}: give a whole number of at least 1, or None for one "
            "client for every two CPUs."
        )
    return clients_at_a_time


# --- The default of every thread ------------------------------------------------------------------


def set_default(context):
    """Makes a context the one that computations run in, in every thread that has none of its own.

    TFF keeps the default of the thread that sets it; in any other, such as the one behind a widget's
    button, it would answer "No default context installed".
    """
    naming.remember_names()
    context_stack_impl.context_stack.set_default_context(context)
    placeholder = _default_of_a_new_thread()
    placeholder.invoke = context.invoke


def _default_of_a_new_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(context_stack_impl.context_stack.current))
    thread.start()
    thread.join()
    return found[0]
