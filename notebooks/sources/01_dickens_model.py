# %% [markdown]
# # 01 · The Dickens model
#
# **You will learn** how a model reads and writes one character at a time: vocabulary, embedding, GRU, state,
# batch size, temperature; and what the pretrained model knows before it meets Shakespeare.
#
# **You need** a little Keras: what a layer and a weight are. Notebook 00 is not needed.
#
# **On two cores:** {{ measured }}. {{ links }}
#
# The course fine-tunes one model from here to the end. This notebook takes it apart before any federated
# learning happens.

# %%
# {{ setup }}

# %%
import fedlab  # first: it makes the import of TensorFlow the right one
import textwrap

import numpy as np
import safetensors
import tensorflow as tf
from tqdm.auto import tqdm

from fedlab.models import dickens
from fedlab.models.char_rnn import with_batch_size
from fedlab.vocabulary import CHARACTERS, decode, encode

# %%
# @markdown `"tff"` stands for the checkpoints of TFF's tutorial, downloaded once.
SOURCE = "pocket"  # @param ["pocket", "tff"]
# @markdown What the model goes on from, and how many characters it writes.
START = "It was a dark night, and the "  # @param {"type": "string"}
LENGTH = 160  # @param {"type": "slider", "min": 40, "max": 600, "step": 20}
TEMPERATURES = (0.2, 0.5, 1.0, 1.5)  # @param {"type": "raw"}
SEED = 1  # @param {"type": "integer"}

# %% [markdown]
# ## 86 characters
#
# The model knows characters, not words. These are all of them:

# %%
print(len(CHARACTERS), repr("".join(CHARACTERS)))

# %% [markdown]
# The order looks odd, and it must stay: the model was trained with `d` as 0, `h` as 1 and so on. A character's
# place in this list is its **id**. Text becomes ids, and ids become text:

# %%
ids = encode("dhl To be")
print(ids)
print(repr(decode(ids)))

# %% [markdown]
# What about a character that is not in the list? TFF's tutorial turns characters into ids with a **lookup
# table** of TensorFlow, like this one:

# %%
pairs = tf.lookup.KeyValueTensorInitializer(list(CHARACTERS), np.arange(len(CHARACTERS)))
table = tf.lookup.StaticHashTable(pairs, default_value=0)
looked_up = table.lookup(tf.constant(list("café"))).numpy()

# %% [markdown]
# It finds an id for `é` too. Which character did the model read?

# %%
print(repr(decode(looked_up)))

# %% [markdown]
# A `d`: the table gives unknown characters its default, 0, and 0 is a real character here. Nothing failed, and
# the text is wrong. fedlab's `encode` fails instead, and says how to go on:

# %% tags=["raises-exception"]
encode("café")

# %% [markdown]
# If you choose to replace what is unknown, you are told how much that was:

# %%
decode(encode("café", unknown="replace"))

# %% [markdown]
# ## Three layers
#
# Now the model, with the weights that it got from reading Dickens:

# %%
model = fedlab.load_dickens(batch_size=8, source=SOURCE)
model.summary(line_length=52)

# %% [markdown]
# - The **embedding** holds a row of 256 numbers for each of the 86 characters.
# - The **GRU** (gated recurrent unit) goes from character to character and carries 1024 numbers along, its
#   **state**: what it remembers of the text so far.
# - The **dense** layer makes 86 numbers of the state, the **logits**: the larger, the likelier that character
#   comes next.
#
# The numbers of weights follow from these sizes. A GRU has three gates, each with weights for the input, weights
# for the state and two biases:

# %%
embedding = 86 * 256
gru = 3 * (256 * 1024 + 1024 * 1024 + 2 * 1024)
dense = 1024 * 86 + 86
print(embedding + gru + dense, model.count_params())

# %% [markdown]
# Both are the same, and nearly all of it is the GRU. What goes in and what comes out?

# %%
batch = np.tile(encode("Mr. Scrooge"), (8, 1))  # [batch, time]: the same text in 8 rows
logits = model(batch)  # [batch, time, vocabulary]
print(batch.shape, "->", logits.shape)

# %% [markdown]
# For each row and each character: 86 logits for the character after it. We may ask which the model thinks
# likeliest after each character of `Mr. Scrooge`:

