# %% [markdown]
# # 00 · Welcome
#
# **You will learn** what federated learning is and what it is not, how to say "hello" to TensorFlow
# Federated, and where its computations run.
#
# **You need** Python, and an idea of what an average is.
#
# **On two cores:** {{ measured }}. {{ links }}
#
# ## What federated learning is
#
# You want a model that writes like Shakespeare's characters. But Hamlet, Juliet and Shylock each keep their
# lines to themselves. So the model travels instead of the text. One trip is called a **round**:
#
# 1. the **server** sends its model to some **clients** (the **cohort** of this round);
# 2. each client trains the model on its own text;
# 3. each client sends back what changed: an **update**, numbers and no text;
# 4. the server averages the updates, and has the next model.
#
# The picture comes from code, as every picture here does, so first the cells with which every notebook
# begins. This one checks that fedlab is installed:

# %%
# {{ setup }}

# %% [markdown]
# Then the imports, with `import fedlab` first. What happens without it? We ask a Python of its own, so that
# this notebook stays clean, for TensorFlow Federated (TFF for short) alone:

# %%
import subprocess
import sys

alone = """
try:
    import tensorflow_federated
except ImportError as error:
    print("It does not work:", error)
"""
print(subprocess.run([sys.executable, "-c", alone], capture_output=True, text=True).stdout)

# %% [markdown]
# TFF was made for the Python packages of 2023. `import fedlab` gives it what it misses.
#
# There is a second thing that TFF wants in a notebook. It runs an *event loop*, as Python's `asyncio` calls
# the scheduler of things that wait for each other, and so does the notebook. Here is something to wait for:

# %%
import asyncio


async def answer():
    return 42


# %% [markdown]
# In a plain Python program, `asyncio.run` would start an event loop and wait for the answer. Here:

# %% tags=["raises-exception"]
question = answer()
asyncio.run(question)

# %% [markdown]
# Python allows one event loop at a time, and the notebook's own is running. This is the error on which many TFF texts begin with the lines `import nest_asyncio` and
# `nest_asyncio.apply()`. In a notebook, fedlab does the same when you import TFF:

# %%
import fedlab  # first: it makes the import of tff work
import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

# %% [markdown]
# The same question, asked again, now has an answer: an event loop may run inside another.

# %%
asyncio.run(question)

# %% [markdown]
# Last, a cell of settings: what you may want to change, in one place.

# %%
# @markdown Three thermometers are our first clients: what they read, and how many readings each stands for.
READINGS_CELSIUS = [17.5, 20.0, 24.0]  # @param {"type": "raw"}
READINGS_TAKEN = [1.0, 1.0, 2.0]  # @param {"type": "raw"}

# %% [markdown]
# And here is the picture of one round:

# %%
fedlab.plots.draw_federated_round()

# %% [markdown]
# Follow the arrows: the model goes down, updates come up, and the text stays where it is.
#
# ## What it is not
#
# - **Not privacy by itself.** An update is made of the client's text and can give parts of it away. Privacy
#   is built on top: secure aggregation hides single updates in their sum, and noise hides single clients.
# - **Not training spread over the machines of a data centre.** There, the data is shuffled and dealt out
#   evenly. Here, each client has its own, some have much more than others, and no two are alike (notebook 02).
# - **Not real clients, in this course.** We *simulate* on one machine: the clients are pieces of a data set,
#   and the computations are those that real ones would run.
#
# ## Is everything here?
#
# `fedlab.doctor()` looks at the machine and at what is installed on it. Yours will say something else than what
# stands here; where a line begins with `FAIL`, the line after it says what to do.

# %% tags=["nbval-ignore-output"]
diagnosis = fedlab.doctor()
print(diagnosis)

# %% [markdown]
# What matters is the last line. In one word:

# %%
diagnosis.can_run

# %% [markdown]
# `True`: everything that follows will run. (`tf.keras` is `tf_keras`, says one of the lines: TFF speaks to Keras 2,
# and not to the Keras 3 that comes with TensorFlow. `import fedlab` chooses for you, if it comes first.)
#
# ## Hello, world
#
# TFF's smallest program. The decorator turns a Python function into a **computation**:


# %%
@tff.federated_computation
def hello_world():
    return "Hello, World!"


hello_world()

# %% [markdown]
# The answer is `bytes`, not `str`: the function did not run as Python. TFF looked at it once and made a
# program of its own, one that could be sent to a phone that has no Python. Such a program has a type:

# %%
print(hello_world.type_signature)

# %% [markdown]
# Read it aloud: "takes nothing (`( ->`), gives a string". Now one with clients. Its argument is a
# **federated type**: a number, *placed* at the clients. Many TFF texts write it like this:

