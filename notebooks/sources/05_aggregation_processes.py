# %% [markdown]
# # 05 · Aggregation processes
#
# **You will learn** how values get from clients to the server in TFF: what an aggregation process is, how to
# read its types, why it has a state and measurements, and how factories fit into each other.
#
# **You need** notebook 00, or to know what a computation and its type are.
#
# **On two cores:** {{ measured }}. {{ links }}

# %%
# {{ setup }}

# %%
import fedlab  # first: it makes the import of tff work
import re
import warnings

import numpy as np
import tensorflow_federated as tff

# %% [markdown]
# Three clients hold one number each; the last one knows twice as much as the others.

# %%
# @markdown One value at each client, and how much each of them counts.
VALUES = [1.0, 2.0, 5.0]  # @param {"type": "raw"}
WEIGHTS = [1.0, 1.0, 2.0]  # @param {"type": "raw"}
# @markdown Longer values are shortened to this:
CLIP_NORM = 3.0  # @param {"type": "number"}
ROUNDS = 7  # @param {"type": "slider", "min": 1, "max": 20, "step": 1}
NUMBER = tff.TensorType(np.float32)  # the type of one client's value, and of its weight

# %% [markdown]
# ## 1 · An aggregation is the way up
#
# **One value at each client becomes one value at the server.** TFF's simplest aggregation is a sum:


# %%
@tff.federated_computation(tff.FederatedType(NUMBER, tff.CLIENTS))
def add_up(values):
    return tff.federated_sum(values)


print(add_up.type_signature)
print("expected:", sum(VALUES), "· TFF:", add_up(VALUES))

# %% [markdown]
# Aloud: "takes a number at each client, gives a number at the server". `CLIENTS` and `SERVER` are the two
# **placements** that a value can have. They are part of its type, so TFF knows what may be computed where.
#
# **Python's own `sum` is no way up.** It looks simpler, so everybody tries it:


# %% tags=["raises-exception"]
@tff.federated_computation(tff.FederatedType(NUMBER, tff.CLIENTS))
def add_up_in_python(values):
    return sum(values)


# %% [markdown]
# `values` is not a list: when TFF reads the function there are no clients yet, and there may be a million of
# them later. What is said about them must be said with TFF's operators, which work for any number.
#
# **A number at the server does not meet numbers at the clients**, unless it travels there first:


# %%
@tff.tensorflow.computation(NUMBER, NUMBER)
def multiply(value, factor):
    return value * factor


# %% tags=["raises-exception"]
@tff.federated_computation(tff.FederatedType(NUMBER, tff.CLIENTS), tff.FederatedType(NUMBER, tff.SERVER))
def scale_without_sending(values, factor):
    return tff.federated_map(multiply, (values, factor))


# %% [markdown]
# Read the ends of the two messages: values placed at `SERVER, CLIENTS` were found, in a pair with one half at
# the clients and one at the server. There is no place where `multiply` could run. `federated_broadcast` sends
# the factor down, and now both are at the clients:


# %%
@tff.federated_computation(tff.FederatedType(NUMBER, tff.CLIENTS), tff.FederatedType(NUMBER, tff.SERVER))
def scale_and_add(values, factor):
    scaled = tff.federated_map(multiply, (values, tff.federated_broadcast(factor)))
    return tff.federated_sum(scaled)


print(scale_and_add(VALUES, 10.0))

# %% [markdown]
# `fedlab.trace` shows which step ran where. We draw it often, so we give it a short name, and leave the seconds
# out:


# %%
def draw(computation, *arguments):
    tree = str(fedlab.trace(computation, *arguments))
    print(re.sub(r", [\d.e-]+ s$", "", tree, flags=re.MULTILINE))


draw(scale_and_add, VALUES, 10.0)

# %% [markdown]
# Down with the factor, work at each client, up with a sum that grows client by client. Nobody asked the
# clients for their numbers one by one.
#
# ## 2 · An aggregation process
#
# **TFF wraps an aggregation into a process: two computations.** `initialize` makes a first state, and `next`
# aggregates one round.

