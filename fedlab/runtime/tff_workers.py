"""Contexts that run computations on TFF's C++ workers: one of our own, or several over the network."""

import itertools

import grpc
from tensorflow_federated.python.common_libs import async_utils, structure
from tensorflow_federated.python.core.backends.native import compiler, mergeable_comp_compiler
from tensorflow_federated.python.core.environments.tensorflow_frontend import tensorflow_computation
from tensorflow_federated.python.core.impl.context_stack import context_base
from tensorflow_federated.python.core.impl.execution_contexts import (
    async_execution_context,
    compiler_pipeline,
    mergeable_comp_execution_context,
    sync_execution_context,
)
from tensorflow_federated.python.core.impl.executor_stacks import python_executor_stacks
from tensorflow_federated.python.core.impl.executors import (
    cardinalities_utils,
    remote_executor,
    remote_executor_grpc_stub,
)
from tensorflow_federated.python.core.impl.types import computation_types, placements, type_conversions

from fedlab.runtime import compiling

_CHANNEL_OPTIONS = [
    ("grpc.max_message_length", 2_000_000_000),
    ("grpc.max_receive_message_length", 2_000_000_000),
    ("grpc.max_send_message_length", 2_000_000_000),
    ("grpc.enable_http_proxy", 0),  # A classroom's proxy knows nothing of workers.
]


class WorkerLostError(RuntimeError):
    """A worker stopped answering in the middle of a computation.

    Attributes:
      target: its "host:port".
    """

    def __init__(self, target, reason):
        super().__init__(
            f"Worker {target!r} was lost: {reason} The computation's arguments are unchanged, so the same "
            "call can be made again, once the worker is back or without it: "
            "use_remote_workers([...], on_lost='continue')."
        )
        self.target = target


# --- One worker ---------------------------------------------------------------------------------------


def local_context(process, default_num_clients):
    """A context for `computation(...)` calls on a `worker_process.WorkerProcess`."""
    return sync_execution_context.SyncExecutionContext(
        executor_fn=_executor_factory(process.target, process.check, default_num_clients),
        compiler_fn=compile_for_worker,
        transform_args=tensorflow_computation.transform_args,
        transform_result=tensorflow_computation.transform_result,
    )


def compile_for_worker(computation):
    """TFF's own compilation; secure intrinsics, which its worker lacks, become plain ones."""
    return compiler.desugar_and_transform_to_native(compiling.with_simulated_security(computation))


def _executor_factory(target, check, default_num_clients):
    """Makes executors on one worker.

    Args:
      target: where gRPC finds it.
      check: raises when the worker is gone. TFF repeats a call that a connection broke off, again and
        again; asking here, before each attempt, ends that.
      default_num_clients: size of the cohort where arguments do not say.
    """
    channel = grpc.insecure_channel(target, _CHANNEL_OPTIONS)
    stub = remote_executor_grpc_stub.RemoteExecutorGrpcStub(channel)

    def make_executor(cardinalities):
        check()
        cardinalities.setdefault(placements.CLIENTS, default_num_clients)
        executor = remote_executor.RemoteExecutor(stub)
        executor.set_cardinalities(cardinalities)
        return executor

    return python_executor_stacks.ResourceManagingExecutorFactory(make_executor)


# --- Several workers ----------------------------------------------------------------------------------


