# %% [markdown]
# # 06 · Custom aggregators
#
# **You will learn** to build an aggregation factory of your own, one rung of a ladder at a time: work at the
# clients and the server, state and measurements, structures, and another factory inside. The example and its
# numbers are those of TFF's tutorial "Implementing Custom Aggregations".
#
# **You need** notebook 05, or to know what an aggregation process and a factory are.
#
# **On two cores:** {{ measured }}. {{ links }}

# %%
# {{ setup }}

# %%
import fedlab  # first: it makes the import of tff work
import collections
import inspect
import re

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

# %%
# @markdown One value at each client.
VALUES = [1.0, 2.0, 5.0]  # @param {"type": "raw"}
ROUNDS = 3  # @param {"type": "slider", "min": 2, "max": 10, "step": 1}
NUMBER = tff.TensorType(np.float32)  # the type of one client's value
LAYER = tff.to_type([(np.float32, (2,)), (np.float32, (3,))])  # two tensors, as a model's layer has

# %% [markdown]
# ## The task
#
# Sum the clients' values, in a roundabout way: **scale** each value at its client, **sum**, **unscale** the
# sum at the server. The result is the plain sum, 8.0 for clients 1, 2 and 5. That is useless, and it has
# every part that a useful factory has: compression, encryption and noise all do something at the clients and
# undo it at the server.
#
# As in notebook 05, a short name for the trace, without seconds:


# %%
def draw(computation, *arguments):
    tree = str(fedlab.trace(computation, *arguments))
    print(re.sub(r", [\d.e-]+ s$", "", tree, flags=re.MULTILINE))


# %% [markdown]
# ## Rung 1 · Minimal: 8.0 of 1, 2 and 5
#
# **A process is two federated functions.** We scale by 2. There is nothing to remember and nothing to
# report, so state and measurements are the empty tuple, placed at the server.


# %%
def initialize():
    return tff.federated_value((), tff.SERVER)


@tff.tensorflow.computation
def double(value):
    return value * 2.0


@tff.tensorflow.computation
def halve(value):
    return value / 2.0


# %%
def next_fn(state, value):
    doubled = tff.federated_map(double, value)  # at the clients
    total = tff.federated_sum(doubled)  # up to the server
    result = tff.federated_map(halve, total)  # at the server
    nothing = tff.federated_value((), tff.SERVER)
    return tff.templates.MeasuredProcessOutput(state, result, measurements=nothing)


# %% [markdown]
# Which `federated_map` runs where? TFF sees it from the placement of what is mapped.
#
# **A factory waits for the type.** `create` is told what one client's value looks like, and only then can the
# two functions become computations. This small class does no more than that, and stays the same on the
# rungs to come, so that you see only what changes:


# %%
class Rung(tff.aggregators.UnweightedAggregationFactory):
    def __init__(self, initialize, next_fn):
        self.initialize, self.next_fn = initialize, next_fn

    def create(self, value_type):
        initialize = tff.federated_computation(self.initialize)
        arguments = [initialize.type_signature.result, tff.FederatedType(value_type, tff.CLIENTS)]
        next_fn = tff.federated_computation(self.next_fn, arguments)
        return tff.templates.AggregationProcess(initialize, next_fn)


# %%
process = Rung(initialize, next_fn).create(NUMBER)
print("initialize:", process.initialize.type_signature)
print("next:      ", process.next.type_signature)

# %%
output = process.next(process.initialize(), VALUES)
print("expected: 8.0 · result:", output.result)

# %%
draw(process.next, process.initialize(), VALUES)

# %% [markdown]
# 1, 2, 5 become 2, 4, 10 at the clients; 16 arrives at the server and becomes 8.
#
# ## Rung 2 · State and measurements: 8, 16, 24
#
# **Now scale by the number of the round**: 1 in the first, 2 in the second. Somebody has to count, and that is
# the state. It starts as 0.0:


# %%
def initialize():
    return tff.federated_value(0.0, tff.SERVER)


@tff.tensorflow.computation
def add_one(number):
    return number + 1.0


# %%
@tff.tensorflow.computation
def multiply(value, factor):
    return value * factor


@tff.tensorflow.computation
def divide(value, factor):
    return value / factor


# %% [markdown]
# The counter is at the server, the values are at the clients. The naive version does not care:


# %%
def next_fn(state, value):
    count = tff.federated_map(add_one, state)
    scaled = tff.federated_map(multiply, (value, count))
    total = tff.federated_sum(scaled)
    result = tff.federated_map(divide, (total, count))
    return tff.templates.MeasuredProcessOutput(count, result, measurements=total)


