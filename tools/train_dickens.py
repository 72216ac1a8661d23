"""Trains the pocket Dickens weights that fedlab ships, and writes their model card.

    python tools/train_dickens.py path/to/dickens.txt

The recipe: Adam with a cosine schedule, truncated backpropagation over 100 characters, dropout beside
the GRU and on its recurrent weights (DropConnect: Wan et al. 2013; Merity et al. 2018,
arXiv:1708.02182), bfloat16 arithmetic over float32 weights, and the epoch that scores best on held-out
Dickens. So that the model learns English and not one book's page, paragraphs are re-wrapped and joined
anew each epoch, and a few input characters are exchanged.

An interrupted run goes on from its last epoch: give the same command again.
"""

import argparse
import hashlib
import json
import os
import pathlib
import textwrap
import time

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

from fedlab.models import dickens
from fedlab.models.char_rnn import RNN_UNITS, build_char_rnn
from fedlab.vocabulary import encode

SEQUENCE_LENGTH_CHARS = 100
HELD_OUT_BLOCK_CHARS = 4_000
HELD_OUT_EVERY = 20  # one block in twenty is held out
EVALUATION_BATCH_SIZE = 64


def split_text(text):
    """Cuts the text into blocks; returns (training texts, held-out texts)."""
    blocks = [text[i : i + HELD_OUT_BLOCK_CHARS] for i in range(0, len(text), HELD_OUT_BLOCK_CHARS)]
    held_out = blocks[HELD_OUT_EVERY // 2 :: HELD_OUT_EVERY]
    training, run = [], []
    for index, block in enumerate(blocks):
        if index % HELD_OUT_EVERY == HELD_OUT_EVERY // 2:
            training.append("".join(run))
            run = []
        else:
            run.append(block)
    return training + ["".join(run)], held_out


def set_anew(text, rng):
    """Sets the text for another page: lines broken elsewhere, paragraphs joined in other ways.

    A third of the paragraphs stay as printed, a third get another width, a third are set as verse,
    each line with a capital.
    """
    pieces = []
    for paragraph in text.split("\n\n"):
        choice = rng.random()
        if choice > 1 / 3:
            lines = textwrap.wrap(" ".join(paragraph.split()), width=int(rng.integers(30, 75)))
            if choice > 2 / 3:
                lines = [line[:1].upper() + line[1:] for line in lines]
            paragraph = "\n".join(lines)
        pieces += [paragraph, str(rng.choice(["\n\n", "\n", "", " "], p=[0.3, 0.2, 0.4, 0.1]))]
    return "".join(pieces)


def training_batches(ids, batch_size, noise, rng):
    """Yields (inputs, targets, keep): rows walk through the text and now and then jump elsewhere.

    `keep` [batch_size] is 0 where a row jumped and its GRU state is cleared, else 1. One jump in two
    keeps the stale state: shuffled training batches, as federated clients have them, do that too.
    """
    starts = rng.integers(0, len(ids) - SEQUENCE_LENGTH_CHARS - 1, batch_size)
    for _ in range(len(ids) // (batch_size * SEQUENCE_LENGTH_CHARS)):
        jump = (rng.random(batch_size) < 0.3) | (starts + SEQUENCE_LENGTH_CHARS + 1 > len(ids))
        fresh = rng.integers(0, len(ids) - SEQUENCE_LENGTH_CHARS - 1, batch_size)
        starts = np.where(jump, fresh, starts)
        keep = 1.0 - (jump & (rng.random(batch_size) < 0.5))
        window = ids[starts[:, None] + np.arange(SEQUENCE_LENGTH_CHARS + 1)]
        inputs, targets = window[:, :-1], window[:, 1:]
        exchanged = ids[rng.integers(0, len(ids), inputs.shape)]
        inputs = np.where(rng.random(inputs.shape) < noise, exchanged, inputs)
        yield inputs, targets, keep.astype(np.float32)
        starts = starts + SEQUENCE_LENGTH_CHARS


class Trainer:
    """The model, its optimizer and one training step."""

    def __init__(self, settings, weights, steps_per_epoch):
        tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
        self.settings = settings
        self.model = build_char_rnn(settings.batch_size, rnn_units=settings.rnn_units)
        tf.keras.mixed_precision.set_global_policy("float32")
        self.embedding, self.gru, self.dense = self.model.layers
        self.model.set_weights(weights)
        self.optimizer = new_optimizer(settings, steps_per_epoch)
        self.optimizer.build(self.model.trainable_variables)
        self.loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.step = tf.function(self._step)

    def _step(self, inputs, targets, keep):
        state = self.gru.states[0]
        state.assign(state * tf.cast(keep, state.dtype)[:, None])
        # Seeded by the step's number, so that a run that was interrupted goes on the same.
        seeds = [tf.stack([self.settings.seed + i, self.optimizer.iterations]) for i in range(3)]
        # The GRU computes with a thinned copy of its recurrent weights; the gradient with respect
        # to the copy, thinned likewise, is then applied to the whole ones.
        recurrent = self.model.trainable_variables[2]
        whole = tf.identity(recurrent)
        rate = self.settings.recurrent_dropout
        thin = tf.cast(tf.random.stateless_uniform(whole.shape, seeds[0]) >= rate, tf.float32) / (1 - rate)
        recurrent.assign(whole * thin)
        with tf.GradientTape() as tape:
            embedded = dropout(self.embedding(inputs), self.settings.input_dropout, seeds[1])
            hidden = dropout(self.gru(embedded), self.settings.output_dropout, seeds[2])
            loss = self.loss(targets, tf.cast(self.dense(hidden), tf.float32))
        gradients = tape.gradient(loss, self.model.trainable_variables)
        gradients[2] = gradients[2] * thin
        recurrent.assign(whole)
        gradients, _ = tf.clip_by_global_norm(gradients, 1.0)
        self.optimizer.apply_gradients(zip(gradients, self.model.trainable_variables, strict=True))
        return loss


def dropout(values, rate, seed):
    return tf.nn.experimental.stateless_dropout(values, rate, seed=seed)


def windows_of(texts):
    """Cuts texts into non-overlapping windows: int64 [number, SEQUENCE_LENGTH_CHARS + 1]."""
    size = SEQUENCE_LENGTH_CHARS + 1
    ids = [encode(text) for text in texts]
    windows = np.concatenate([i[: len(i) // size * size].reshape(-1, size) for i in ids])
    return windows[: len(windows) // EVALUATION_BATCH_SIZE * EVALUATION_BATCH_SIZE]


def evaluate(weights, windows):
    """Loss and accuracy in float32, every window from a cleared state."""
    model = build_char_rnn(EVALUATION_BATCH_SIZE, rnn_units=len(weights[2]))
    model.set_weights(weights)
    losses, hits = [], []
    for batch in windows.reshape(-1, EVALUATION_BATCH_SIZE, SEQUENCE_LENGTH_CHARS + 1):
        model.reset_states()
        logits = model(batch[:, :-1])
        losses.append(tf.keras.losses.sparse_categorical_crossentropy(batch[:, 1:], logits, from_logits=True))
        hits.append(np.argmax(logits, -1) == batch[:, 1:])
    return {"loss": float(np.mean(losses)), "accuracy": float(np.mean(hits))}


def new_optimizer(settings, steps_per_epoch):
    schedule = tf.keras.optimizers.schedules.CosineDecay(
        0.0,
        settings.epochs * steps_per_epoch,
        alpha=0.01,
        warmup_target=settings.learning_rate,
        warmup_steps=steps_per_epoch // 2,
    )
    return tf.keras.optimizers.Adam(schedule, beta_2=0.99)


def run_epoch(trainer, text, epoch, settings):
    """Trains over the text once; returns the mean loss."""
    rng = np.random.default_rng([settings.seed, epoch])
    ids = encode(set_anew(text, rng))
    losses, started = [], time.monotonic()
    for step, batch in enumerate(training_batches(ids, settings.batch_size, settings.noise, rng)):
        losses.append(float(trainer.step(*batch)))
        if step % 20 == 0:
            speed = (step + 1) / (time.monotonic() - started)
            print(f"  epoch {epoch} step {step}: loss {losses[-1]:.3f}, {speed:.2f} steps/s", flush=True)
    return float(np.mean(losses))


def initial_weights(seed, rnn_units):
    """The model's own initial weights, but for recurrent weights that are orthogonal."""
    weights = build_char_rnn(1, rnn_units=rnn_units, seed=seed).get_weights()
    weights[2] = tf.keras.initializers.Orthogonal(seed=seed + 2)(weights[2].shape).numpy()
    return weights


def train(text, settings):
    """Trains the epochs that `settings.checkpoint` does not hold yet; returns (history, best weights)."""
    training, held_out = split_text(text)
    training_text, windows = "\n\n".join(training), windows_of(held_out)
    weights = initial_weights(settings.seed, settings.rnn_units)
    history, best, optimizer_state = [], None, None
    if settings.checkpoint.exists():
        history, weights, best, optimizer_state = load_checkpoint(settings.checkpoint)
    trainer = Trainer(settings, weights, len(training_text) // (settings.batch_size * SEQUENCE_LENGTH_CHARS))
    if optimizer_state is not None:
        for variable, value in zip(trainer.optimizer.variables, optimizer_state, strict=True):
            variable.assign(value)
    for epoch in range(len(history) + 1, settings.epochs + 1):
        loss = run_epoch(trainer, training_text, epoch, settings)
        weights = trainer.model.get_weights()
        history.append({"epoch": epoch, "training_loss": loss, **evaluate(weights, windows)})
        print(json.dumps(history[-1]), flush=True)
        if history[-1]["loss"] <= min(record["loss"] for record in history):
            best = weights
        state = [variable.numpy() for variable in trainer.optimizer.variables]
        save_checkpoint(settings.checkpoint, history, weights, best, state)
    return history, best


def save_checkpoint(path, history, weights, best, optimizer_state):
    groups = {"weights": weights, "best": best, "optimizer": optimizer_state}
    arrays = {f"{name}_{i:02}": a for name, group in groups.items() for i, a in enumerate(group)}
    partial = path.with_name(path.name + ".partial.npz")
    np.savez(partial, history=json.dumps(history), **arrays)
    partial.replace(path)


def load_checkpoint(path):
    with np.load(path) as stored:
        groups = [
            [stored[key] for key in sorted(stored) if key.startswith(name)]
            for name in ("weights", "best", "optimizer")
        ]
        return json.loads(str(stored["history"])), *groups


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", type=pathlib.Path, help="plain text of the Dickens novels")
    parser.add_argument("--out", type=pathlib.Path, default=dickens.POCKET_WEIGHTS)
    parser.add_argument("--checkpoint", type=pathlib.Path, default=pathlib.Path("dickens_training.npz"))
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--rnn-units", type=int, default=RNN_UNITS)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--noise", type=float, default=0.04, help="share of input characters exchanged")
    parser.add_argument("--input-dropout", type=float, default=0.1)
    parser.add_argument("--recurrent-dropout", type=float, default=0.25)
    parser.add_argument("--output-dropout", type=float, default=0.3)
    return parser.parse_args()


def recipe_of(settings, text, best):
    """What the weights file's header says about where the weights come from."""
    names = ("seed", "rnn_units", "epochs", "batch_size", "learning_rate", "noise")
    names += ("input_dropout", "recurrent_dropout", "output_dropout")
    recipe = {name: str(getattr(settings, name)) for name in names}
    recipe["text_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    return recipe | {f"held_out_{key}" if key != "epoch" else "best_epoch": str(best[key]) for key in best}


def main():
    settings = parse_arguments()
    text = settings.text.read_text(encoding="utf-8")
    history, weights = train(text, settings)
    best = min(history, key=lambda record: record["loss"])
    best = {key: best[key] for key in ("epoch", "loss", "accuracy")}
    dickens.save_pocket_weights(weights, settings.out, metadata=recipe_of(settings, text, best))
    print(f"Wrote {settings.out}; best epoch: {best}")


if __name__ == "__main__":
    main()
