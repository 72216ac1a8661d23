"""TFF's executor interface, over computations that run in this process.

TFF's execution contexts check arguments, infer how many clients there are and give results their
Python containers; they hand the rest to an executor. This is one.
"""

import asyncio
import concurrent.futures

from tensorflow_federated.python.common_libs import structure
from tensorflow_federated.python.core.impl.computation import computation_impl
from tensorflow_federated.python.core.impl.executors import executor_base, executor_factory, executor_value_base
from tensorflow_federated.python.core.impl.types import computation_types, placements

from fedlab.runtime import embedding, programs, runs


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
        return embedding.extract(self._held, self._type_signature)


class InProcessExecutor(executor_base.Executor):
    """Runs computations for a cohort of a given size."""

    def __init__(self, num_clients, settings):
        self._num_clients, self._settings = num_clients, settings

    def close(self):
        """Nothing to release: values belong to whoever holds them."""

    async def create_value(self, value, type_spec=None):
        if isinstance(value, computation_impl.ConcreteComputation):
            return Value(self._settings.program_of(value), type_spec or value.type_signature)
        return Value(embedding.embed(value, type_spec), type_spec)

    async def create_call(self, comp, arg=None):
        run = runs.Run(self._num_clients, self._settings.clients_at_a_time)
        arguments = [] if arg is None else [arg.reference]
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._settings.threads, comp.reference, run, *arguments)
        try:
            result = await asyncio.shield(work)
        except asyncio.CancelledError:
            run.stop()
            raise
        return Value(result, comp.type_signature.result)

    async def create_struct(self, elements):
        named = structure.to_elements(structure.from_container(elements))
        held = structure.Struct((name, value.reference) for name, value in named)
        types = [(name, value.type_signature) if name else value.type_signature for name, value in named]
        return Value(held, computation_types.StructType(types))

    async def create_selection(self, source, index):
        return Value(source.reference[index], source.type_signature[index])


class InProcessExecutorFactory(executor_factory.ExecutorFactory):
    """Makes an executor for each size of cohort that TFF asks for."""

    def __init__(self, settings):
        self._settings = settings

    def create_executor(self, cardinalities):
        num_clients = cardinalities.get(placements.CLIENTS, self._settings.default_num_clients)
        return InProcessExecutor(num_clients, self._settings)

    def clean_up_executor(self, cardinalities):
        """Nothing to clean up: executors hold nothing."""


class Settings:
    """How computations run in this process, and the programs made ready so far."""

    def __init__(self, clients_at_a_time, default_num_clients):
        self.clients_at_a_time = clients_at_a_time
        self.default_num_clients = default_num_clients
        self.threads = concurrent.futures.ThreadPoolExecutor(thread_name_prefix="fedlab-run")
        self._programs = {}

    def program_of(self, computation):
        """The program of a compiled computation, made once."""
        if id(computation) not in self._programs:
            program = programs.Program(computation.to_building_block())
            # With the computation, whose identity must not be given to another.
            self._programs[id(computation)] = computation, program
        return self._programs[id(computation)][1]
