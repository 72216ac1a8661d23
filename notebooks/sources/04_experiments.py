# %% [markdown]
# # 04 · Experiments
#
# **You will learn** to ask a federated process one question at a time, and to tell an answer from luck: random
# clients, local epochs, client and server optimizers, client weighting, and FedAvg against FedProx.
#
# **You need** notebook 03: processes, rounds, held-out evaluation.
#
# **On two cores:** {{ measured }}. {{ links }}

# %%
# {{ setup }}

# %% [markdown]
# `import fedlab` comes first, as always.

# %%
import fedlab
import inspect
from dataclasses import replace

import tensorflow_federated as tff
from tensorflow_federated.python.learning.templates import proximal_client_work
from tqdm.auto import tqdm

from fedlab import training
from fedlab.datasets.federated_text import from_speeches
from fedlab.datasets.sequences import BATCH_SIZE, SEQUENCE_LENGTH_CHARS
from fedlab.models.dickens import load_small_dickens
from fedlab.plots import gains_by_group, plot_client_gains, plot_comparison

algorithms, optimizers = tff.learning.algorithms, tff.learning.optimizers

# %% [markdown]
# Every experiment below shares these numbers. They are small, so that all of them together fit five minutes;
# whoever has an hour raises them.

# %%
ROUNDS = 5  # @param {"type": "slider", "min": 1, "max": 50, "step": 1}
CLIENTS_PER_ROUND = 4  # @param {"type": "slider", "min": 1, "max": 8, "step": 1}
# @markdown Of each client: batches to train on, the rest is left out; and windows of 100 characters, held out.
BATCHES_PER_CLIENT = 5  # @param {"type": "slider", "min": 1, "max": 8, "step": 1}
HELD_OUT_WINDOWS = 8  # @param {"type": "slider", "min": 1, "max": 10, "step": 1}
SEED = 1  # @param {"type": "integer"}

# %% [markdown]
# ## 0 · What stays the same
#
# TFF's tutorial ends with five suggestions: sample clients at random, train several local epochs, try other
# client optimizers, other server optimizers, other client weights. Each is a section here. **A fair comparison
# changes one thing**, so the model, the text and the evaluation are fixed first.
#
# Many runs want a small model: this one has a GRU of 256 units instead of 1024, and read Dickens like its big
# sister. It knows less, learns by the same rules, and a round takes a fraction of the time.

# %%
window = SEQUENCE_LENGTH_CHARS + 1


def shorten(clients, num_windows):
    return from_speeches({c: [clients.text(c)[: num_windows * window]] for c in client_ids})


train, test = fedlab.load_shakespeare()
client_ids = [c for c in train.client_ids if len(train.text(c)) >= BATCHES_PER_CLIENT * BATCH_SIZE * window]
train_small = shorten(train, BATCHES_PER_CLIENT * BATCH_SIZE)
test_small = shorten(test, HELD_OUT_WINDOWS)
print(f"{len(client_ids)} clients, each with {BATCHES_PER_CLIENT} batches of {BATCH_SIZE} windows")

# %%
model = load_small_dickens(batch_size=8)
model_fn = fedlab.make_model_fn(model)
dickens = training.weights_of(model)
evaluate_weights = training.make_weights_evaluation(load_small_dickens(batch_size=8), test_small, client_ids)
before = evaluate_weights(dickens)
print(f"before: accuracy {before.accuracy:.0%} of {before.num_characters:,} held-out characters")

# %% [markdown]
# An experiment is: a process, started from Dickens, some rounds, and a record of them. Everything after this
# calls these two functions.


# %%
CLIENT_SGD, SERVER_SGD = optimizers.build_sgdm(0.3), optimizers.build_sgdm(1.0)


def fed_avg(client=CLIENT_SGD, server=SERVER_SGD, **options):
    return algorithms.build_weighted_fed_avg(model_fn, client, server, **options)


def run(name, process, clients=train_small, ids=client_ids, cohort=CLIENTS_PER_ROUND, seed=SEED, **settings):
    server = fedlab.start_server(process, model)
    settings = dict(client_ids=ids, clients_per_round=cohort, seed=seed) | settings
    rounds = fedlab.run_rounds(server, clients, ROUNDS, evaluate_weights=evaluate_weights, **settings)
    records = list(tqdm(rounds, total=ROUNDS, desc=name))
    moved = training.distance_between(server.model_weights, dickens)
    return training.Experiment(name, before, records, moved)


