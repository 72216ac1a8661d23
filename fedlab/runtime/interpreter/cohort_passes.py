"""Takes a cohort through a computation client by client, so that few of the clients' values are held at once.

A compiled round of training is a row of steps: train at all clients, scale what they give, sum it up, sum up
their metrics. Done one after the other, every step holds the values of all clients: 64 updates of 16 MB.
Steps that hang together are done as one pass over the cohort instead:

    before   updates = [train(client) for client in cohort]; total = sum(updates)
    after    for client in cohort: total = total + train(client)

Values join a total in the cohort's order, so the sum is the same bits. What needs the values of all clients,
such as a median, keeps them: in its total.

A pass ends where clients need something that the server makes of its totals; the next one begins there.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import time
import typing

from tensorflow_federated.python.common_libs import structure
from tensorflow_federated.python.core.impl.compiler import building_blocks
from tensorflow_federated.python.core.impl.types import computation_types, placements

from fedlab.runtime import values

_AGGREGATE = "federated_aggregate"
_PARTS_OF_MAP = ("function", "value")
_PARTS_OF_AGGREGATE = ("value", "zero", "accumulate", "merge", "report")
_AT_CLIENTS = ("federated_map", "federated_zip_at_clients", "federated_eval_at_clients")


# --- Planning ---------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Local:
    """One local of a block: a name, and what it stands for.

    Attributes:
      name: of the local.
      block: the building block that gives its value.
      step: its number among the block's steps.
      needs: the names that it refers to.
      uri: of the intrinsic that it calls, where a pass can do that; else "".
    """

    name: str
    block: building_blocks.ComputationBuildingBlock
    step: int
    needs: frozenset
    uri: str

    @property
    def is_at_clients(self) -> bool:
        return self.uri in _AT_CLIENTS

    def parts(self) -> dict:
        """The argument's blocks, by what they are for."""
        argument = self.block.argument
        if self.uri == "federated_zip_at_clients":
            return dict(value=argument)
        if self.uri == "federated_eval_at_clients":
            return dict(function=argument)
        names = (
            ("function", "value")
            if self.is_at_clients
            else ("value", "zero", "accumulate", "merge", "report")
        )
        return dict(zip(names, argument, strict=True))


@dataclasses.dataclass(frozen=True)
class Stage:
    """Locals that are worked on together, and the names that nothing needs any more when they are done."""

    locals: tuple
    is_pass: bool
    kept: frozenset  # Of a pass: names of its values at clients that are needed after it.
    unneeded: tuple


def plan(block: building_blocks.Block, free_names: typing.Callable) -> tuple | None:
    """Arranges a block's locals in Stages; None where their steps cannot be told in advance.

    Args:
      block: of a compiled computation.
      free_names: function from a block to the names that it refers to and does not bind.
    """
    found = [
        Local(name, value, step, frozenset(free_names(value)), _uri_in_pass(value))
        for step, (name, value) in enumerate(block.locals)
    ]
    if not any(local.uri == _AGGREGATE for local in found) or not all(map(_is_one_step, found)):
        return None
    return _with_uses(_Arrangement(found, free_names).stages, free_names(block.result))


def _is_one_step(local):
    called = local.block.function if isinstance(local.block, building_blocks.Call) else None
    return isinstance(
        called, building_blocks.Intrinsic | building_blocks.CompiledComputation
    ) and not _has_calls(local.block.argument)


def _has_calls(block):
    if block is None or isinstance(block, building_blocks.Lambda):
        return False
    return isinstance(block, building_blocks.Call) or any(map(_has_calls, block.children()))


def _uri_in_pass(block):
    """The intrinsic that a block calls, where a pass can do it; else ""."""
    if not isinstance(block, building_blocks.Call) or not isinstance(
        block.function, building_blocks.Intrinsic
    ):
        return ""
    uri, result = block.function.uri, block.type_signature
    differ = (
        isinstance(result, computation_types.FederatedType)
        and result.placement is placements.CLIENTS
        and not result.all_equal
    )
    return uri if uri == _AGGREGATE or (uri in _AT_CLIENTS and differ) else ""