# %% tags=["raises-exception"]
Rung(initialize, next_fn).create(NUMBER)

# %% [markdown]
# Read what it got: `<{float32}@CLIENTS,float32@SERVER>`, a pair in two places. **That is why there is a
# broadcast**: the count must travel to the clients first. One line more:


# %%
def next_fn(state, value):
    count = tff.federated_map(add_one, state)
    count_at_clients = tff.federated_broadcast(count)  # new
    scaled = tff.federated_map(multiply, (value, count_at_clients))  # changed
    total = tff.federated_sum(scaled)
    result = tff.federated_map(divide, (total, count))
    return tff.templates.MeasuredProcessOutput(count, result, measurements=total)


# %%
process = Rung(initialize, next_fn).create(NUMBER)
state = process.initialize()
for number in range(1, ROUNDS + 1):
    output = process.next(state, VALUES)
    state = output.state
    print(f"expected 8.0 and {8.0 * number:4} · result {output.result} · measured {output.measurements:4}")

# %% [markdown]
# The result is the same in every round. **That something changed at all, only the measurements show**: the sum
# before it is unscaled is 8, 16, 24. Here is the fourth round:

# %%
draw(process.next, state, VALUES)

# %% [markdown]
# First the server counts, then the count goes down. `divide` at the end uses the same count.
#
# ## Rung 3 · Structures: `[2. 3.]` and `[6. 4. 0.]`
#
# **A model's update is not a number but a structure of tensors.** The same factory, asked for two tensors:

# %% tags=["raises-exception"]
Rung(initialize, next_fn).create(LAYER)

# %% [markdown]
# An odd error: it speaks of *Pack*, which nobody called. Inside `multiply`, `value` is a Python list of two
# tensors. TensorFlow wants to multiply it, so it packs the list into one tensor first, and shapes 2 and 3 do not
# fit. The message is about our type, but the mistake is in `multiply`.
#
# With tensors of equal shape it is worse, for there is no error at all:

# %%
twins = tff.to_type([np.float32, np.float32])
print(twins, "->", Rung(initialize, next_fn).create(twins).next.type_signature.result.result)

# %% [markdown]
# Two numbers went in and one tensor came out. In training this would go wrong much later. Look at the type of
# what you made.
#
# **The remedy is `tf.nest.map_structure`**: do it to each tensor, and keep the structure.


# %%
def scale(value, factor):
    return tf.nest.map_structure(lambda tensor: tensor * factor, value)


def unscale(value, factor):
    return tf.nest.map_structure(lambda tensor: tensor / factor, value)


# %% [markdown]
# These are the **leaves** of the aggregation: TensorFlow, nothing federated, no decorator. That is why they stand
# outside. You can call and test them alone, with numbers whose result you know:

# %%
print("expected: [3. 6.] · got:", scale([tf.constant([1.0, 2.0])], 3.0)[0].numpy())

# %% [markdown]
# The federated function wraps them and says where they run. Two lines change:


# %%
def next_fn(state, value):
    count = tff.federated_map(add_one, state)
    count_at_clients = tff.federated_broadcast(count)
    scaled = tff.federated_map(tff.tensorflow.computation(scale), (value, count_at_clients))  # changed
    total = tff.federated_sum(scaled)
    result = tff.federated_map(tff.tensorflow.computation(unscale), (total, count))  # changed
    return tff.templates.MeasuredProcessOutput(count, result, measurements=total)


# %%
process = Rung(initialize, next_fn).create(LAYER)
layers = [[[1.0, 2.0], [3.0, 4.0, 5.0]], [[1.0, 1.0], [3.0, 0.0, -5.0]]]
output = process.next(process.initialize(), layers)
print("expected: [2. 3.] [6. 4. 0.]")
print("result:  ", *output.result)

# %%
draw(process.next, process.initialize(), layers)

# %% [markdown]
# `<0=..., 1=...>` is how the trace writes a structure without names. Each tensor went its way by itself, and
# the type says so:

# %%
print(LAYER, "->", process.next.type_signature.result.result)

# %% [markdown]
# ## Rung 4 · Another factory inside
#
# **Who says that it must be a plain sum?** Instead of `federated_sum`, let another process bring the values to
# the server. First a sum, as before, but as a process:

# %%
inner_process = tff.aggregators.SumFactory().create(NUMBER)

# %% [markdown]
# The inner process has a state of its own, which becomes part of ours, and so do its measurements. Naively, we
# put things that belong together into a pair:


