"""A compiled TFF computation as something to call: TFF's building blocks, evaluated one by one."""

import functools

import tensorflow as tf
from tensorflow_federated.python.core.impl.compiler import building_blocks

from fedlab.runtime import graph_functions, intrinsics, values


class Program:
    """A computation made ready to run: its blocks, and the graphs that it calls."""

    def __init__(self, block):
        """Args: block: the `building_blocks.ComputationBuildingBlock` of a whole computation."""
        self._block = block
        self._graphs = {}

    def __call__(self, run, argument=None):
        """Evaluates the computation on a value of its parameter's type."""
        function = self._evaluate(self._block, {}, run)
        return function(run, argument) if argument is not None else function(run)

    def _evaluate(self, block, scope, run):
        return self._RULES[type(block)](self, block, scope, run)

    def _reference(self, block, scope, run):
        return scope[block.name]

    def _block_of_locals(self, block, scope, run):
        scope = dict(scope)
        for name, value in block.locals:
            run.check()
            scope[name] = self._evaluate(value, scope, run)
        return self._evaluate(block.result, scope, run)

    def _call(self, block, scope, run):
        function = self._evaluate(block.function, scope, run)
        if block.argument is None:
            return function(run)
        return function(run, self._evaluate(block.argument, scope, run))

    def _lambda(self, block, scope, run):
        def call(run, argument=None):
            inner = {**scope, block.parameter_name: argument} if block.parameter_name else scope
            return self._evaluate(block.result, inner, run)

        return call

    def _struct(self, block, scope, run):
        named = building_blocks.structure.to_elements(block)
        return values.struct([name for name, _ in named], [self._evaluate(part, scope, run) for _, part in named])

    def _selection(self, block, scope, run):
        return self._evaluate(block.source, scope, run)[block.as_index()]

    def _literal(self, block, scope, run):
        return tf.constant(block.value, tf.as_dtype(block.type_signature.dtype.type))

    def _intrinsic(self, block, scope, run):
        return intrinsics.BY_NAME[block.uri]

    def _compiled(self, block, scope, run):
        # By identity: the blocks live as long as this program.
        if id(block) not in self._graphs:
            self._graphs[id(block)] = graph_functions.GraphFunction(block.proto)
        return self._graphs[id(block)]

    _RULES = {
        building_blocks.Reference: _reference,
        building_blocks.Block: _block_of_locals,
        building_blocks.Call: _call,
        building_blocks.Lambda: _lambda,
        building_blocks.Struct: _struct,
        building_blocks.Selection: _selection,
        building_blocks.Literal: _literal,
        building_blocks.Intrinsic: _intrinsic,
        building_blocks.CompiledComputation: _compiled,
    }