class _Arrangement:
    """Goes through a block's locals and puts off what depends on the pass that is being gathered."""

    def __init__(self, found, free_names):
        self.stages, self._free_names = [], free_names
        self._begin()
        for local in found:
            self._place(local)
        self._close_pass()

    def _begin(self):
        self._gathered, self._after = [], []
        self._at_clients, self._later = set(), set()  # Names: of the pass, and of what only comes after it.

    def _place(self, local):
        if not local.needs & (self._at_clients | self._later) and not local.uri:
            self._add(local)
        elif local.uri and self._joins(local):
            self._gathered.append(local)
            (self._at_clients if local.is_at_clients else self._later).add(local.name)
        elif local.uri:
            self._close_pass()
            self._place(local)
        else:
            self._after.append(local)
            self._later.add(local.name)

    def _joins(self, local):
        """Whether what differs from client to client is all that a local needs of the pass."""
        parts = local.parts()
        value = parts.pop("value", None)
        of_others = frozenset().union(*map(self._free_names, parts.values()))
        return not local.needs & self._later and not of_others & self._at_clients and _can_be_picked(value)

    def _add(self, *together, is_pass=False):
        self.stages.append(Stage(together, is_pass, frozenset(), ()))

    def _close_pass(self):
        if self._gathered:
            self._add(*self._gathered, is_pass=True)
        for local in self._after:
            self._add(local)
        self._begin()


def _can_be_picked(block):
    """Whether one client's part of a value at the clients can be had without the others'."""
    if isinstance(block, building_blocks.Struct):
        return all(map(_can_be_picked, block))
    if isinstance(block, building_blocks.Selection):
        return _can_be_picked(block.source)
    return block is None or isinstance(block, building_blocks.Reference)


def _with_uses(stages, needed):
    """The stages with what each keeps and what is unneeded after it, found from the last to the first."""
    needed, done = set(needed), []
    for stage in reversed(stages):
        own = {local.name for local in stage.locals}
        needs = frozenset().union(*(local.needs for local in stage.locals))
        done.append(
            dataclasses.replace(stage, kept=frozenset(own & needed), unneeded=tuple((own | needs) - needed))
        )
        needed |= needs
    return tuple(reversed(done))


# --- Doing ------------------------------------------------------------------------------------------


def run_stages(stages: tuple, scope: dict, call, evaluate: typing.Callable, name_of: typing.Callable) -> dict:
    """Works through the stages of a block.

    Args:
      stages: from `plan`.
      scope: values by name, outside the block.
      call: the Call that this belongs to.
      evaluate: function of (block, scope, call, number of its step) to the block's value.
      name_of: function from a block to the names of the TensorFlow computations that it calls.

    Returns:
      The scope with what the block's result needs.
    """
    scope = dict(scope)
    first_step = call.announcer.reserve(sum(len(stage.locals) for stage in stages))
    for stage in stages:
        call.stop_signal.check()
        if stage.is_pass:
            _Pass(stage, scope, call, evaluate, name_of, first_step).run()
        else:
            (local,) = stage.locals
            scope[local.name] = evaluate(local.block, scope, call, first_step + local.step)
        for name in stage.unneeded:
            scope.pop(name, None)
    return scope


