"""TFF's default context, running computations in the process that calls them."""

import asyncio
import os

from tensorflow_federated.python.core.environments.tensorflow_frontend import tensorflow_computation
from tensorflow_federated.python.core.impl.context_stack import context_stack_impl
from tensorflow_federated.python.core.impl.execution_contexts import async_execution_context, sync_execution_context

from fedlab.runtime import compiling, executor


class InProcessContext(sync_execution_context.SyncExecutionContext):
    """Runs computations in this process; an interrupt stops them."""

    def invoke(self, comp, arg):
        future = asyncio.run_coroutine_threadsafe(
            self._async_context.invoke(comp, arg), self._async_runner._event_loop
        )
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise


def _arguments(clients_at_a_time, default_num_clients):
    settings = executor.Settings(clients_at_a_time or os.cpu_count(), default_num_clients)
    return dict(
        executor_fn=executor.InProcessExecutorFactory(settings),
        compiler_fn=compiling.compile_computation,
        transform_args=tensorflow_computation.transform_args,
        transform_result=tensorflow_computation.transform_result,
    )


def create_context(clients_at_a_time=None, default_num_clients=0):
    """A context for `computation(...)` calls."""
    return InProcessContext(**_arguments(clients_at_a_time, default_num_clients))


def create_async_context(clients_at_a_time=None, default_num_clients=0):
    """A context for `await computation(...)` calls."""
    return async_execution_context.AsyncExecutionContext(**_arguments(clients_at_a_time, default_num_clients))


def set_default(context):
    """Makes a context the one that computations run in."""
    context_stack_impl.context_stack.set_default_context(context)
