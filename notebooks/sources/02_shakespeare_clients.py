# %% [markdown]
# # 02 · Shakespeare's characters as clients
#
# **You will learn** what the clients have, how they differ from each other, and how their text becomes batches;
# what is lost on the way, and how to notice.
#
# **You need** notebook 01, or to know that the model reads ids of characters.
#
# **On two cores:** {{ measured }}. {{ links }}
#
# In federated learning the data comes first, because nobody can shuffle it: it stays where it is, as uneven as
# it is. Here is ours.

# %%
# {{ setup }}

# %%
import fedlab  # first: it makes the import of tff work
import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from fedlab.datasets import statistics
from fedlab.datasets.sequences import (
    encode_tensor,
    find_trainable_clients,
    make_batches,
    report_client,
    split_input_target,
    split_into_sequences,
)
from fedlab.vocabulary import CHARACTERS, decode

# %%
# @markdown `"tff"` stands for the 715 clients of TFF's tutorials, downloaded once.
SOURCE = "pocket"  # @param ["pocket", "tff"]
CLIENT = "HAMLET_HAMLET"  # @param {"type": "string"}
BATCH_SIZE = 8  # @param {"type": "integer"}
SEQUENCE_LENGTH_CHARS = 100  # @param {"type": "integer"}
SEED = 1  # @param {"type": "integer"}

# %% [markdown]
# ## Clients by id
#
# The data set comes in two parts, text to train on and text that is held out. Each is a `ClientData`, as TFF calls
# a data set that knows its clients.

# %%
train, test = fedlab.load_shakespeare(SOURCE)
print(len(train.client_ids), "clients:", *train.client_ids[:3], "...")

# %% [markdown]
# One client is one role of one play, and its id names both. You take a client's data by its id. If you mistype
# it, you are told so:

# %% tags=["raises-exception"]
train.create_tf_dataset_for_client("OTHELO")

# %% [markdown]
# Spelled right, it gives a `tf.data.Dataset` of what the role says, one example a speech. TFF calls them
# `snippets`:

# %%
hamlet = train.create_tf_dataset_for_client(CLIENT)
print(hamlet.element_spec["snippets"])
print(next(iter(hamlet))["snippets"].numpy().decode()[:200])

# %% [markdown]
# The two parts have the same clients and no speech in common. The last speeches of each role are held out:

# %%
for part, clients in [("train", train), ("test", test)]:
    print(f"{part:6}{len(clients.speeches(CLIENT)):4} speeches {len(clients.text(CLIENT)):6} characters")
print("in both:", len(set(train.speeches(CLIENT)) & set(test.speeches(CLIENT))))

# %% [markdown]
# ## What makes them different
#
# Machine learning mostly assumes that examples are drawn from one pot, independently: **IID**, for independent and
# identically distributed. Clients are not. They differ in *how much* they have, and in *what*.
#
# ### How much
#
# First how much. `report_client` counts what training will make of a client's text:

# %%
reports = [report_client(train, client_id) for client_id in tqdm(train.client_ids, unit="client")]
fedlab.plots.plot_client_texts(reports)

# %% [markdown]
# Leading roles have thousands of characters, small ones next to nothing. What "left out" means comes below.
# How uneven is it?

# %%
lengths = np.array([report.num_characters for report in reports])
print(f"largest / median:  {lengths.max() / np.median(lengths):.1f}")
print(f"median / smallest: {np.median(lengths) / lengths.min():.0f}")

# %% [markdown]
# ### What: characters
#
# Everybody uses the same letters. Does everybody use them equally often? We count the characters of every
# client that has at least one batch of text:

# %%
client_ids = [report.client_id for report in reports if not report.is_too_small]
texts = {client_id: train.text(client_id) for client_id in client_ids}
counts = np.stack([statistics.count_characters(text) for text in texts.values()])
counts.shape  # [clients, characters]

# %%
fedlab.plots.plot_character_shares(client_ids, counts, CHARACTERS)

# %% [markdown]
# Frequent characters, on the left, are pale: all clients use them about equally. Rarer ones differ, and one row
# stands out. Is that style, or chance? Somebody with little text has odd shares by accident.
#
# To know, we need the clients that there would be *without* any style: as large as ours, with all text thrown
# into one pot and dealt out again at random. Between each two clients we measure a **distance**, 0 for the same
# shares, 1 for nothing in common:

# %%
dealt = statistics.deal_again(counts, seed=SEED)
distances, by_chance = statistics.js_distances(counts), statistics.js_distances(dealt)
fedlab.plots.plot_client_distances(client_ids, distances, by_chance)

