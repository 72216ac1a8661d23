"""Rounds of an aggregation factory with a learner's own values, one after the other, each recorded."""

import inspect

import numpy as np
import tensorflow_federated as tff

from fedlab.aggregators import plain_values
from fedlab.aggregators.recorded_round import ClientChange, RecordedRound, RoundNumbers, RoundStep
from fedlab.runtime.interpreter import conversion
from fedlab.runtime.watching import summaries, traces

_Weighted = tff.aggregators.WeightedAggregationFactory
_Unweighted = tff.aggregators.UnweightedAggregationFactory
_WEIGHT_TYPE = tff.TensorType(np.float32)


class Exploration:
    """Rounds of one factory: state goes from one to the next, and every round leaves a plain record.

    ```python
    exploration = Exploration(fedlab.aggregators.ScaledSumFactory())
    exploration.next_round([1.0, 2.0, 5.0])
    print(exploration.next_round([1.0, 2.0, 5.0]))
    ```

    Attributes:
      name: what the factory is called.
      description: what it does, from its docstring; may be "".
      is_weighted: whether clients have weights.
      rounds: tuple of RecordedRounds.
    """

    def __init__(self, factory, name=""):
        """Keeps the factory; a process is made in the first round, for the type of its values.

        Args:
          factory: weighted or unweighted aggregation factory, an aggregation process, or a function
            without arguments that makes either.
          name: what to call it; default the name of its class.

        Raises:
          TypeError: it is something else.
        """
        self._factory = _made(factory)
        self.name = name or type(self._factory).__name__
        self.description = _description(factory, self._factory)
        self.is_weighted = _is_weighted(self._factory)
        self.rounds = ()
        self._process, self._states = None, ()

    def next_round(self, client_values, weights=None, *, after=None):
        """Does a round.

        With values of another type than before, it is the first round of a new process.

        Args:
          client_values: for each client a number, a list of numbers, or a dict or tuple of these.
          weights: for each client a number; default 1 each. Only for weighted factories.
          after: go on from the state after this round, and forget the later ones; default the last.

        Returns:
          RecordedRound.

        Raises:
          ValueError: values or weights do not fit; the message says which client's.
          TypeError: the factory refuses the type.
          ComputationError: the round failed. In all cases, state and rounds stay as they were.
        """
        values = [self._ordered(value) for value in plain_values.check_clients(client_values)]
        weights = self._check_weights(weights, len(values))
        process, states, rounds = self._continued(_type_of(values[0]), after)
        arguments = [[_to_numpy(value) for value in values], *([weights] if weights else [])]
        trace = traces.trace(process.next, states[-1], *arguments)
        record = _record(self.name, len(states), process, values, weights, states[-1], trace)
        self._process, self._states = process, (*states, trace.result.state)
        self.rounds = (*rounds, record)
        return record

    def _ordered(self, value):
        """The value with its names in the order of the process, where there is one."""
        is_process = isinstance(self._factory, tff.templates.AggregationProcess)
        process = self._factory if is_process else self._process
        return value if process is None else _in_order_of(_value_type(process), value)

    def _check_weights(self, weights, num_clients):
        if not self.is_weighted:
            if weights:
                raise ValueError(f"{self.name} takes no weights: leave them out.")
            return None
        return plain_values.check_weights(weights or [1.0] * num_clients, num_clients)

    def _continued(self, value_type, after):
        """The process, the states so far and the records so far; a new process for another type."""
        if self._process is None or not _value_type(self._process).is_equivalent_to(value_type):
            process = self._create(value_type)
            return process, (process.initialize(),), ()
        num_rounds = len(self.rounds) if after is None else after
        return self._process, self._states[: num_rounds + 1], self.rounds[:num_rounds]

    def _create(self, value_type):
        if isinstance(self._factory, tff.templates.AggregationProcess):
            _check_process(self._factory, value_type)
            return self._factory
        try:
            weight_type = [_WEIGHT_TYPE] if self.is_weighted else []
            return self._factory.create(value_type, *weight_type)
        except Exception as error:
            raise TypeError(f"{self.name} makes no process for {value_type}: {error}") from error


def _made(factory):
    kinds = (_Weighted, _Unweighted, tff.templates.AggregationProcess)
    is_class = isinstance(factory, type) and issubclass(factory, kinds)
    made = factory() if callable(factory) and not isinstance(factory, kinds) and not is_class else factory
    if isinstance(made, kinds):
        return made
    way_out = f"write {factory.__name__}()" if is_class else "give tff.aggregators.MeanFactory() or the like"
    raise TypeError(f"{made!r} is neither an aggregation factory nor a process: {way_out}.")


def _description(given, made):
    """The first paragraph of the docstring of a function that makes a factory, or of the factory's class."""
    documented = given if inspect.isfunction(given) else type(made)
    is_process = isinstance(made, tff.templates.AggregationProcess)
    text = "" if is_process else inspect.getdoc(documented) or ""
    return " ".join(text.split("\n\n")[0].split())


