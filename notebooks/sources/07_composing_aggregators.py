# %% [markdown]
# # 07 · Composing aggregators
#
# **You will learn** to put aggregators into training: clipping, zeroing, secure sums, differential privacy,
# compression and a median that outvotes a forger; how they stack, and what each costs in accuracy, bytes and
# seconds.
#
# **You need** notebook 04, for experiments, and notebook 06, for factories.
#
# **On two cores:** {{ measured }}. {{ links }}

# %%
# {{ setup }}

# %%
import fedlab  # first: it makes the import of tff work
import dp_accounting
import numpy as np
import tensorflow_federated as tff
from tqdm.auto import tqdm

from fedlab import training
from fedlab.aggregators import (
    ClientNormsFactory,
    CoordinateMedianFactory,
    ScaledSumFactory,
    TopKFactory,
    for_fed_avg,
)
from fedlab.datasets.federated_text import from_speeches
from fedlab.datasets.sequences import BATCH_SIZE, SEQUENCE_LENGTH_CHARS
from fedlab.models.dickens import load_small_dickens
from fedlab.plots import plot_comparison

aggregators, algorithms, optimizers = tff.aggregators, tff.learning.algorithms, tff.learning.optimizers

# %%
ROUNDS = 3  # @param {"type": "slider", "min": 1, "max": 50, "step": 1}
CLIENTS_PER_ROUND = 4  # @param {"type": "slider", "min": 1, "max": 8, "step": 1}
# @markdown Of each client: batches to train on, the rest is left out; and windows of 100 characters, held out.
BATCHES_PER_CLIENT = 4  # @param {"type": "slider", "min": 1, "max": 8, "step": 1}
HELD_OUT_WINDOWS = 8  # @param {"type": "slider", "min": 1, "max": 10, "step": 1}
SEED = 1  # @param {"type": "integer"}
START = "What say you, my lord? "  # @param {"type": "string"}

# %% [markdown]
# ## 0 · What stays the same
#
# The same as in notebook 04: the small Dickens model, a few rounds of Federated Averaging on a piece of each
# client's text, held-out accuracy. **One thing changes: the aggregator.**

# %%
window = SEQUENCE_LENGTH_CHARS + 1
train, test = fedlab.load_shakespeare()
client_ids = [c for c in train.client_ids if len(train.text(c)) >= BATCHES_PER_CLIENT * BATCH_SIZE * window]
texts = {c: train.text(c)[: BATCHES_PER_CLIENT * BATCH_SIZE * window] for c in client_ids}
train_small = from_speeches({c: [text] for c, text in texts.items()})
test_small = from_speeches({c: [test.text(c)[: HELD_OUT_WINDOWS * window]] for c in client_ids})

# %%
model = load_small_dickens(batch_size=8)
model_fn = fedlab.make_model_fn(model)
dickens = training.weights_of(model)
evaluate_weights = training.make_weights_evaluation(load_small_dickens(batch_size=8), test_small, client_ids)
before = evaluate_weights(dickens)
print(f"before: accuracy {before.accuracy:.0%} of {before.num_characters:,} held-out characters")

# %%
experiments, models, states = {}, {}, {}


# Held-out text is read after the last round; after every round only where a curve is drawn.
def run(
    name, aggregator, clients=train_small, cohort=CLIENTS_PER_ROUND, rounds=ROUNDS, evaluate_every=ROUNDS
):
    client, server_step = optimizers.build_sgdm(0.3), optimizers.build_sgdm(1.0)
    process = algorithms.build_weighted_fed_avg(model_fn, client, server_step, model_aggregator=aggregator)
    server = fedlab.start_server(process, model)
    settings = dict(clients_per_round=cohort, seed=SEED, evaluate_every=evaluate_every)
    running = fedlab.run_rounds(server, clients, rounds, evaluate_weights=evaluate_weights, **settings)
    records = list(tqdm(running, total=rounds, desc=name))
    experiments[name] = training.Experiment(name, before, records)
    models[name], states[name] = server.model_weights, server.state.aggregator
    return records


# %% [markdown]
# ## 1 · The mean, and how long updates are
#
# **Know what you aggregate before you change it.** `ClientNormsFactory` from fedlab wraps any factory, changes
# nothing and measures the length (the L2 norm) of every client's update.