# %%
sum_process = tff.aggregators.SumFactory().create(NUMBER)
print(sum_process.initialize.type_signature)
print(sum_process.next.type_signature.formatted_representation())

# %% [markdown]
# Read it from the arrow. Into `next` go
#
# - the `state`, at the server; a sum needs none, and `<>` is the empty structure;
# - the `value`: a number at each client.
#
# And out come three things, all at the server: the new `state`, the `result`, and the `measurements`. The
# same three fields are on the Python side:

# %%
state = sum_process.initialize()
output = sum_process.next(state, VALUES)
print(type(output).__name__)
print(f"state {output.state} · result {output.result} · measurements {output.measurements}")

# %% [markdown]
# A `MeasuredProcessOutput`: every aggregation process is a **measured process**, with one rule more: the
# second argument comes from the clients.

# %%
print(isinstance(sum_process, tff.templates.MeasuredProcess))
print(tff.templates.AggregationProcess.__mro__[1].__name__)

# %% [markdown]
# ## 3 · Why there is a state
#
# **Some aggregations learn from round to round.** Clipping shortens long updates, so that no client pulls too
# hard. But how long is long? TFF can estimate it: half of the clients should be below the limit.

# %%
median_norm = tff.aggregators.PrivateQuantileEstimationProcess.no_noise(
    initial_estimate=1.0, target_quantile=0.5, learning_rate=1.0
)
clipped_sum = tff.aggregators.clipping_factory(median_norm, tff.aggregators.SumFactory())
adaptive = clipped_sum.create(NUMBER)

# %% [markdown]
# The naive way to call it is to start from the first state each time:

# %%
for _ in range(ROUNDS):
    output = adaptive.next(adaptive.initialize(), VALUES)
    print(f"limit {output.measurements['clipping_norm']:.2f} · result {output.result:.2f}")

# %% [markdown]
# The same round, again and again: nothing was learned. A process keeps nothing to itself. What it should
# know next time is in the state, and you hand it on:

# %%
state = adaptive.initialize()
for _ in range(ROUNDS):
    output = adaptive.next(state, VALUES)
    state = output.state
    print(f"limit {output.measurements['clipping_norm']:.2f} · result {output.result:.2f}")

# %% [markdown]
# The limit climbs to 2.0, the median of the three values, goes a step too far and turns back. fedlab draws it,
# with `ClientNormsFactory` around the sum to say how long the values were before they were clipped:

# %%
process = fedlab.aggregators.ClientNormsFactory(clipped_sum).create(NUMBER)
state, measured = process.initialize(), []
for _ in range(ROUNDS):
    output = process.next(state, VALUES)
    state = output.state
    measured.append(output.measurements)

# %%
limits = [one["client_norms"]["clipping_norm"] for one in measured]
fedlab.plots.plot_update_norms(measured, limits)

# %% [markdown]
# The clients stay as they are; the dashed line looks for their median. Since the state is an ordinary value, a
# round can be repeated, saved and continued elsewhere: that is why it is an argument and not hidden in an
# object.
#
# ## 4 · Why there are measurements
#
# **The result does not say how it came about.** A sum of 3.00 in the first round: were the clients small, or
# were they clipped? The measurements tell:

# %%
output = adaptive.next(adaptive.initialize(), VALUES)
for name, value in output.measurements.items():
    print(f"{name:14} {value}")

# %% [markdown]
# Two of three clients were clipped, at 1.0. Measurements have no influence on anything; they are for you to look
# at. The key `clipping` holds those of the sum inside: none.
#
# ### Step by step
#
# **The explorer runs rounds with values that you type.** Press *Next round* a few times and see the state move.
# Walk through a round with *Next step*; *Back* shows the round before. Other factories are in the list, and a
# client may hold a list of numbers: `[1, 2]`.