# %%
likeliest = np.argmax(logits[0], axis=-1)
print(f"read:   {decode(batch[0])!r}")
print(f"expect: {decode(likeliest)!r}")

# %% [markdown]
# Below each character stands the one that the model expects *next*. It learns by being compared with the text,
# shifted by one: the whole of training is in these two lines.
#
# ## What `stateful` means
#
# We read the same text again. Same model, same input, so the same logits?

# %%
again = model(batch)
print("the same:", np.allclose(logits, again, atol=1e-3))

# %% [markdown]
# No: the GRU is **stateful**. It starts where it stopped, as if the text stood twice in a row. `reset_states`
# lets it forget:

# %%
model.reset_states()
print("the same:", np.allclose(logits, model(batch), atol=1e-3))

# %% [markdown]
# This is what makes writing possible. Reading a text in two pieces, without a reset between them, gives what
# reading it in one gives:

# %%
model.reset_states()
pieces = [model(batch[:, :4]), model(batch[:, 4:])]
print("the same:", np.allclose(logits, np.concatenate(pieces, axis=1), atol=1e-3))

# %% [markdown]
# And it is a trap in training: a batch starts with what the GRU remembers of the batch before, even if that was
# another text. Notebook 03 comes back to it.
#
# ## Batch size 8 and batch size 1
#
# A stateful layer keeps a state for each row of a batch, so the number of rows is part of the model. Eight rows
# train well. Writing needs one:

# %% tags=["raises-exception"]
fedlab.generate_text(model, START)

# %% [markdown]
# The weights do not depend on the number of rows. So we build the same model for one row and copy them, as the
# message says:

# %%
writer = with_batch_size(model, 1)
pairs = zip(model.get_weights(), writer.get_weights(), strict=True)
print(model.input_shape, writer.input_shape)
print("the same weights:", all(np.array_equal(first, second) for first, second in pairs))

# %% [markdown]
# ## Writing
#
# To write, the model reads a start, draws one character from what it expects next, reads that one, and so on.
# `stream_text` gives the characters as they come:

# %%
print(START, end="")
for character in fedlab.stream_text(writer, START, LENGTH, temperature=0.5, seed=SEED):
    print(character, end="", flush=True)

# %% [markdown]
# English words, nearly sentences, and no sense: it has learned how Dickens spells, one character at a time, and
# nothing of what he says. The seed makes it repeatable; another seed writes another text.

# %%
same_seed = [fedlab.generate_text(writer, START, 60, seed=seed) for seed in (1, 1, 2)]
print("seeds 1 and 1:", same_seed[0] == same_seed[1])
print("seeds 1 and 2:", same_seed[0] == same_seed[2])

# %% [markdown]
# ## Temperature
#
# How does a character get drawn from logits? They are divided by the **temperature**, and *softmax* turns them
# into probabilities. Here are those of the character after `It was a dark night, and the `:

# %%
writer.reset_states()
next_logits = writer(encode(START)[None, :])[0, -1]  # [vocabulary]
fedlab.plots.plot_next_characters(CHARACTERS, next_logits, TEMPERATURES)

# %% [markdown]
# The order of the bars is the same everywhere, their heights are not: the lower the temperature, the more often
# the likeliest character is drawn; the higher, the more chance for the others. What that does to the text, with the same start and seed:

# %%
for temperature in TEMPERATURES:
    text = fedlab.generate_text(writer, START, LENGTH, temperature=temperature, seed=SEED)
    print(f"--- temperature {temperature}", textwrap.fill(text, 80), "", sep="\n")

# %% [markdown]
# Cold, it goes round in circles of safe words. Warm, it makes up words. At 1.0 the probabilities are those that it
# learned; most people like what is somewhat below. "Goes round in circles" can be counted, over more text:

# %%
for temperature in tqdm(TEMPERATURES, unit="text"):
    words = fedlab.generate_text(writer, START, 600, temperature=temperature, seed=SEED).split()
    print(f"temperature {temperature}: {len(set(words)) / len(words):.0%} different words")