def table(*experiments):
    for experiment in experiments:
        print(f"{experiment.name:<22} {experiment.gain_points:+.1f} points")


# %% [markdown]
# **How large is luck?** Before any comparison: the same process with three seeds. A seed decides who is drawn
# and in which order windows come, nothing else.

# %%
plain = fed_avg()
seeds = [run(f"seed {seed}", plain, seed=seed) for seed in (SEED, SEED + 1, SEED + 2)]

# %%
plot_comparison(seeds, "The same process, three seeds")

# %% tags=["nbval-ignore-output"]
table(*seeds)
gains = [experiment.gain_points for experiment in seeds]
luck = max(gains) - min(gains)
print(f"from the best seed to the worst: {luck:.1f} points")

# %%
print("every seed gained:", min(gains) > 0)

# %% [markdown]
# Fine-tuning works whatever the seed. But seeds alone make a spread, `luck`: a difference smaller than that, from
# one seed and a few rounds, is no finding. From here on every run has the same seed, so that the same clients
# train on the same windows, and we still call clear only what is larger than the spread. Three seeds are few for
# such a measure, and a paper would take ten; it is a brake on rash conclusions, not a proof.


# %%
def compare(first, second):
    difference = second.gain_points - first.gain_points
    verdict = "clearly better" if difference > 0 else "clearly worse"
    verdict = verdict if abs(difference) > luck else "within luck"
    print(f"{second.name} against {first.name}: {verdict}")


# %% [markdown]
# ## 1 · Random clients
#
# The tutorial trains the same clients in every round. **Real rounds draw whoever is there.** The first four of the
# list, always, against four drawn anew:

# %%
drawn = replace(seeds[0], name="drawn each round")
fixed = run("always the same", plain, ids=client_ids[:CLIENTS_PER_ROUND])
print("took part:", len(fixed.participants), "against", len(drawn.participants), "clients")

# %%
plot_client_gains([fixed, drawn], "Who gains when the same clients train, and when they are drawn")

# %% tags=["nbval-ignore-output"]
table(fixed, drawn)
compare(fixed, drawn)

# %%
for experiment in (fixed, drawn):
    _, left_out = gains_by_group(experiment)
    print(f"{experiment.name}: {len(left_out)} clients never trained;", end=" ")
    print("they gained on average:", sum(left_out) > 0)

# %% [markdown]
# A dot is a client, a black line the mean of its group. Roles that never trained gain as well, in both runs:
# Shakespeare's English is common property. Drawing anew gains more, over all roles: more of them take part, and
# the model hears more voices for the same communication. And the tutorial's number, measured on the few clients
# that train, would say nothing about the others.

# %% [markdown]
# ## 2 · Several local epochs
#
# **Communication is dear, computing is cheap**, says the FedAvg paper (McMahan et al. 2017): let each client go
# through its text several times before it answers.

# %%
one_epoch = replace(drawn, name="1 local epoch")
three_epochs = run("3 local epochs", plain, local_epochs=3)

# %%
plot_comparison([one_epoch, three_epochs], "Local epochs", over=("rounds", "work"))

# %% tags=["nbval-ignore-output"]
table(one_epoch, three_epochs)
compare(one_epoch, three_epochs)

# %%
batches = [experiment.curve[-1][1] for experiment in (one_epoch, three_epochs)]
print(f"batches trained on: {batches[0]} and {batches[1]}")

# %% [markdown]
# Left, by rounds: more local work goes further with the same communication, at first; then the curves meet. Right,
# by work: the same accuracy has cost three times the batches. What clients learn in the third pass over a little
# text is their own lines more than the language, and averaging does not make that better. More local work is
# cheaper until it is too much.

# %% [markdown]
# ## 3 · Client optimizers
#
# In the tutorial's words: "change the compile() command". Today the client optimizer is an argument. **The
# learning rate matters before the name does:**

# %%
sgd = replace(drawn, name="SGD 0.3")
timid = run("SGD 0.1", fed_avg(optimizers.build_sgdm(0.1)))
bold = run("SGD 1.0", fed_avg(optimizers.build_sgdm(1.0)))
adam = run("Adam 0.001", fed_avg(optimizers.build_adam(0.001)))

# %%
plot_comparison([timid, sgd, bold, adam], "Client optimizers")