# %%
factories = {
    "clipped sum": clipped_sum,
    "mean": tff.aggregators.MeanFactory(),
    "median": fedlab.aggregators.CoordinateMedianFactory(),
}
explorer = fedlab.widgets.AggregationExplorer(factories, VALUES)
explorer

# %% [markdown]
# All that the buttons do can be written, too. Two rounds, and what the second did up to the step where clients
# clip, which the arrow marks:

# %%
explorer.next_round(), explorer.next_round()
explorer.next_step()
print(explorer)

# %% [markdown]
# Step 1 sends the limit down, and step 2 clips: `<0=5, 1=…>` is a pair, the value and the limit. From step 3 on
# the limit is estimated anew: a client says 0.5 if it was below and -0.5 if not, and `get_noised_result` moves the
# estimate. (There is noise in the name only: we asked for `no_noise`.) What the state becomes is the limit of the
# next round.
#
# **A round can be repeated**, for what it starts from is only a value. Back to round 1, and the last client holds
# 1000 now:

# %%
explorer.back()
explorer.clients.values[2].value = "1000"
repeated = explorer.next_round()
print(f"round {repeated.number} again · clients {repeated.client_values} · result {repeated.result[0][1]}")

# %% [markdown]
# The result is what it was: a client that is clipped pulls as hard with 1000 as with 5.
#
# ## 5 · Factories: the recipe before the type
#
# **An aggregation is chosen before anyone knows what is aggregated.** You say "a sum, please"; what the
# model's weights look like turns up when the model is built. So there are **factories**, whose `create` gets the
# type later:

# %%
factory = tff.aggregators.SumFactory()
layer_type = tff.to_type([(np.float32, (2, 3)), (np.float32, (3,))])
for value_type in [NUMBER, layer_type]:
    print(factory.create(value_type).next.type_signature.result.result)

# %% [markdown]
# One factory, two processes. `create` wants the type of *one* client's value, without a placement, as a TFF
# type. NumPy's dtype alone is none:

# %% tags=["raises-exception"]
factory.create(np.float32)

# %% [markdown]
# "Found type" is about Python: `np.float32` is a Python class. `tff.TensorType(np.float32)` is what `create`
# wanted, or `tff.to_type(...)`, which makes structures as well.
#
# ## 6 · Weighted and unweighted
#
# **There are two kinds of factories, and they do not mix.** A mean needs to know how much each client
# counts:

# %% tags=["raises-exception"]
tff.aggregators.MeanFactory().create(NUMBER)

# %% [markdown]
# `MeanFactory` is weighted: its `create` takes the type of the weight as well, and the `next` of its process takes
# the weights.

# %%
mean_process = tff.aggregators.MeanFactory().create(NUMBER, NUMBER)
print(mean_process.next.type_signature.parameter.formatted_representation())

# %%
output = mean_process.next(mean_process.initialize(), VALUES, WEIGHTS)
print("expected:", np.average(VALUES, weights=WEIGHTS), "· TFF:", output.result)

# %% [markdown]
# Which kind a factory is, its base class says:

# %%
for factory in [
    tff.aggregators.SumFactory(),
    tff.aggregators.MeanFactory(),
    tff.aggregators.UnweightedMeanFactory(),
    tff.aggregators.clipping_factory(CLIP_NORM, tff.aggregators.MeanFactory()),
    fedlab.aggregators.CoordinateMedianFactory(),
]:
    weighted = isinstance(factory, tff.aggregators.WeightedAggregationFactory)
    print(f"{type(factory).__name__:24} {'weighted' if weighted else 'unweighted'}")

# %% [markdown]
# Clipping takes its kind from the factory inside. Training asks for one kind: `build_weighted_fed_avg` hands
# out weights, `build_unweighted_fed_avg` does not. `fedlab.aggregators.for_fed_avg` wraps what can be
# wrapped, and says what cannot:

# %%
median = fedlab.aggregators.CoordinateMedianFactory()
wrapped = fedlab.aggregators.for_fed_avg(median, weighted=True)
print(isinstance(wrapped, tff.aggregators.WeightedAggregationFactory))

