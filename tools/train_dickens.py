"""Trains the pocket Dickens weights that fedlab ships, and writes their model card.

    python tools/train_dickens.py path/to/dickens.txt

The recipe: Adam with a cosine schedule, truncated backpropagation over 100 characters, dropout
beside the GRU and on its recurrent weights (DropConnect: Wan et al. 2013; Merity et al. 2018,
arXiv:1708.02182), paragraphs re-wrapped anew each epoch so that the model does not learn one book's
page width, bfloat16 arithmetic with a float32 finish, and the epoch that scores best on held-out
Dickens. An interrupted run goes on from its last epoch: give the same command again.
"""

import argparse
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
from fedlab.models.char_rnn import EMBEDDING_SIZE, RNN_UNITS, build_char_rnn
from fedlab.vocabulary import VOCABULARY_SIZE, encode

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


def rewrap(text, rng):
    """Re-wraps each paragraph: a third as printed, a third at another width, a third as verse."""
    paragraphs = []
    for paragraph in text.split("\n\n"):
        choice = rng.random()
        if choice < 1 / 3:
            paragraphs.append(paragraph)
            continue
        lines = textwrap.wrap(" ".join(paragraph.split()), width=int(rng.integers(30, 75)))
        if choice < 2 / 3:
            lines = [line[:1].upper() + line[1:] for line in lines]
        paragraphs.append("\n".join(lines))
    return "\n\n".join(paragraphs)


def training_batches(ids, batch_size, rng):
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
        yield window[:, :-1], window[:, 1:], keep.astype(np.float32)
        starts = starts + SEQUENCE_LENGTH_CHARS


class Trainer:
    """One precision's model and step over weights that both precisions share as arrays."""

    def __init__(self, precision, settings, weights, optimizer):
        tf.keras.mixed_precision.set_global_policy(precision)
        self.settings, self.optimizer = settings, optimizer
        self.model = build_char_rnn(settings.batch_size)
        self.embedding, self.gru, self.dense = self.model.layers
        self.model.set_weights(weights)
        optimizer.build(self.model.trainable_variables)
        tf.keras.mixed_precision.set_global_policy("float32")
        self.loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.step = tf.function(self._step)

    def _step(self, inputs, targets, keep):
        state = self.gru.states[0]
        state.assign(state * tf.cast(keep, state.dtype)[:, None])
        # The GRU computes with a thinned copy of its recurrent weights; the gradient with respect
        # to the copy, thinned likewise, is then applied to the whole ones.
        recurrent = self.model.trainable_variables[2]
        whole = tf.identity(recurrent)
        rate = self.settings.recurrent_dropout
        thin = tf.cast(tf.random.uniform(whole.shape) >= rate, tf.float32) / (1 - rate)
        recurrent.assign(whole * thin)
        with tf.GradientTape() as tape:
            hidden = self.gru(tf.nn.dropout(self.embedding(inputs), self.settings.input_dropout))
            logits = self.dense(tf.nn.dropout(hidden, self.settings.output_dropout))
            loss = self.loss(targets, tf.cast(logits, tf.float32))
        gradients = tape.gradient(loss, self.model.trainable_variables)
        gradients[2] = gradients[2] * thin
        recurrent.assign(whole)
        gradients, _ = tf.clip_by_global_norm(gradients, 1.0)
        self.optimizer.apply_gradients(zip(gradients, self.model.trainable_variables, strict=True))
        return loss


def windows_of(texts):
    """Cuts texts into non-overlapping windows: int64 [number, SEQUENCE_LENGTH_CHARS + 1]."""
    size = SEQUENCE_LENGTH_CHARS + 1
    ids = [encode(text) for text in texts]
    windows = np.concatenate([i[: len(i) // size * size].reshape(-1, size) for i in ids])
    return windows[: len(windows) // EVALUATION_BATCH_SIZE * EVALUATION_BATCH_SIZE]


def evaluate(weights, windows):
    """Loss and accuracy in float32, every window from a cleared state."""
    model = build_char_rnn(EVALUATION_BATCH_SIZE)
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
    rng = np.random.default_rng([settings.seed, epoch])
    tf.random.set_seed(settings.seed + epoch)
    ids = encode(rewrap(text, rng))
    losses, started = [], time.monotonic()
    for step, batch in enumerate(training_batches(ids, settings.batch_size, rng)):
        losses.append(trainer.step(*batch))
        if step % 20 == 0:
            speed = (step + 1) / (time.monotonic() - started)
            print(f"  epoch {epoch} step {step}: loss {float(losses[-1]):.3f}, {speed:.2f} steps/s", flush=True)
    return float(np.mean([float(loss) for loss in losses]))


def train(text, settings, checkpoint):
    """Yields a record per epoch; keeps weights, optimizer and history in `checkpoint`."""
    training, held_out = split_text(text)
    training_text, windows = "\n\n".join(training), windows_of(held_out)
    optimizer = new_optimizer(settings, len(training_text) // (settings.batch_size * SEQUENCE_LENGTH_CHARS))
    weights = build_char_rnn(1, seed=settings.seed).get_weights()
    history, best, trainer, precision = [], None, None, None
    if checkpoint.exists():
        history, weights, best, optimizer_state = load_checkpoint(checkpoint)
    for epoch in range(len(history) + 1, settings.epochs + 1):
        wanted = "mixed_bfloat16" if epoch <= settings.epochs - settings.float32_epochs else "float32"
        if wanted != precision:
            if trainer is not None:
                weights, optimizer_state = trainer.model.get_weights(), [v.numpy() for v in optimizer.variables]
            optimizer = new_optimizer(
                settings, len(training_text) // (settings.batch_size * SEQUENCE_LENGTH_CHARS)
            )
            trainer, precision = Trainer(wanted, settings, weights, optimizer), wanted
            if epoch > 1:
                for variable, value in zip(optimizer.variables, optimizer_state, strict=True):
                    variable.assign(value)
        loss = run_epoch(trainer, training_text, epoch, settings)
        weights = trainer.model.get_weights()
        record = {"epoch": epoch, "training_loss": loss, **evaluate(weights, windows)}
        history.append(record)
        if record["loss"] <= min(r["loss"] for r in history):
            best = weights
        save_checkpoint(checkpoint, history, weights, best, [v.numpy() for v in optimizer.variables])
        yield record, best


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
    parser.add_argument("--epochs", type=int, default=18)
    parser.add_argument("--float32-epochs", type=int, default=2, help="how many of them, at the end")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--input-dropout", type=float, default=0.1)
    parser.add_argument("--recurrent-dropout", type=float, default=0.25)
    parser.add_argument("--output-dropout", type=float, default=0.3)
    return parser.parse_args()


def main():
    settings = parse_arguments()
    text = settings.text.read_text(encoding="utf-8")
    best = None
    for record, best in train(text, settings, settings.checkpoint):
        print(json.dumps(record), flush=True)
    if best is None:
        history, _, best, _ = load_checkpoint(settings.checkpoint)
    else:
        history = load_checkpoint(settings.checkpoint)[0]
    dickens.save_pocket_weights(best, settings.out)
    print(f"Wrote {settings.out}; best epoch: {min(history, key=lambda r: r['loss'])}")
    assert best[2].shape == (RNN_UNITS, 3 * RNN_UNITS) and best[0].shape == (VOCABULARY_SIZE, EMBEDDING_SIZE)


if __name__ == "__main__":
    main()
