"""TFF's executor interface, over computations that run in this process.

TFF's execution contexts check arguments, infer how many clients there are and give results their
Python containers; they hand the rest to an executor. This is one.
"""

import asyncio

from tensorflow_federated.python.common_libs import structure
from tensorflow_federated.python.core.impl.executors import (
    executor_base,
    executor_factory,
    executor_utils,
    executor_value_base,
)
from tensorflow_federated.python.core.impl.types import computation_types, placements

from fedlab.runtime.interpreter import calls, conversion


class Value(executor_value_base.ExecutorValue):
    """A value of the runtime with its TFF type."""

    def __init__(self, held, type_spec):
        self._held, self._type_signature = held, type_spec

    @property
    def type_signature(self):
        return self._type_signature

    @property
    def reference(self):
        return self._held

    async def compute(self):
        return conversion.extract(self._held, self._type_signature)


class InProcessExecutor(executor_base.Executor):
    """Runs computations for a cohort of a given size."""

    def __init__(self, num_clients, clients_at_a_time, threads):
        """Makes an executor.

        Args:
          num_clients: size of the cohort.
          clients_at_a_time: how many of them may run side by side.
          threads: pool in which whole computations run.
        """
        self._num_clients, self._clients_at_a_time, self._threads = num_clients, clients_at_a_time, threads

    def close(self):
        """Nothing to release: values belong to whoever holds them."""

    async def create_value(self, value, type_spec=None):
        if isinstance(value, NamedProgram):
            return Value(value, value.type_signature)
        type_spec = executor_utils.reconcile_value_with_type_spec(value, type_spec)
        return Value(conversion.embed(value, type_spec), type_spec)

    async def create_call(self, comp, arg=None):
        named = comp.reference
        call = calls.Call(named.name, self._num_clients, self._clients_at_a_time)
        arguments = [] if arg is None else [arg.reference]
        work = asyncio.get_running_loop().run_in_executor(
            self._threads, call.perform, named.program, *arguments
        )
        try:
            # Shielded: cancelling this coroutine must reach the call, which ends its own threads.
            result = await asyncio.shield(work)
        except asyncio.CancelledError:
            call.stop_signal.set()
            work.add_done_callback(_forget_outcome)
            raise
        return Value(result, comp.type_signature.result)

    async def create_struct(self, elements):
        named = structure.to_elements(structure.from_container(elements))
        held = structure.Struct((name, value.reference) for name, value in named)
        types = [(name, value.type_signature) if name else value.type_signature for name, value in named]
        return Value(held, computation_types.StructType(types))

    async def create_selection(self, source, index):
        return Value(source.reference[index], source.type_signature[index])


def _forget_outcome(work):
    # asyncio complains of an error that nobody looked at; nobody will look at this one.
    if not work.cancelled():
        work.exception()


class NamedProgram:
    """A program under the name of the computation that was called."""

    def __init__(self, name, program):
        self.name, self.program = name, program

    @property
    def type_signature(self):
        return self.program.type_signature


class InProcessExecutorFactory(executor_factory.ExecutorFactory):
    """Makes an executor for each size of cohort that TFF asks for."""

    def __init__(self, clients_at_a_time, default_num_clients, threads):
        self._clients_at_a_time = clients_at_a_time
        self._default_num_clients = default_num_clients
        self._threads = threads

    def create_executor(self, cardinalities):
        num_clients = cardinalities.get(placements.CLIENTS, self._default_num_clients)
        return InProcessExecutor(num_clients, self._clients_at_a_time, self._threads)

    def clean_up_executor(self, cardinalities):
        """Nothing to clean up: executors hold nothing."""