# %%
mean = aggregators.MeanFactory()
records = run("mean", ClientNormsFactory(mean))
for record in records:
    norms = record.measurements
    print(
        f"round {record.round_number}: updates from {norms['norm_min']:.1f} to {norms['norm_max']:.1f} "
        f"long, the median {norms['norm_median']:.1f}"
    )

# %% [markdown]
# Updates of one round are about equally long: every client took as many steps. This length is the yardstick for all
# that follows.

# %%
typical = records[0].measurements["norm_median"]
plain = experiments["mean"]
print("accuracy rose:", plain.gain_points > 0.3)

# %% [markdown]
# ## 2 · Clipping
#
# **A client shall not pull harder than a limit.** Clipping shortens longer updates to a norm and leaves their
# direction. It is an outer factory around the mean. Half the typical length, to see it work:

# %%
fixed = aggregators.clipping_factory(typical / 2, mean)
for record in run("clipped, fixed", fixed):
    clipped = record.measurements["clipped_count"]
    print(f"round {record.round_number}: {clipped:.0f} of {len(record.cohort)} clipped")

# %% [markdown]
# All were clipped, so the model took steps of half the length. A good limit depends on the model, the data and the
# round; nobody knows it in advance. **Let TFF find it:** an estimate of a quantile of the norms that moves every
# round. It is state, kept at the server. We start it five times too high.

# %%
estimate = aggregators.PrivateQuantileEstimationProcess.no_noise(
    initial_estimate=5 * typical, target_quantile=0.5, learning_rate=1.0
)
adaptive = run("clipped, adaptive", aggregators.clipping_factory(estimate, mean))
limits = [record.measurements["clipping_norm"] for record in adaptive]
print("the limit, in typical lengths:", *(f"{limit / typical:.1f}" for limit in limits))
print("clipped:", *(f"{record.measurements['clipped_count']:.0f}" for record in adaptive))

# %% [markdown]
# Nobody was above it, so the limit came down, by the factor exp(-0.5) a round here: the learning rate times how far
# the share of clients below the limit, all of them, is from the half that was asked for. After more rounds half of the
# clients are clipped, whatever the scale of the updates. To find out, the server learns of each client only whether it
# was above the limit.
#
# ## 3 · Zeroing
#
# Clipping a broken update keeps its direction, which may be nonsense. **Zeroing throws it away**, when it is far too
# large. A limit that is far too low shows what it does:

# %%
(zeroed,) = run("all zeroed", aggregators.zeroing_factory(typical / 1e3, mean), rounds=1)
unchanged = all(
    np.array_equal(a, b) for a, b in zip(models["all zeroed"].trainable, dickens.trainable, strict=True)
)
num_zeroed = zeroed.measurements["zeroed_count"]
print(f"{num_zeroed:.0f} of {len(zeroed.cohort)} zeroed; the model is as it was: {unchanged}")

# %% [markdown]
# In practice the limit is many typical lengths, and stacked: zeroing outside, clipping inside, the mean in the
# middle. `tff.learning.robust_aggregator()` is that stack, with both limits adaptive. Read it from the measurements'
# names, which nest as the factories do:

# %%
robust = run("robust", tff.learning.robust_aggregator())
print(*robust[-1].measurements, sep="\n")

# %% [markdown]
# ## 4 · Secure sums
#
# **The server needs only the sum, so hide the rest.** With secure aggregation clients mask their numbers such that
# masks cancel in the sum. That works on whole numbers, so updates are clipped to a range and rounded to a grid
# first. TFF ships it as one factory:

# %%
secure = run("secure sum", tff.learning.secure_aggregator(zeroing=False, clipping=False))
difference = experiments["secure sum"].gain_points - plain.gain_points
print("as good as the mean, within half a point:", abs(difference) < 0.5)

# %% [markdown]
# Mind the warning: in a simulation the numbers are right and nothing is hidden. What
# you can study here is what the rounding costs. Where the median of section 7 needs to see single updates, it cannot
# be had together with secure sums: privacy and robustness pull in two directions.
#
# ## 5 · Differential privacy
#
# A sum of four hides little. **Noise hides whether a client took part at all**: clip every update to a norm, add the
# updates up, add Gaussian noise of `noise_multiplier` times that norm. How much privacy that buys is a number,
# epsilon: small is private; with 10, an outcome may be exp(10), about 22,000 times, as likely with you as without.
#
# `dp-accounting` adds up what the rounds spend. Each round, a client is drawn with a chance of
# `CLIENTS_PER_ROUND / population`:


# %%
def spent_epsilon(noise_multiplier, rounds, chance, delta):
    event = dp_accounting.PoissonSampledDpEvent(chance, dp_accounting.GaussianDpEvent(noise_multiplier))
    accountant = dp_accounting.rdp.RdpAccountant(orders=range(2, 256))
    return accountant.compose(event, rounds).get_epsilon(delta)


# %% [markdown]
# The delta is the chance that the promise breaks; it should be well below one in the number of clients. Now train
# twice, with a noise that is meant to protect, and with a whisper:

# %%
chance, delta = CLIENTS_PER_ROUND / len(client_ids), 1 / (10 * len(client_ids))
NOISE = {"noise 1": 1.0, "noise 0.001": 0.001}
for name, noise in NOISE.items():
    private = aggregators.DifferentiallyPrivateFactory.gaussian_fixed(noise, CLIENTS_PER_ROUND, clip=typical)
    run(name, for_fed_avg(private))

# %%
for name, noise in NOISE.items():
    spent = [spent_epsilon(noise, number, chance, delta) for number in range(1, ROUNDS + 1)]
    print(f"{name:12} epsilon after each round:", *(f"{epsilon:,.1f}" for epsilon in spent))


# %%
def say_what_became_of(name):
    gained = experiments[name].gain_points
    verdict = "rose" if gained > 0.3 else "fell by more than five points" if gained < -5 else "hardly moved"
    print(f"{name:15} accuracy {verdict}")


for name in NOISE:
    say_what_became_of(name)

# %% [markdown]
# Either private or useful: the epsilon of the whisper promises nothing. This is no fault of the method, but of our
# numbers. The noise is shared by the cohort: the mean of `n` updates has a noise of `noise_multiplier * clip / n` in
# every weight. So how many clients would make noise 1 as quiet as our whisper?

# %%
needed = round(CLIENTS_PER_ROUND * 1.0 / NOISE["noise 0.001"])
population = 1_000 * needed
epsilon = spent_epsilon(1.0, 1_000, needed / population, 1 / (10 * population))
print(f"{needed:,} clients a round, of {population:,}: epsilon {epsilon:.1f} after 1,000 rounds")

# %% [markdown]
# Privacy by noise wants many clients. Telephones have them; hospitals mostly do not, and a class of 30 students never.
#
# ## 6 · Compression
#
# Every client sends an update as large as the model. **Most of its numbers are tiny.** `TopKFactory` lets each client
# send a share of them, the largest, and counts the bytes that this takes, each number with its place:

# %%
update_bytes = sum(weight.nbytes for weight in dickens.trainable)
for share in (0.1, 0.01):
    top_k = TopKFactory(mean, upload_fraction=share, download_fraction=1.0)
    record = run(f"top {share:.0%}", for_fed_avg(top_k))[-1]
    sent = record.measurements["upload_bytes"] / len(record.cohort)
    print(
        f"top {share:>4.0%}: {sent / 2**20:5.2f} of {update_bytes / 2**20:.1f} MB, {sent / update_bytes:.1%}"
    )

# %% [markdown]
# A number costs 4 bytes, and 4 more say where it stands, so a tenth of the numbers is a fifth of the bytes. And the
# length of the updates that arrived, as a share:

# %%
for name in ("top 10%", "top 1%"):
    kept = np.sqrt(experiments[name].records[-1].measurements["upload_kept"])
    kept_share = "more" if kept > 0.5 else "less"
    print(f"{name}: {kept_share} than half of the length; accuracy rose: {experiments[name].gain_points > 0}")

# %% [markdown]
# ## 7 · A forger
#
# One client of four hands in Hamlet backwards, twelve times as much text as the others have. Weights are what
# a client says of itself:

# %%
honest = client_ids[:3]
backwards = (train.text("HAMLET_HAMLET")[::-1] * 3)[: 12 * len(texts[honest[0]])]
forged = from_speeches({c: [texts[c]] for c in honest} | {"FORGER": [backwards]})
print(forged.text("FORGER")[:60])

# %%
run("mean, forged", mean, forged, cohort=None, evaluate_every=1)
run("median, forged", for_fed_avg(CoordinateMedianFactory()), forged, cohort=None, evaluate_every=1)
plot_comparison([experiments["mean, forged"], experiments["median, forged"]], "One forger among four clients")

# %%
for name in ("mean, forged", "median, forged"):
    say_what_became_of(name)