# %% tags=["raises-exception"]
tff.FederatedType(tf.float32, tff.CLIENTS)

# %% [markdown]
# That was TFF until 2023. Since then its types are NumPy's, not TensorFlow's:

# %%
readings_type = tff.FederatedType(np.float32, tff.CLIENTS)
print(readings_type)

# %% [markdown]
# The braces say "one at each client". The simplest thing to do with them is what gave federated averaging
# its name:


# %%
@tff.federated_computation(readings_type)
def mean_temperature(readings):
    return tff.federated_mean(readings)


print(mean_temperature.type_signature)

# %% [markdown]
# Aloud: "takes a number at each client, gives one number at the server". Nothing in the type lets a single
# reading out. What do we expect, and what do we get?

# %%
print("expected:", sum(READINGS_CELSIUS) / len(READINGS_CELSIUS))
print("TFF:     ", mean_temperature(READINGS_CELSIUS))

# %% [markdown]
# The same number. How many clients there are is decided by the call, not by the computation:

# %%
for num_clients in (1, 2, 3):
    print(f"{num_clients} of them:", mean_temperature(READINGS_CELSIUS[:num_clients]))

# %% [markdown]
# A client that knows more should count more. Federated averaging gives each client a **weight**, mostly
# the number of its examples:


# %%
@tff.federated_computation(readings_type, readings_type)
def weighted_mean_temperature(readings, weights):
    return tff.federated_mean(readings, weights)


print(weighted_mean_temperature(READINGS_CELSIUS, READINGS_TAKEN))

# %% [markdown]
# The last thermometer counts twice, so the mean moves towards it. And a wrong type is refused before anything
# runs; TFF says what it wanted and what it was given:

# %% tags=["raises-exception"]
mean_temperature(["warm", "cold"])

# %% [markdown]
# ## Where computations run
#
# Here: in the process of this notebook. fedlab's runtime takes the program that TFF made and carries it
# out, step by step, and `fedlab.trace` shows the steps:

# %%
print(fedlab.trace(weighted_mean_temperature, READINGS_CELSIUS, READINGS_TAKEN))

# %% [markdown]
# Each client hands in two numbers, its reading times its weight and its weight, and they are added up one
# client after the other. The mean is the first sum divided by the second:

# %%
total = sum(reading * weight for reading, weight in zip(READINGS_CELSIUS, READINGS_TAKEN, strict=True))
print(total, "/", sum(READINGS_TAKEN), "=", total / sum(READINGS_TAKEN))

# %% [markdown]
# These are the sums in the last line of the trace, and this is the mean from before. You will write such
# recipes of your own later in the course.
#
# TFF brings another runtime, a server program in C++, and it can use many of them on other machines. To
# compare, take the `#` away; the results stay the same:

# %%
# fedlab.runtime.use_local_worker()
print(mean_temperature(READINGS_CELSIUS))
fedlab.runtime.use_in_process()  # leads back here from wherever you were

# %% [markdown]
# ## The course
#
# {{ course }}
#
# ## Recap
#
# - In a round, the model travels and the text stays: down to the clients, trained there, updates up, averaged.
# - `import fedlab` comes first; it makes TFF import, and lets its event loop run inside the notebook's.
# - A computation is a program with a type. Braces and `CLIENTS` mean one value at each client.
# - Computations run in the notebook's own process, and `fedlab.trace` shows what they do.
#
# ## Exercises
#
# **1.** Write a computation that counts the clients, without asking Python how long the list is.
#
# <details><summary>A solution</summary>
#
# ```python
# @tff.federated_computation(readings_type)
# def count_clients(readings):
#     return tff.federated_sum(tff.federated_value(1, tff.CLIENTS))
#
#
# count_clients(READINGS_CELSIUS)  # 3
# ```
#
# Every client holds a 1, and the server adds them up.
# </details>
#
# **2.** Which weights make the mean equal to the first reading? Try them with `weighted_mean_temperature`.
#
# <details><summary>A solution</summary>
#
# `[1.0, 0.0, 0.0]`: a client of weight 0 takes part and changes nothing. What would three zeros give? The
# weights are summed and divided by, so you get `nan`.
# </details>
#
# **3.** Is the mean of three readings private? Suppose you are the server, and you run a round with clients 1
# and 2, then one with clients 1, 2 and 3.
#
# <details><summary>A solution</summary>
#
# Twice the first mean is the sum of two readings, three times the second mean is the sum of three: the
# difference is the third client's reading. An average protects a client only as far as nobody can take two
# averages apart.
# </details>
#
# {{ next }}