# %% tags=["raises-exception"]
fedlab.aggregators.for_fed_avg(tff.aggregators.MeanFactory(), weighted=False)

# %% [markdown]
# A median can go without weights. A weighted mean cannot, and the error names two ways out.
#
# ## 7 · Opened up: sum and mean
#
# **A sum is one step.**

# %%
draw(sum_process.next, sum_process.initialize(), VALUES)

# %% [markdown]
# **A mean is two sums, and a little work before and after.**

# %%
draw(mean_process.next, mean_process.initialize(), VALUES, WEIGHTS)

# %% [markdown]
# At the clients, `_mul` makes value times weight. Two sums go up, one of the products and one of the weights. At
# the server, `_div` divides them. The state and the measurements have a place for each of the two sums:

# %%
print("state:       ", list(mean_process.initialize()))
print("measurements:", list(output.measurements))

# %% [markdown]
# **`MeanFactory` does not add up itself.** It *delegates* to two factories, both `SumFactory()` unless you
# say otherwise. Here one of them is fedlab's `ScaledSumFactory`, which counts its rounds:

# %%
scaled = tff.aggregators.MeanFactory(value_sum_factory=fedlab.aggregators.ScaledSumFactory())
scaled_process = scaled.create(NUMBER, NUMBER)
print(scaled_process.next.type_signature.result.formatted_representation())

# %% [markdown]
# The result is a number as before. The state now has a place for the counter of the value sum, and
# `mean_value` among the measurements holds what that sum reports. Only the sum was exchanged; the mean did not
# notice.
#
# **Nobody came?** Then 0 is divided by 0:

# %%
careful = tff.aggregators.MeanFactory(no_nan_division=True).create(NUMBER, NUMBER)
print(mean_process.next(mean_process.initialize(), [], []).result)
print(careful.next(careful.initialize(), [], []).result)

# %% [markdown]
# With `no_nan_division=True` a round without clients changes nothing.
#
# ## 8 · Secure sums, inside a mean
#
# **A secure sum tells the server the total and nothing else.** It works with whole numbers of limited size, so
# `SecureSumFactory` wants a bound, rounds values to a fine grid and clips what is beyond.

# %%
secure_sum = tff.aggregators.SecureSumFactory(upper_bound_threshold=8.0)  # from -8 to 8
secure_mean = tff.aggregators.MeanFactory(value_sum_factory=secure_sum).create(NUMBER, NUMBER)

# %%
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    output = secure_mean.next(secure_mean.initialize(), VALUES, WEIGHTS)
warnings.simplefilter("ignore", fedlab.runtime.SimulatedSecurityWarning)  # read once is enough
print(caught[0].message)

# %% [markdown]
# fedlab says what it does: the arithmetic is that of a secure sum, the secrecy is simulated. And the result?

# %%
print("expected:", (1 * 1 + 2 * 1 + 8) / 4, "· TFF:", round(float(output.result), 6))
print("clipped: ", output.measurements["mean_value"]["secure_upper_clipped_count"], "client")

# %% [markdown]
# Not the plain mean, and no accident: what is summed is value *times weight*, and 5 times 2 is above the bound
# of 8. The measurements say so. Choose a bound for what the inner factory sees.
#
# ## 9 · Inside or outside?
#
# **The same two factories, put together in two ways, are two aggregations.** Clipping around a mean clips the
# values:

# %%
outside = tff.aggregators.clipping_factory(CLIP_NORM, tff.aggregators.MeanFactory())
process = outside.create(NUMBER, NUMBER)
print("expected:", (1 * 1 + 2 * 1 + 3 * 2) / 4)
draw(process.next, process.initialize(), VALUES, WEIGHTS)

# %% [markdown]
# `clip_fn` runs before `_mul`: the last client's 5 becomes 3, and then counts twice. (It gives three things: the
# clipped value, its norm before, and whether it was clipped.) Clipping inside the mean clips products:

