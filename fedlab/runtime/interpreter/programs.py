"""A compiled TFF computation as something to call: TFF's building blocks, evaluated one by one."""

import tensorflow as tf
from tensorflow_federated.python.common_libs import structure
from tensorflow_federated.python.core.impl.compiler import building_blocks

from fedlab.runtime import naming, values
from fedlab.runtime.interpreter import cohort_passes, graph_functions, intrinsics


class Program:
    """A computation made ready to run: its blocks, what each needs, and the graphs they call."""

    def __init__(self, block, type_signature):
        """Makes a program.

        Args:
          block: the `building_blocks.ComputationBuildingBlock` of a compiled computation.
          type_signature: the computation's `tff.FunctionType`.
        """
        self.type_signature = type_signature
        self._block = block
        # By identity of blocks, which live as long as this program.
        self._graphs = {}
        self._needs = {}
        self._names = {}

    def __call__(self, call, argument=None):
        """Evaluates the computation on a value of its parameter's type."""
        function = self._evaluate(self._block, {}, call)
        return self._apply(self._block, function, argument, call)

    def _evaluate(self, block, scope, call):
        return self._RULES[type(block)](self, block, scope, call)

    def _evaluate_step(self, block, scope, call, number):
        """Evaluates a call that is one step of the computation, by its number; None is no step."""
        if number is None:
            return self._evaluate(block, scope, call)
        return self._call(block, scope, call, number)

    # --- Blocks, one rule each ------------------------------------------------------------------------

    def _reference(self, block, scope, call):
        return scope[block.name]

    def _locals(self, block, scope, call):
        stages = self._stages(block)
        if stages is None:
            return self._locals_in_order(block, scope, call)
        scope = cohort_passes.run_stages(stages, scope, call, self._evaluate_step, self._name)
        return self._evaluate(block.result, scope, call)

    def _locals_in_order(self, block, scope, call):
        scope, last_uses = dict(scope), self._last_uses(block)
        for index, (name, value) in enumerate(block.locals):
            call.stop_signal.check()
            scope[name] = self._evaluate(value, scope, call)
            # Clients' updates are large: a value goes when nothing below needs it.
            for unneeded in last_uses[index]:
                scope.pop(unneeded, None)
        return self._evaluate(block.result, scope, call)

    def _call(self, block, scope, call, number=None):
        function = self._evaluate(block.function, scope, call)
        argument = None if block.argument is None else self._evaluate(block.argument, scope, call)
        if isinstance(block.function, building_blocks.Intrinsic):
            return self._step(block, function, argument, call, number)
        return self._apply(block.function, function, argument, call, number)

    def _apply(self, block, function, argument, call, number=None):
        if isinstance(block, building_blocks.CompiledComputation):
            return call.announcer.step(
                "", self._name(block), "", lambda: _call_with(function, call, argument), argument, number
            )
        return _call_with(function, call, argument)

    def _step(self, block, intrinsic, argument, call, number):
        result_type = block.type_signature
        return call.announcer.step(
            block.function.uri,
            self._name(block.argument),
            intrinsics.PLACEMENTS[intrinsic],
            lambda: intrinsic(call, argument, result_type),
            intrinsics.data_of(argument),
            number,
        )

    def _lambda(self, block, scope, call):
        # Only what the body needs: a closure that kept the whole scope would keep it in memory.
        kept = {name: scope[name] for name in self._free_names(block)}

        def function(call, argument=None):
            inner = kept if block.parameter_name is None else {**kept, block.parameter_name: argument}
            return self._evaluate(block.result, inner, call)

        return function

    def _struct(self, block, scope, call):
        names = structure.name_list_with_nones(block)
        return values.struct(names, [self._evaluate(part, scope, call) for part in block])

    def _selection(self, block, scope, call):
        return _select(self._evaluate(block.source, scope, call), block.as_index())

    def _literal(self, block, scope, call):
        return tf.constant(block.value, tf.as_dtype(block.type_signature.dtype.type))

    def _intrinsic(self, block, scope, call):
        if block.uri not in intrinsics.BY_NAME:
            raise NotImplementedError(
                f"The intrinsic {block.uri!r} cannot run here: TFF's compiler should have replaced it."
            )
        return intrinsics.BY_NAME[block.uri]

    def _compiled(self, block, scope, call):
        graph = self._graphs.get(id(block))
        if graph is None:
            # setdefault: of two threads that arrive together, both get the same graph.
            graph = self._graphs.setdefault(id(block), graph_functions.GraphFunction(block.proto))
        return graph

    _RULES = {
        building_blocks.Reference: _reference,
        building_blocks.Block: _locals,
        building_blocks.Call: _call,
        building_blocks.Lambda: _lambda,
        building_blocks.Struct: _struct,
        building_blocks.Selection: _selection,
        building_blocks.Literal: _literal,
        building_blocks.Intrinsic: _intrinsic,
        building_blocks.CompiledComputation: _compiled,
    }

    # --- What is needed for how long ------------------------------------------------------------------

    def _stages(self, block):
        """The Stages of a Block that takes the cohort through in passes; None for any other."""
        key = id(block), "stages"
        if key not in self._needs:
            self._needs[key] = cohort_passes.plan(block, self._free_names)
        return self._needs[key]

    def _last_uses(self, block):
        """For each local of a Block: the names that nothing after it refers to."""
        key = id(block), "last uses"
        if key not in self._needs:
            needed = set(self._free_names(block.result))
            last_uses = []
            for name, value in reversed(block.locals):
                here = self._free_names(value)
                last_uses.append(tuple((here | {name}) - needed))
                needed |= here
            self._needs[key] = last_uses[::-1]
        return self._needs[key]

    def _free_names(self, block):
        """Names that a block refers to and does not bind itself."""
        if id(block) not in self._needs:
            self._needs[id(block)] = self._find_free_names(block)
        return self._needs[id(block)]

    def _find_free_names(self, block):
        if isinstance(block, building_blocks.Reference):
            return frozenset([block.name])
        if isinstance(block, building_blocks.Lambda):
            return self._free_names(block.result) - {block.parameter_name}
        if isinstance(block, building_blocks.Block):
            names = self._free_names(block.result)
            for name, value in reversed(block.locals):
                names = (names - {name}) | self._free_names(value)
            return names
        return frozenset().union(*(self._free_names(child) for child in block.children()))

    # --- Names ----------------------------------------------------------------------------------------

    def _name(self, block):
        """Names of the TensorFlow computations that a block calls, joined by ", "."""
        if block is None:
            return ""
        if id(block) not in self._names:
            found = dict.fromkeys(self._graph_names(block))
            self._names[id(block)] = ", ".join(found)
        return self._names[id(block)]

    def _graph_names(self, block):
        if isinstance(block, building_blocks.CompiledComputation):
            name = self._compiled(block, {}, None).name
            return [] if naming.is_unnamed(name) else [name]
        return [name for child in block.children() for name in self._graph_names(child)]


def _call_with(function, call, argument):
    return function(call) if argument is None else function(call, argument)


def _select(value, index):
    # A placed structure is selected from where it is.
    if isinstance(value, values.AtServer):
        return values.AtServer(value.member[index])
    if isinstance(value, values.SameAtClients):
        return values.SameAtClients(value.member[index])
    if isinstance(value, values.AtClients):
        return values.AtClients([member[index] for member in value.members])
    return value[index]