class RemoteWorkersContext(context_base.SyncContext):
    """Spreads the clients of a cohort over several workers."""

    def __init__(self, targets, *, on_lost, connect_s, default_num_clients):
        """Makes a context; for the arguments see `fedlab.runtime.use_remote_workers`."""
        self._workers = {
            target: _RemoteWorker(target, connect_s=connect_s, default_num_clients=default_num_clients)
            for target in targets
        }
        self._continue = on_lost == "continue"
        self._forms = compiler_pipeline.CompilerPipeline(_compile_to_mergeable_form)
        self._runner = async_utils.AsyncThreadRunner()
        # When one worker is lost TFF forgets what it asked of the others, and asyncio would complain.
        self._runner._event_loop.set_exception_handler(lambda loop, context: None)
        for worker in self._workers.values():
            worker.check()

    @property
    def targets(self):
        """The workers that are left."""
        return list(self._workers)

    def invoke(self, comp, arg):
        form = self._forms.compile(comp)
        while True:
            try:
                return self._invoke_on_all(form, arg)
            except WorkerLostError as lost:
                if not self._continue or len(self._workers) == 1:
                    raise
                # Arguments are values that no worker changes: the call starts over with the others.
                self._workers.pop(lost.target, None)

    def _invoke_on_all(self, form, arg):
        workers = list(self._workers.values())
        parts = None if arg is None else _Parts(arg, form.up_to_merge.type_signature.parameter, len(workers))
        result = self._runner.run_coro_and_return_result(
            mergeable_comp_execution_context._invoke_mergeable_comp_form(form, parts, workers)
        )
        result = type_conversions.type_to_py_container(result, form.after_merge.type_signature.result)
        return tensorflow_computation.transform_result(result)


def _compile_to_mergeable_form(computation):
    return mergeable_comp_compiler.compile_to_mergeable_comp_form(
        compiling.with_simulated_security(computation)
    )


class _Parts:
    """A computation's argument, divided among workers.

    Not by TFF's own `MergeableCompExecutionContextValue`: where the last argument is not at the clients,
    that gives the first clients to every worker, and the rest to none.
    """

    def __init__(self, value, type_spec, num_workers):
        num_clients = cardinalities_utils.infer_cardinalities(value, type_spec).get(placements.CLIENTS)
        if num_clients is None:
            self._parts = [value] * num_workers  # Every worker has clients of its own.
        else:
            # A worker cannot sum over no clients, so there may be fewer parts than workers.
            num_parts = max(1, min(num_workers, num_clients))
            bounds = [num_clients * part // num_parts for part in range(num_parts + 1)]
            self._parts = [_of_clients(value, type_spec, slice(*pair)) for pair in itertools.pairwise(bounds)]

    def value(self):
        """The parts, one for each worker that gets any."""
        return self._parts


def _of_clients(value, type_spec, chosen):
    """The value with only some of its clients."""
    if isinstance(type_spec, computation_types.StructType):
        named_types = structure.to_elements(type_spec)
        parts = structure.from_container(value)
        return structure.Struct(
            (name, _of_clients(part, inner, chosen))
            for part, (name, inner) in zip(parts, named_types, strict=True)
        )
    if isinstance(type_spec, computation_types.FederatedType) and not type_spec.all_equal:
        return value[chosen]
    return value


class _RemoteWorker(context_base.AsyncContext):
    """One worker of several, with an event loop of its own.

    TFF's connection to a worker blocks the event loop that it is used in, so in a shared one workers
    would work one after the other.
    """

    def __init__(self, target, *, connect_s, default_num_clients):
        self._target, self._connect_s = target, connect_s
        self._runner = async_utils.AsyncThreadRunner()
        self._context = async_execution_context.AsyncExecutionContext(
            executor_fn=_executor_factory(target, self.check, default_num_clients),
            compiler_fn=compile_for_worker,
            transform_args=tensorflow_computation.transform_args,
        )

    async def invoke(self, comp, arg):
        return await self._runner.await_coro_and_return_result(self._invoke(comp, arg))

    async def _invoke(self, comp, arg):
        try:
            return await self._context.invoke(comp, arg)
        except grpc.RpcError as error:
            self.check()
            raise RuntimeError(f"Worker {self._target!r} failed: {error.details()}") from error

    def check(self):
        """Raises WorkerLostError if the worker does not answer in time."""
        with grpc.insecure_channel(self._target, _CHANNEL_OPTIONS) as channel:
            try:
                grpc.channel_ready_future(channel).result(timeout=self._connect_s)
            except grpc.FutureTimeoutError:
                raise WorkerLostError(self._target, f"no answer within {self._connect_s} s.") from None