# %%
def initialize():
    return tff.federated_value(0.0, tff.SERVER), inner_process.initialize()


def next_fn(state, value):
    count, inner_state = state
    inner = inner_process.next(inner_state, value)
    return tff.templates.MeasuredProcessOutput((count, inner.state), inner.result, inner.measurements)


# %% tags=["raises-exception"]
Rung(initialize, next_fn).create(NUMBER)

# %% [markdown]
# Read the type in the error: `<float32@SERVER,<>@SERVER>`, two things, each of them at the server. A state has to
# be *one* thing at the server, `<float32,<>>@SERVER`. **That is what `federated_zip` is for**, as the tip says:
# it pulls the placement out of the pair.


# %%
def initialize():
    count = tff.federated_value(0.0, tff.SERVER)
    return tff.federated_zip((count, inner_process.initialize()))  # changed


print(tff.federated_computation(initialize).type_signature)

# %% [markdown]
# In `next_fn`, the sum is delegated, and both kinds of output are composed. The result flows through; it is not
# collected:


# %%
def next_fn(state, value):
    count, inner_state = state  # new
    count = tff.federated_map(add_one, count)
    count_at_clients = tff.federated_broadcast(count)
    scaled = tff.federated_map(tff.tensorflow.computation(scale), (value, count_at_clients))
    inner = inner_process.next(inner_state, scaled)  # changed
    result = tff.federated_map(tff.tensorflow.computation(unscale), (inner.result, count))
    state = tff.federated_zip((count, inner.state))  # new
    measurements = collections.OrderedDict(scaled_value=inner.result, scaled_sum=inner.measurements)
    return tff.templates.MeasuredProcessOutput(state, result, tff.federated_zip(measurements))


# %% [markdown]
# Measurements are an `OrderedDict`, because people read them. `scaled_value` is our own; the key named after the
# factory, `scaled_sum`, holds what the factory inside has to report. TFF's own factories do the same.

# %%
process = Rung(initialize, next_fn).create(NUMBER)
output = process.next(process.initialize(), VALUES)
output = process.next(output.state, VALUES)
print("expected: 8.0, and 16.0 before it is unscaled")
print("result:  ", output.result, dict(output.measurements))

# %% [markdown]
# The sum inside has nothing to report: `()`. Its state is as empty:

# %%
print("state after two rounds:", output.state)

# %%
draw(process.next, output.state, VALUES)

# %% [markdown]
# It looks like rung 2, one round on: who adds up is nothing that the steps around it would notice.

# %% [markdown]
# ## The complete class
#
# One thing is left: `inner_process` belongs into `create`, which knows the type, and the factory that makes it
# into `__init__`. That is fedlab's `ScaledSumFactory`; here is its code.

# %%
from fedlab.aggregators import ScaledSumFactory
from fedlab.aggregators.scaled_sum import scale as scale_in_library

print(inspect.getsource(ScaledSumFactory))

# %% [markdown]
# `next_fn` is the one that you climbed to, in four paragraphs: at the clients, inner aggregation, at the server,
# output. New are a mark that will be read below, and two checks, which name mistakes where they are made:

# %% tags=["raises-exception"]
ScaledSumFactory(tff.aggregators.MeanFactory())

# %% [markdown]
# The library's leaves do a little more than ours, too. Integers stay integers:

# %%
print(scale_in_library(tf.constant([1, 2]), 3.0))

# %% [markdown]
# ### In the explorer
#
# **The explorer takes your own factory**, and this is rung 4 beside the complete class. Press *Next round*, and
# *Next step* to walk from the count to the clients and back:

# %%
ladder = {"rung 4": Rung(initialize, next_fn), "complete class": ScaledSumFactory()}
explorer = fedlab.widgets.AggregationExplorer(ladder, VALUES)
explorer

# %% [markdown]
# The same without hands. Where a step computes, what goes in stands before the arrow, and what comes out behind:

# %%
explorer.next_round(), explorer.next_round()
print(explorer)

# %% [markdown]
# 1 became 2 in the state, and all values were doubled on their way. Now let the clients hold structures, with
# names this time. Rung 4 was made for numbers:

# %%
for field in explorer.clients.values:
    field.value = '{"w": [1, 2], "b": 0.5}'
explorer.next_round()
print(str(explorer).splitlines()[1])

# %% [markdown]
# `inner_process` is a sum of single numbers, and that was settled before anyone knew the type. The complete class
# makes its inner process in `create`:

# %%
explorer.factory.value = "complete class"
explorer.next_round()

# %% [markdown]
# ### With a sum inside