# %% [markdown]
# The mean follows the one who shouts. The median takes, for every single weight of the model, the value in the middle:
# whoever is alone out there is outvoted. Numbers are one thing. Let both write:

# %% tags=["nbval-ignore-output"]
writer = load_small_dickens(batch_size=1)
for name in ("mean, forged", "median, forged"):
    training.assign_weights(models[name], writer)
    print(f"{name}:\n{fedlab.generate_text(writer, START, 150, temperature=0.5, seed=SEED)}\n")

# %% [markdown]
# You can see words run backwards in the first. What the median costs: the server saw every client's update by
# itself, and what only one honest client knows is outvoted like a forgery.
#
# ## 8 · Your own factory
#
# In notebook 06 you built `ScaledSumFactory`: it multiplies at the clients, adds up, divides at the server, and keeps
# a state. **It is a sum**, so FedAvg must not have it as it is; fedlab says so:

# %% tags=["raises-exception"]
for_fed_avg(ScaledSumFactory())

# %% [markdown]
# Its place is inside the mean. Multiplying and dividing cancel, so the result must be the plain mean's, up to
# rounding:

# %%
run("your own", aggregators.MeanFactory(value_sum_factory=ScaledSumFactory()))
own, plain_weights = (models[name].trainable for name in ("your own", "mean"))
apart = max(np.abs(a - b).max() for a, b in zip(own, plain_weights, strict=True))
print("the same model as with the plain mean:", apart < 1e-4)

# %%
iteration, _ = states["your own"]["value_sum_process"]
print(f"its state, kept for it by the mean: {iteration:.0f} iterations, after {ROUNDS} rounds")

# %% [markdown]
# It had no part in the result this time, and took part all the same: the mean passed its state on from round to
# round.
#
# ## What each costs
#
# Held-out accuracy, megabytes that one client sends in a round, and seconds a round in this simulation (the last
# round: the first also prepares):

# %% tags=["nbval-ignore-output"]
print(f"{'aggregator':20}{'points':>8}{'MB sent':>9}{'seconds':>9}")
for name, experiment in experiments.items():
    last = experiment.records[-1]
    sent = last.measurements.get("upload_bytes", update_bytes * len(last.cohort)) / len(last.cohort)
    print(f"{name:20}{experiment.gain_points:+8.1f}{sent / 2**20:9.2f}{last.seconds:9.1f}")

# %% [markdown]
# A few rounds of four clients: read the order of magnitude and not the decimals, as notebook 04 taught. The seconds of
# a secure sum are those of the simulation; the real protocol has several trips between clients and server.
#
# ## Recap
#
# - Outer factories decide about single updates (zeroing, clipping), inner ones about the sum (secure, compressed,
#   noisy). They stack, and so do their measurements.
# - Limits can be learned: adaptive clipping keeps an estimate as state.
# - Differential privacy is noise shared by a cohort. Compute epsilon, and compute the cohort that you need.
# - A mean follows whoever shouts. A median does not, and has to see everybody.
#
# ## Exercises
#
# **1.** Clip the forger: put a fixed clipping at the typical length around the mean, and train on the forged clients.
# Is that enough?
#
# <details><summary>A solution</summary>
#
# ```python
# run("clipped, forged", aggregators.clipping_factory(typical, mean), forged, cohort=None)
# experiments["clipped, forged"].gain_points
# ```
#
# Better than the plain mean, and not enough: the update is short now, but its weight is still that of twelve
# clients. Take the weights away as well: `for_fed_avg(aggregators.clipping_factory(typical,
# aggregators.UnweightedMeanFactory()))`.
# </details>
#
# **2.** Stack compression and clipping, in both orders. Do they give the same model?
#
# <details><summary>A solution</summary>
#
# ```python
# a = aggregators.clipping_factory(typical / 2, TopKFactory(mean, upload_fraction=0.01, download_fraction=1.0))
# b = TopKFactory(aggregators.clipping_factory(typical / 2, mean), upload_fraction=0.01, download_fraction=1.0)
# ```
#
# No: the first clips the whole update and then drops most of it; the second drops first, and what is left may be
# short enough to stay as it is.
# </details>
#
# **3.** How many rounds could a population of 100,000 with 500 clients a round train with noise 1, until epsilon
# is 2?
#
# <details><summary>A solution</summary>
#
# ```python
# for rounds in (100, 1_000, 10_000):
#     print(rounds, spent_epsilon(1.0, rounds, 500 / 100_000, 1e-6))
# ```
# </details>
#
# {{ next }}