# %% tags=["nbval-ignore-output"]
table(timid, sgd, bold, adam)
for other in (timid, bold, adam):
    compare(sgd, other)

# %%
accuracies = [evaluation.accuracy for _, _, evaluation in bold.curve]
print("SGD 1.0 falls below where it started in some round:", min(accuracies) < before.accuracy)

# %% [markdown]
# One optimizer, three rates, three fates: 0.1 creeps, 0.3 learns, 1.0 jumps about and falls below where it started.
# Adam, with a rate hundreds of times smaller, ends where the good SGD ends: within luck. An optimizer's name says
# little without its rate, and a comparison of names with one rate each is a comparison of rates.

# %% [markdown]
# ## 4 · Server optimizers
#
# To the server, the average of what the clients changed looks like a gradient, and any optimizer can take the
# step (Reddi et al. 2021, "Adaptive Federated Optimization"). SGD with learning rate 1.0 is plain FedAvg. **What
# everyone tries first** is to put Adam where SGD stood:

# %%
server = fedlab.start_server(fed_avg(server=optimizers.build_adam(1.0)), model)
settings = dict(client_ids=client_ids, clients_per_round=CLIENTS_PER_ROUND, seed=SEED)
(record,) = fedlab.run_rounds(server, train_small, 1, evaluate_weights=evaluate_weights, **settings)
print("accuracy has fallen below a third of what it was:", record.held_out.accuracy < before.accuracy / 3)

# %% [markdown]
# One round destroyed the model. Adam's step does not depend on how large the change is: with learning rate 1.0
# every weight moves by about 1, and most weights of this model are far smaller. Adaptive servers want a learning
# rate as small as a weight's change, and an epsilon that is not tiny.

# %%
adaptive = dict(beta_2=0.99, epsilon=0.001)
momentum = run("momentum 0.5", fed_avg(server=optimizers.build_sgdm(1.0, momentum=0.5)))
fed_adam = run("FedAdam 0.01", fed_avg(server=optimizers.build_adam(0.01, **adaptive)))
fed_yogi = run("FedYogi 0.01", fed_avg(server=optimizers.build_yogi(0.01, **adaptive)))

# %%
fed_sgd = replace(drawn, name="SGD 1.0: FedAvg")
plot_comparison([fed_sgd, momentum, fed_adam, fed_yogi], "Server optimizers")

# %% tags=["nbval-ignore-output"]
table(fed_sgd, momentum, fed_adam, fed_yogi)
for other in (momentum, fed_adam, fed_yogi):
    compare(fed_sgd, other)

# %% [markdown]
# With a rate of the right size, momentum and FedAdam end where plain averaging ends, and none is clearly better.
# FedYogi with the same settings is, so far, behind. The strength of adaptive servers, many rounds with
# rare words and uneven clients, is not what these small runs show; that the wrong rate destroys the model in
# one round, is.

# %% [markdown]
# ## 5 · Client weighting
#
# FedAvg weighs each client by its number of examples. **With clients of one size that is nothing**, so we make
# them unequal on purpose: Hamlet keeps all of his text, three others have a single batch.

# %%
HAMLET = "HAMLET_HAMLET"
unequal_ids = [HAMLET, "KING_LEAR_LEAR", "MACBETH_LADY_MACBETH", "ROMEO_AND_JULIET_JULIET"]
unequal = from_speeches(
    {c: [train.text(c)[: None if c == HAMLET else BATCH_SIZE * window]] for c in unequal_ids}
)
for client_id in unequal_ids:
    print(f"{client_id:<24} {len(unequal.text(client_id)) // window // BATCH_SIZE} batches")

# %%
everyone = dict(clients=unequal, ids=unequal_ids, cohort=len(unequal_ids))
by_examples = run("weighted by examples", plain, **everyone)
uniform = run("uniform", fed_avg(client_weighting=tff.learning.ClientWeighting.UNIFORM), **everyone)

# %%
plot_client_gains([by_examples, uniform], "Who gains, by how clients are weighted")

# %% tags=["nbval-ignore-output"]
table(by_examples, uniform)
compare(by_examples, uniform)
print(f"the server moved by {by_examples.distance_moved:.1f} and {uniform.distance_moved:.1f}")

# %%
print("uniform weights move the server less:", uniform.distance_moved < by_examples.distance_moved)