# %% [markdown]
# Read the right panel first: chance alone gives most of the distance, and real clients have more. So they are
# not IID, but in their letters they are close: they all speak English.

# %%
pairs = statistics.distances_between_pairs
print(f"real / chance, median:  {np.median(pairs(distances)) / np.median(pairs(by_chance)):.2f}")
print(f"pairs further apart than by chance: {np.mean(pairs(distances) > pairs(by_chance)):.0%}")

# %% [markdown]
# The bright cross in the left panel is the row that stood out. Does it have a voice of its own, or little text?
# Its distances among the clients that were dealt out tell:

# %%
oddest = int(np.argmax(distances.mean(axis=1)))
print(f"{client_ids[oddest]}: {counts[oddest].sum()} characters; the median is {np.median(lengths):.0f}")
print(f"its mean distance: real {distances[oddest].mean():.3f}, by chance {by_chance[oddest].mean():.3f}")

# %% [markdown]
# Both: it has the least text of those that train, so chance puts it far from the others, and what it
# says puts it further.
#
# ### What: words
#
# A voice is in the words. Which words does a client use that others hardly do?

# %%
for client_id in ["HAMLET_HAMLET", "JULIUS_CAESAR_ANTONY", "THE_MERCHANT_OF_VENICE_SHYLOCK"]:
    words = statistics.characteristic_words(texts, client_id)
    print(f"{client_id:32}", *(f"{word} ({uses} of {of_all})" for word, uses, of_all in words))

# %% [markdown]
# Read "brutus (13 of 15)" as: of 15 times that all clients say this word, 13 are this client's. A model that one
# client trains learns that client's words. Federated averaging has to make one model of all.
#
# ## From speeches to batches
#
# The model wants `(inputs, targets)`, each `[8, 100]` ids. We go there step by step, and print at each step the
# **element type**: what one element of the data set is.
#
# **Step 1, characters to ids.** All speeches of the client, joined, as ids:

# %%
ids = encode_tensor(train.text(CLIENT))
print(ids.dtype, ids.shape, ids[:10].numpy())

# %% [markdown]
# **Step 2, windows.** A window has one character more than the model reads. Windows do not overlap, and what is
# left at the end is dropped:

# %%
windows = tf.data.Dataset.from_tensor_slices(split_into_sequences(ids, SEQUENCE_LENGTH_CHARS))
print(windows.element_spec)
print(repr(decode(next(iter(windows)).numpy())))

# %% [markdown]
# Speeches follow each other without a space: the join is the tutorial's.
#
# **Step 3, batches.** The simple way:

# %%
simple = windows.batch(BATCH_SIZE)
print(simple.element_spec)
print("rows in each batch:", [len(batch) for batch in simple])

# %% [markdown]
# The `None` says: some number of rows. The last batch is smaller, and a stateful model with 8 rows cannot read it.
# With `drop_remainder` the batch size is part of the type, and the last batch is gone:

# %%
batches = windows.batch(BATCH_SIZE, drop_remainder=True)
print(batches.element_spec)
print("rows in each batch:", [len(batch) for batch in batches])

# %% [markdown]
# **Step 4, inputs and targets.** The same window twice, shifted by one: after each input character, the target
# is the one that follows.

# %%
pairs_of_client = batches.map(split_input_target)
print(pairs_of_client.element_spec)
inputs, targets = next(iter(pairs_of_client))
print(repr(decode(inputs[0, :30].numpy())), repr(decode(targets[0, :30].numpy())), sep="\n")

# %% [markdown]
# `make_batches` does all four, and shuffles if it is given a seed. It must give what we made by hand:

# %%
ready_made = make_batches(train.create_tf_dataset_for_client(CLIENT))
print("the same type:  ", ready_made.element_spec == pairs_of_client.element_spec)
print("the same values:", np.array_equal(list(ready_made), list(pairs_of_client)))

# %% [markdown]
# ## Clients too small for one batch
#
# What becomes of a client that has less text than one batch needs?

# %%
small = make_batches(train.create_tf_dataset_for_client("MACBETH_THIRD_WITCH"))
print("batches:", len(list(small)))

# %% [markdown]
# An empty data set, and no error. Such a client takes part in a round and teaches nothing, while you believe that
# it does. So we ask before:

# %%
trainable, too_small = find_trainable_clients(train)
print(len(trainable), "can train,", len(too_small), "cannot")

# %% [markdown]
# The warning names them. `fedlab.run_rounds` asks the same question, so nothing empty takes part in its rounds.
#
# ## What `drop_remainder` costs
#
# It drops twice: characters that do not fill a window, and windows that do not fill a batch. Together, of all
# text:

# %%
left_out = sum(report.num_characters_left_out for report in reports)
print(f"{left_out:,} of {lengths.sum():,} characters: {left_out / lengths.sum():.1%}")

# %% [markdown]
# This is the hatched part of the first figure. Would another batch size lose less?

# %%
sizes = [1, 2, 4, 8, 16, 32]
by_size = [[report_client(train, i, batch_size=size) for i in train.client_ids] for size in tqdm(sizes)]
percents = [100 * sum(r.num_characters_left_out for r in each) / lengths.sum() for each in by_size]
fedlab.plots.plot_left_out(sizes, percents, [sum(r.is_too_small for r in each) for each in by_size])

# %% [markdown]
# Small batches lose little. But each batch is a step of the optimizer, and small ones make slow and noisy steps;
# 8 is what the tutorial's model was made for. In the first figure you also see *whose* text is lost: of small
# clients all of it. What a data pipeline drops is rarely dropped evenly.
#
# ## Look for yourself
#
# All of this page, for any client: pick a role, read its lines, see its numbers beside everybody's, what training
# sees of it and what it never sees. Begin with the order "least text first", and press *Next client* until you
# meet one that trains.

# %%
browser = fedlab.widgets.ClientBrowser(fedlab.datasets.profile_clients(train))
browser

# %% [markdown]
# In a real federation nobody could open this page: text stays with its client, and that is the point of it. We can,
# because our clients only ever lived on a stage.
#
# What you choose with the mouse, code can choose too. The witch once more, and what becomes of her text:

# %%
browser.select("MACBETH_THIRD_WITCH")
browser.page.value = "What is dropped"
print(browser.facts())

# %% [markdown]
# She fills windows but no batch: training never hears her. Now *Against the federation*: her letters are far from
# everybody's, and most of that is chance again, because she says so little.

# %%
browser.page.value = "Against the federation"
print(browser.facts())

# %% [markdown]
# ## TFF's own data set, and the play in its ids
#
# TFF's tutorials use a larger Shakespeare: all roles of all plays, 715 clients. Set `SOURCE = "tff"` in the settings
# and run the notebook again; the download is kept, and `FEDLAB_MIRROR` may name a server of your own.
#
# Be careful when you read its ids: many name the wrong play. `MUCH_ADO_ABOUT_NOTHING_OTHELLO`, for one, speaks
# Othello's lines, from *Othello*. For training it does not matter, since an id is a name and no more. For people who
# pick clients by their play it does. Ask the text, not the label:

# %%
for client_id in [i for i in train.client_ids if i.endswith("_OTHELLO")]:
    text = train.text(client_id)
    print(f"{client_id}: 'Iago' {text.count('Iago')} times, 'Benedick' {text.count('Benedick')} times")

# %% [markdown]
# Here the label is right: who speaks to Iago is in *Othello*, and who speaks to Benedick is in *Much Ado About
# Nothing*. The pocket data set was typed for this course, with ids that name the right play.
#
# ## Recap
#
# - A client's data comes by its id, as a data set of speeches. Nobody sees it all at once.
# - Clients are not IID: sizes differ most, words a lot, letters a little. Compare with chance before you speak of
#   style.
# - Speeches become ids, windows, batches, and pairs of inputs and targets, with a fixed type at the end.
# - `drop_remainder` costs text, and small clients everything, in silence. Count.
# - `ClientBrowser` shows all of this for one client; in a real federation nobody could look.
#
# ## Exercises
#
# **1.** Which two clients are closest to each other? Is that what you expect of their plays?
#
# <details><summary>A solution</summary>
#
# ```python
# apart = distances + np.eye(len(client_ids))  # not a client and itself
# row, column = np.unravel_index(np.argmin(apart), apart.shape)
# client_ids[row], client_ids[column]
# ```
#
# Two leading men, of two plays. The pairs of one play, such as Celia and Rosalind or Brutus and Antony, are close
# too: dark squares near the diagonal.
# </details>
#
# **2.** How long must a client's text be, to make two batches?
#
# <details><summary>A solution</summary>
#
# `2 * BATCH_SIZE * (SEQUENCE_LENGTH_CHARS + 1)` characters: each window also holds the target of its last input.
# </details>
#
# **3.** Make the windows of one client overlap by half, so that less is lost. What do you gain, and what is the price?
#
# <details><summary>A solution</summary>
#
# ```python
# starts = range(0, len(ids) - SEQUENCE_LENGTH_CHARS, 50)
# overlapping = np.stack([ids[s : s + SEQUENCE_LENGTH_CHARS + 1] for s in starts])
# ```
#
# Twice as many windows of the same text: the client counts twice as much in a weighted average, without knowing
# more.
# </details>
#
# {{ next }}