# %%
process = ScaledSumFactory().create(NUMBER)
state = process.initialize()
for number in range(1, ROUNDS):
    output = process.next(state, VALUES)
    state = output.state
    print(f"expected 8.0 and {8.0 * number:4} · result {output.result}", dict(output.measurements))

# %% [markdown]
# ### With itself inside: 8.0 and 32.0
#
# **It is an unweighted factory, and it takes one.** So it takes itself. What do you expect of the second
# round? The outer one scales by 2, the inner one by 2 again:

# %%
process = ScaledSumFactory(ScaledSumFactory()).create(NUMBER)
state = process.initialize()
for number in range(1, ROUNDS):
    output = process.next(state, VALUES)
    state = output.state
    inner = output.measurements["scaled_sum"]
    print(f"expected 8.0 and {8.0 * number**2:4} · result {output.result} · inside {inner['scaled_value']}")

# %% [markdown]
# 8.0, then 32.0. The measurements are nested as the factories are:

# %%
output.measurements

# %%
draw(process.next, state, VALUES)

# %% [markdown]
# The third round, from outside to inside and back: two counts, two broadcasts, `scale` twice, one sum of 72,
# `unscale` twice.
#
# ## Into training
#
# **A sum is not a mean.** Federated averaging wants something of the size of *one* update. The name
# `model_aggregator` does not say so, and TFF would take the sum without a word; `for_fed_avg` does not:

# %% tags=["raises-exception"]
fedlab.aggregators.for_fed_avg(ScaledSumFactory())

# %% [markdown]
# The error says where a sum belongs: into a mean, as `MeanFactory` delegates its sums (notebook 05).

# %%
mean = tff.aggregators.MeanFactory(value_sum_factory=ScaledSumFactory())
process = fedlab.aggregators.for_fed_avg(mean).create(NUMBER, NUMBER)
output = process.next(process.initialize(), VALUES, [1.0, 1.0, 2.0])
print("expected:", np.average(VALUES, weights=[1, 1, 2]), "· result:", output.result)

# %% [markdown]
# That factory goes into `build_weighted_fed_avg(..., model_aggregator=...)` as it is: notebook 07 trains with it.
#
# ## Recap
#
# - `create` gets the type and makes two computations: `initialize` for the state, `next` for a round.
# - State is what the next round must know, measurements are what people should see. Both are composed with
#   those of the factory inside; the result flows through.
# - `federated_broadcast` takes a value down to the clients; `federated_zip` makes one placed thing of several.
# - `tf.nest.map_structure` in the leaves makes a factory fit for models. Leaves stand outside and are tested
#   alone.
# - Delegating to an inner factory makes it a building block.
#
# ## Exercises
#
# **1.** Climb back to rung 1 and build a *counting* factory: its result is the number of clients, whatever they
# hold.
#
# <details><summary>A solution</summary>
#
# ```python
# def initialize():
#     return tff.federated_value((), tff.SERVER)
#
#
# def next_fn(state, value):
#     ones = tff.federated_value(1, tff.CLIENTS)
#     nothing = tff.federated_value((), tff.SERVER)
#     return tff.templates.MeasuredProcessOutput(state, tff.federated_sum(ones), nothing)
#
#
# process = Rung(initialize, next_fn).create(NUMBER)
# process.next(process.initialize(), VALUES).result  # 3
# ```
#
# The result has another type than the value, which is allowed; only federated averaging would refuse it.
# </details>
#
# **2.** Make rung 2 remember the *largest* sum that it has seen, and report it.
#
# <details><summary>A solution</summary>
#
# ```python
# larger = tff.tensorflow.computation(lambda a, b: tf.maximum(a, b))
#
#
# def initialize():
#     return tff.federated_value(-np.inf, tff.SERVER)
#
#
# def next_fn(state, value):
#     total = tff.federated_sum(value)
#     largest = tff.federated_map(larger, (state, total))
#     return tff.templates.MeasuredProcessOutput(largest, total, measurements=largest)
# ```
#
# The largest sum is state, because the next round compares with it, and a measurement, because you want to see
# it.
# </details>
#
# **3.** What does `ScaledSumFactory(tff.aggregators.UnweightedMeanFactory())` give for 1, 2 and 5? And why is
# its result still right in round 10?
#
# <details><summary>A solution</summary>
#
# The mean, 8 / 3. Scaling and unscaling cancel around everything that is linear, a mean as well as a sum. Try a
# clipped sum inside, which is not linear: the larger the scale, the more is clipped, and the result
# shrinks from round to round.
# </details>
#
# {{ next }}