# %% [markdown]
# By examples, Hamlet has eight parts of eleven in the average: the server nearly follows him, and moves far. Uniform
# weights listen to four roles alike; the three with a single batch have little to say, so the server moves less.
# For the accuracy over all roles it makes no clear difference here: a row of the figure shows who pays for it. The choice is about fairness before it is
# about accuracy: whose text should the model be good at?

# %% [markdown]
# ## 6 · FedAvg and FedProx
#
# When clients differ and train for long, each runs towards its own optimum: they drift. FedProx (Li et al. 2020)
# holds them back: a client's loss gets a term, half of a strength times the squared distance from the weights
# that the server sent. The stronger the term, the shorter the way. **Measure that first**, with one client, one
# round and TFF's own FedProx:


# %%
def distance_of_one_client(process):
    server = fedlab.start_server(process, model)
    list(fedlab.run_rounds(server, train_small, 1, client_ids=client_ids[:1], local_epochs=3, seed=SEED))
    return training.distance_between(server.model_weights, dickens)


STRENGTH = 0.3
without = distance_of_one_client(plain)
tffs = distance_of_one_client(algorithms.build_weighted_fed_prox(model_fn, STRENGTH, CLIENT_SGD, SERVER_SGD))
print("the client stays nearer to the server:", tffs < without)

# %% [markdown]
# It goes *further*. That is not luck, it is a sign. Here are the lines of TFF that add the term to the gradient:

# %%
source = inspect.getsource(proximal_client_work.build_model_delta_update_with_tff_optimizer)
start = source.index("proximal_term =")
print(source[start : source.index("gradients = ", start)])

# %% [markdown]
# `x` are the client's weights and `y` the server's. The gradient of half the squared distance is `x - y`; TFF adds
# `y - x`, and each step drives the client away, faster the further it is. **Known answers find such bugs**; an
# accuracy alone would only have said that FedProx does not help much here.
#
# fedlab writes FedProx as a client optimizer, which any process takes: the optimizer's first step of a round meets
# the server's weights and remembers them.

# %%
proximal = fed_avg(client=training.build_proximal(CLIENT_SGD, STRENGTH))
print("now the client stays nearer:", distance_of_one_client(proximal) < without)

# %% [markdown]
# With the sign right, we compare where drift is largest here: at three local epochs.

# %%
fed_prox = run(f"FedProx {STRENGTH}", proximal, local_epochs=3)
averaged = replace(three_epochs, name="FedAvg")
plot_comparison([averaged, fed_prox], "FedAvg and FedProx, three local epochs")

# %% tags=["nbval-ignore-output"]
table(averaged, fed_prox)
compare(averaged, fed_prox)
print(f"the server moved by {averaged.distance_moved:.1f} and {fed_prox.distance_moved:.1f}")

# %%
print("FedProx moves the server less:", fed_prox.distance_moved < averaged.distance_moved)

# %% [markdown]
# The term does what it promises: the server stays nearer to where it started. On these clients that is no gain but a
# brake, for all of them speak the same language, and what takes them far is mostly what is worth learning. FedProx
# is made for clients that differ more, and for clients that train unequally long.

# %% [markdown]
# ## 7 · Two generations of one API
#
# Older texts, TFF's tutorial in its first versions among them, build the process in another way:

# %% tags=["raises-exception"]
tff.learning.build_federated_averaging_process(model_fn)

# %% [markdown]
# TFF 0.28 removed it, in 2022. What it did has other names now, and this table is most of what you need to read
# old code:
#
# | in older texts | now |
# |---|---|
# | `tff.learning.build_federated_averaging_process(model_fn, ...)` | `tff.learning.algorithms.build_weighted_fed_avg(model_fn, ...)` |
# | `client_optimizer_fn=lambda: tf.keras.optimizers.SGD(0.5)` | `tff.learning.optimizers.build_sgdm(0.5)` |
# | `client_weight_fn=lambda _: tf.constant(1.0)` | `client_weighting=tff.learning.ClientWeighting.UNIFORM` |
# | `tff.learning.from_keras_model(...)` | `tff.learning.models.from_keras_model(...)` |
# | `tff.learning.state_with_new_model_weights(state, ...)` | `process.set_model_weights(state, weights)` |
# | `state.model` | `process.get_model_weights(state)` |
# | `state, metrics = process.next(state, data)` | `output = process.next(state, data)`; `output.state`, `output.metrics` |