class _Pass:
    """One pass over the cohort."""

    def __init__(self, stage, scope, call, evaluate, name_of, first_step):
        self._stage, self._scope, self._call, self._evaluate = stage, scope, call, evaluate
        self._works = [self._begin(local, name_of, first_step) for local in stage.locals]
        self._at_clients = [work for work in self._works if work.local.is_at_clients]
        self._totals = [work for work in self._works if not work.local.is_at_clients]
        self._kept = {name: [] for name in stage.kept & {work.local.name for work in self._at_clients}}
        self._releases = self._find_releases()

    def _begin(self, local, name_of, first_step):
        parts = local.parts()
        value = parts.pop("value", None)
        functions = {
            name: self._evaluate(part, self._scope, self._call, None) for name, part in parts.items()
        }
        step = self._call.announcer.open(
            local.uri,
            name_of(local.block.argument),
            "clients" if local.is_at_clients else "server",
            first_step + local.step,
        )
        return _Work(local, value, functions, step)

    def _find_releases(self):
        """For each work at the clients: the names that a client's later work and the totals do not need."""
        needed = set(self._kept).union(*(work.local.needs for work in self._totals))
        releases = []
        for work in reversed(self._at_clients):
            releases.append((work.local.needs | {work.local.name}) - needed)
            needed |= work.local.needs
        return releases[::-1]

    def run(self):
        with self._call.announcer.inside():
            # Closed: if adding up fails, the clients that are under way are stopped.
            with contextlib.closing(self._call.cohort.for_each_client(self._at_client)) as clients:
                for index, own in enumerate(clients):
                    self._take(index, own)
            results = [self._finish(work) for work in self._works]
        self._scope.update(results)

    def _at_client(self, index):
        """All that one client does: values by name."""
        own = {}
        for work, unneeded in zip(self._at_clients, self._releases, strict=True):
            started = time.perf_counter()
            member = None if work.value is None else self._member(work.value, index, own)
            if "function" in work.functions:
                arguments = [] if work.value is None else [member]
                result = work.functions["function"](self._call, *arguments)
                work.step.client_finished(index, started, result, member)
            else:
                result = member
            work.seconds[index] = time.perf_counter() - started
            own[work.local.name] = result
            for name in unneeded:
                own.pop(name, None)
        return own

    def _take(self, index, own):
        """Adds what a client gave to the totals, and keeps what is needed later."""
        with self._call.cohort.blaming_client(index):
            for work in self._totals:
                self._add_to_total(work, index, own)
        for name, members in self._kept.items():
            members.append(own[name])

    def _add_to_total(self, work, index, own):
        self._call.stop_signal.check()
        started = time.perf_counter()
        member = self._member(work.value, index, own)
        total = structure.Struct.unnamed(work.total, member)
        work.total = work.functions["accumulate"](self._call, total)
        work.step.client_finished(index, started, work.total, member)
        work.seconds[index] = time.perf_counter() - started

    def _finish(self, work):
        started = time.perf_counter()
        if work.local.is_at_clients:
            # Where nothing needs the values any more, their number is still told.
            result = values.AtClients(self._kept.get(work.local.name, [None] * self._call.cohort.size))
        else:
            result = values.AtServer(work.functions["report"](self._call, work.total))
        seconds = sum(work.seconds.values()) + time.perf_counter() - started
        work.step.finish(result, seconds=seconds)
        return work.local.name, result

    def _member(self, block, index, own):
        """One client's part of a value at the clients."""
        if isinstance(block, building_blocks.Reference):
            return own[block.name] if block.name in own else _pick(self._scope[block.name], index)
        if isinstance(block, building_blocks.Selection):
            return self._member(block.source, index, own)[block.as_index()]
        names = structure.name_list_with_nones(block)
        return values.struct(names, [self._member(part, index, own) for part in block])


class _Work:
    """One local in a pass: what it does for each client, and what it has so far."""

    def __init__(self, local, value, functions, step):
        self.local, self.value, self.functions, self.step = local, value, functions, step
        self.total = functions.get("zero")
        self.seconds = collections.defaultdict(float)  # By client.


def _pick(value, index):
    if isinstance(value, values.AtClients):
        return value.members[index]
    if isinstance(value, structure.Struct):
        names = structure.name_list_with_nones(value)
        return values.struct(names, [_pick(part, index) for part in value])
    return value.member  # The same at all clients.