def _is_weighted(factory):
    if isinstance(factory, tff.templates.AggregationProcess):
        return len(factory.next.type_signature.parameter) > 2
    return isinstance(factory, _Weighted)


def _value_type(process):
    return process.next.type_signature.parameter[1].member


def _check_process(process, value_type):
    wanted = _value_type(process)
    if not wanted.is_equivalent_to(value_type):
        raise TypeError(
            f"The process aggregates values of type {wanted}, and the clients hold {value_type}: write "
            "values of its type, or give the factory that made it."
        )


# --- Plain values to TFF's, and back to text ------------------------------------------------------


def _type_of(value):
    if isinstance(value, dict):
        return tff.StructWithPythonType([(name, _type_of(part)) for name, part in value.items()], dict)
    if isinstance(value, tuple):
        return tff.StructWithPythonType([_type_of(part) for part in value], tuple)
    return tff.TensorType(np.float32, np.shape(value))


def _in_order_of(type_spec, value):
    names = tff.structure.name_list(type_spec) if isinstance(type_spec, tff.StructType) else []
    if not isinstance(value, dict) or set(value) != set(names):
        return value
    parts = zip(names, type_spec.children(), strict=True)
    return {name: _in_order_of(part, value[name]) for name, part in parts}


def _to_numpy(value):
    if isinstance(value, dict):
        return {name: _to_numpy(part) for name, part in value.items()}
    if isinstance(value, tuple):
        return tuple(_to_numpy(part) for part in value)
    return np.asarray(value, np.float32)


def _summary(value, type_spec):
    return summaries.summarize(conversion.embed(value, type_spec))


def _leaves(summary, name=""):
    """The tensors in a summary: ((name, Summary), ...), empty structures left out."""
    if summary.parts is None:
        return ((name, summary),)
    named = [(f"{name}.{part}" if name else part, inner) for part, inner in summary.parts.items()]
    return tuple(leaf for part, inner in named for leaf in _leaves(inner, part))


def _texts(summary):
    return tuple((name, leaf.text) for name, leaf in _leaves(summary))


def _text(summary):
    return "" if summary is None else summary.text


# --- Records ----------------------------------------------------------------------------------------


def _record(name, number, process, values, weights, state, trace):
    state_type, result_types = process.state_type, process.next.type_signature.result
    value_type = _value_type(process)
    client_summaries = [_summary(_to_numpy(value), value_type) for value in values]
    result = _summary(trace.result.result, result_types.result)
    return RecordedRound(
        number=number,
        factory=name,
        value_type=str(value_type),
        signature=process.next.type_signature.formatted_representation(),
        client_values=tuple(map(_text, client_summaries)),
        weights=tuple(f"{weight:g}" for weight in weights or ()),
        steps=tuple(map(_step, trace.steps)),
        state_before=_texts(_summary(state, state_type)),
        state_after=_texts(_summary(trace.result.state, state_type)),
        measurements=_texts(_summary(trace.result.measurements, result_types.measurements)),
        result=_texts(result),
        numbers=_numbers(client_summaries, trace.steps, result),
    )


def _step(step):
    parts = tuple(ClientChange(part.client, _text(part.argument), _text(part.value)) for part in step.clients)
    is_at_clients = parts and step.intrinsic != "federated_aggregate"
    return RoundStep(
        where=step.where,
        function=step.function,
        intrinsic=step.intrinsic,
        label=step.label,
        is_plumbing=step.is_plumbing,
        before=_text(step.argument),
        after="" if is_at_clients else _text(step.value),
        clients=parts,
    )


def _numbers(client_summaries, steps, result):
    form = _form(client_summaries[0])
    values = tuple(map(_flat, client_summaries))
    if None in values:
        return None
    return RoundNumbers(
        names=_number_names(client_summaries[0]),
        values=values,
        sent=_sent(form, steps),
        result=_flat(result) if _form(result) == form else (),
    )


def _form(summary):
    """What two summaries of the same kind of value have in common: names, dtypes and shapes."""
    return tuple((name, leaf.dtype, leaf.shape) for name, leaf in _leaves(summary))


def _flat(summary):
    """All numbers of a value in one tuple; None where a tensor has more than a summary holds."""
    leaves = [leaf.numbers for _, leaf in _leaves(summary)]
    return None if None in leaves else tuple(number for leaf in leaves for number in leaf)


def _number_names(summary):
    return tuple(
        f"{name}[{','.join(map(str, place))}]" if place else name or "value"
        for name, leaf in _leaves(summary)
        for place in np.ndindex(leaf.shape)
    )


def _sent(form, steps):
    """What each client gave into the sum, or into what stands in its place.

    Of several aggregations the sum is the first plain one of values of this form; where all call a function
    of their own, it is the last.
    """
    fitting = [
        step
        for step in steps
        if step.intrinsic == "federated_aggregate"
        and step.clients
        and all(_form(part.argument) == form for part in step.clients)
    ]
    fitting.sort(key=lambda step: bool(step.function))
    chosen = [step for step in fitting if not step.function][:1] or fitting[-1:]
    return tuple(_flat(part.argument) for step in chosen for part in step.clients)