# %% [markdown]
# ## All of them
#
# One table to close the experiments: what each change did to held-out accuracy, beside the spread of luck.

# %% tags=["nbval-ignore-output"]
everything = [drawn, fixed, three_epochs, timid, bold, adam, momentum, fed_adam, fed_yogi, fed_prox]
table(*sorted(everything, key=lambda experiment: -experiment.gain_points))
print(f"\nluck: {luck:.1f} points")

# %% [markdown]
# ## Your own experiment
#
# Now all of these at once, with buttons. **Choose, press Start, and watch**: every client as soon as it is done, its
# loss and the length of its update, the curves round by round. The rounds run beside the notebook. Stop ends after
# the round under way and keeps it, Resume goes on, Reset goes back to Dickens. What there is to choose comes from a
# `Simulation`: a model, text to train on, held-out text, and optimizers and aggregators by name.

# %%
simulation = training.Simulation(model, train_small, test_small)
dashboard = fedlab.widgets.RoundsDashboard(simulation)
dashboard.settings.clients_per_round.value = CLIENTS_PER_ROUND
dashboard

# %% [markdown]
# Buttons and fields have names, so code can press and fill them, and this page shows a result even where nobody can
# click:

# %%
dashboard.settings.client_optimizer.value = "Adam"
dashboard.rounds.value = 2
dashboard.start()
dashboard.wait()
print(dashboard.facts().splitlines()[1])

# %%
last, clients = dashboard.records[-1], dashboard.client_records.values()
mean_loss = sum(client.loss for client in clients) / len(clients)
print("held-out accuracy rose:", last.held_out.accuracy > before.accuracy)
print("the round's loss is the mean of its clients':", abs(last.loss - mean_loss) < 0.001)
print("all updates have a length:", all(client.update_norm > 0 for client in clients))

# %% [markdown]
# The round's loss is the mean of its clients', for all have the same number of examples here. `dashboard.records` are
# the same records as above, so every figure of this notebook can draw them, and `dashboard.run` goes on in code.

# %% [markdown]
# ## Recap
#
# - A comparison changes one thing, keeps the seed, and knows how large luck is.
# - Draw clients at random; more local epochs save rounds until they cost accuracy.
# - Rates before names: at the client, and even more at the server.
# - Weighting decides whom the model serves.
# - Check an algorithm against something you know. TFF's FedProx fails that check.
# - Small experiments give small answers. "Within luck" is one of them.
#
# ## Exercises
#
# **1.** Find a server rate for momentum 0.9 that is neither slower than plain averaging nor worse. What does
# momentum do to the size of a step when all steps point the same way?
#
# <details><summary>Solution</summary>
#
# ```python
# for rate in (0.1, 0.3, 1.0):
#     table(run(f"momentum 0.9, rate {rate}", fed_avg(server=optimizers.build_sgdm(rate, momentum=0.9))))
# ```
#
# Steps that agree add up to 1 / (1 - 0.9) = 10 times the rate, so a rate near 0.1 is the fair partner of plain
# SGD with 1.0. In five rounds it has not yet come that far.
# </details>
#
# **2.** How many seeds would it take to tell SGD 0.3 and Adam 0.001 apart? Run both with three seeds and compare the
# pairs, seed by seed.
#
# <details><summary>Solution</summary>
#
# ```python
# adam_process = fed_avg(optimizers.build_adam(0.001))
# for sgd_run in seeds:
#     seed = int(sgd_run.name.split()[-1])
#     adam_run = run(f"Adam, seed {seed}", adam_process, seed=seed)
#     print(f"{adam_run.gain_points - sgd_run.gain_points:+.1f}")
# ```
#
# Pairs share their clients and windows, so their differences vary less than the runs do. If all pairs have the
# same sign, that is a hint; three coins fall alike one time in four.
# </details>
#
# **3.** Clients that fail: let `ids` be only the roles of plays from A to H, as if the others were asleep, and look
# at `plot_client_gains`.
#
# <details><summary>Solution</summary>
#
# ```python
# awake = [client_id for client_id in client_ids if client_id < "I"]
# plot_client_gains([drawn, run("A to H", plain, ids=awake)], "When some clients are never there")
# ```
#
# What is never drawn cannot teach, but it gains from what the others share. With real people asleep at the same
# hour, what they do not share is lost without anyone noticing.
# </details>
#
# {{ next }}