# %% [markdown]
# The higher the temperature, the fewer repetitions.
#
# ## What the model thinks of its own text
#
# Every character was drawn with a probability. `stream_characters` gives both, and the probability is the one that
# the model learned, whatever the temperature:

# %%
sampled = fedlab.generation.stream_characters(writer, START, 12, temperature=0.5, seed=SEED)
for character, probability in sampled:
    print(f"{character!r:5} {'#' * round(40 * probability)}")

# %% [markdown]
# Long bars are characters that nearly had to come. Short ones are choices, most of them where a word begins.
# The playground shows this for as much text as you like. Type a start, choose a temperature and press *Write*;
# what the model found improbable is tinted:

# %%
playground = fedlab.widgets.GenerationPlayground({"Dickens": writer}, start=START, length=LENGTH, seed=SEED)
playground

# %% [markdown]
# How much a text surprised the model is counted in **bits per character**: 1 bit is the toss of a coin, 3 bits a
# choice among 8. What buttons and fields do, code does as well:

# %%
for temperature in TEMPERATURES:
    playground.temperature.value = temperature
    playground.write()
    playground.wait()
    print(f"temperature {temperature}: {playground.bits_per_character['Dickens']:.1f} bits per character")

# %% [markdown]
# The colder a text, the less it surprises the one who wrote it; at a high temperature, the model is pushed from
# one thing that it finds improbable to the next. In the playground: from which temperature on do you see solid
# underlines, characters that it gave less than 1%?
#
# ## Where the weights come from
#
# They are fedlab's own, trained on two books that are in the public domain, *A Tale of Two Cities* and *A
# Christmas Carol*. The file says how:

# %%
with safetensors.safe_open(dickens.POCKET_WEIGHTS, "np") as file:
    recipe = file.metadata()
for key in ("epochs", "batch_size", "learning_rate", "seed"):
    print(f"{key:14}", recipe[key])

# %% [markdown]
# And how well it predicts text of these books that was held out, in **accuracy**: how often the likeliest
# character is the right one. Guessing at random would be right once in 86 times.

# %%
print(f"held-out Dickens: {float(recipe['held_out_accuracy']):.0%}")
print(f"at random:        {1 / len(CHARACTERS):.0%}")

# %% [markdown]
# The model card beside the weights, `fedlab/models/pocket/MODEL_CARD.md`, has the rest: what was done to the
# text, and what the model is not for.
#
# TFF's tutorial has weights of its own, trained on the same two books. To use them, set `SOURCE = "tff"` in the
# settings above and run the notebook again: they are downloaded once, checked and kept. A class can serve
# them itself: `FEDLAB_MIRROR` names its server. They exist for two batch sizes only:

# %% tags=["raises-exception"]
fedlab.load_dickens(batch_size=4, source="tff")

# %% [markdown]
# ## Recap
#
# - Text becomes ids by a table of 86 characters; what is not in it must be noticed.
# - Embedding, GRU and dense layer give 86 logits for the next character, after every character.
# - `stateful` carries the state from batch to batch: `reset_states()` begins a new text, and the batch size is
#   part of the model. Weights move freely between batch sizes.
# - Temperature divides the logits: low repeats, high invents. Bits per character count the surprise.
#
# ## Exercises
#
# **1.** Let the model begin with your own name. Which names does it know?
#
# <details><summary>A solution</summary>
#
# ```python
# print(fedlab.generate_text(writer, "Mr. ", 40, temperature=0.3, seed=2))
# ```
#
# At a low temperature you meet people of the two books, such as Mr. Lorry and Mr. Cruncher.
# </details>
#
# **2.** What is the limit of the probabilities when the temperature goes to 0, and when it grows without end?
#
# <details><summary>A solution</summary>
#
# To 0: all on the likeliest character. To infinity: all logits become 0, so each character has 1/86. Try
# `TEMPERATURES = (0.01, 100.0)` in the figure.
# </details>
#
# **3.** `decode(likeliest)` above is one text shifted by one. In how many places was the model right?
#
# <details><summary>A solution</summary>
#
# ```python
# np.mean(likeliest[:-1] == batch[0, 1:])  # compare what it expected with what came
# ```
#
# The last expectation has nothing to be compared with. This share is the accuracy.
# </details>
#
# {{ next }}