# %%
clipped_inside = tff.aggregators.clipping_factory(CLIP_NORM, tff.aggregators.SumFactory())
process = tff.aggregators.MeanFactory(value_sum_factory=clipped_inside).create(NUMBER, NUMBER)
print("expected:", (1 + 2 + 3) / 4)
draw(process.next, process.initialize(), VALUES, WEIGHTS)

# %% [markdown]
# `_mul` first: 5 times 2 is 10, and becomes 3. The weights are summed unclipped, so a client with much text
# loses more than one with little. Mostly you want the first: clipping, around a mean, around a secure sum.

# %%
nested = tff.aggregators.clipping_factory(
    CLIP_NORM, tff.aggregators.MeanFactory(value_sum_factory=secure_sum)
).create(NUMBER, NUMBER)
output = nested.next(nested.initialize(), VALUES, WEIGHTS)
print("expected:", (1 * 1 + 2 * 1 + 3 * 2) / 4, "· TFF:", round(float(output.result), 6))

# %% [markdown]
# The mean is the inner factory of clipping and the outer one of the secure sum. The measurements are nested the
# same way, each key named after the factory that put it there:


# %%
def show(measurements, indent=""):
    for name, value in measurements.items():
        is_number = not isinstance(value, dict | tuple)
        print(f"{indent}{name} {value if is_number else ''}")
        show({} if is_number else dict(value), indent + "    ")


show(output.measurements)

# %% [markdown]
# From outside to inside: clipping, the mean, the secure sum of the products. One client was clipped outside,
# so none reached the bound inside.
#
# In training it is one argument, `model_aggregator=...` of `build_weighted_fed_avg`, and notebook 07 is about
# what comes of it.
#
# ## Recap
#
# - An aggregation takes a value at each client to one value at the server. Down goes `federated_broadcast`.
# - An aggregation process is `initialize` and `next`; `next` gives state, result and measurements.
# - The state is what the next round should know, and you hand it on. Measurements are for people.
# - A factory waits for the type. Weighted ones take weights; `for_fed_avg` says what fits where.
# - Factories delegate to others. What is outside works first at the clients, and last at the server.
#
# ## Exercises
#
# **1.** Estimate the limit for 9 of 10 clients instead of half. Where does it climb to?
#
# <details><summary>A solution</summary>
#
# `target_quantile=0.9` in section 3. Below a limit between 2 and 5 are two clients of three, which is less than
# 90 %, so it climbs on past 2.0. Above 5.0 all three are below, which is more, and it comes down again: it
# settles around 5.0, the largest value.
# </details>
#
# **2.** Clip the *weights* at 1.0 instead of the values. Which mean do you expect?
#
# <details><summary>A solution</summary>
#
# ```python
# clipped_weights = tff.aggregators.clipping_factory(1.0, tff.aggregators.SumFactory())
# process = tff.aggregators.MeanFactory(weight_sum_factory=clipped_weights).create(NUMBER, NUMBER)
# process.next(process.initialize(), VALUES, WEIGHTS).result  # 13 / 3 = 4.33
# ```
#
# Only the sum that is divided by has clipped weights; the products were made before, with the weight of 2. That is
# no mean of anything: an example of a composition that TFF allows and that makes no sense.
# </details>
#
# **3.** Is `clipping_factory(CLIP_NORM, MeanFactory())` still safe if one client sends `nan`?
#
# <details><summary>A solution</summary>
#
# No: try `[1.0, 2.0, float("nan")]`. The norm of `nan` is `nan`, which is not above any limit, so it is not
# clipped, and any sum with it is `nan`. `tff.aggregators.zeroing_factory(10.0, ...)` sets what is too large to
# 0, also what is infinite, but it asks the same question and lets `nan` pass.
# `fedlab.aggregators.CoordinateMedianFactory()` leaves it out and counts it.
# </details>
#
# {{ next }}
