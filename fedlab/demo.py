"""The main job, from start to end: a model that read Dickens learns Shakespeare from his characters."""

import dataclasses
import pathlib
import textwrap
import time

from fedlab import runtime
from fedlab.arguments import check_whole_numbers

START = "What say you, my lord? "


@dataclasses.dataclass(frozen=True)
class DemoSettings:
    """How the demo trains; the defaults fit two minutes on two cores."""

    rounds: int = 4
    clients_per_round: int = 5
    local_epochs: int = 1
    client_learning_rate: float = 0.001
    server_learning_rate: float = 1.0
    temperature: float = 0.5
    length: int = 300
    seed: int = 1
    out: pathlib.Path = pathlib.Path("demo-output")

    def __post_init__(self):
        check_whole_numbers(
            rounds=self.rounds, clients_per_round=self.clients_per_round, local_epochs=self.local_epochs
        )


def run_demo(settings):
    """Loads, generates, evaluates, fine-tunes, evaluates and generates again; writes a figure.

    An interrupt ends the training at the last whole round; what follows uses that round.

    Returns:
      (before, after): the two `fedlab.training.Evaluation` of the held-out text.
    """
    started = time.monotonic()
    settings.out.mkdir(parents=True, exist_ok=True)
    _say("Importing TensorFlow and TensorFlow Federated")
    from fedlab import training
    from fedlab.datasets import load_shakespeare
    from fedlab.datasets.preprocessed_clients import preprocess_clients
    from fedlab.models.char_rnn import with_batch_size
    from fedlab.models.dickens import load_dickens

    _say("Loading the model that was trained on Dickens, and Shakespeare's characters as clients")
    model = load_dickens(batch_size=8)
    train, test = load_shakespeare()
    clients = preprocess_clients(train)
    client_ids = [report.client_id for report in clients.trainable]
    print(f"{len(client_ids)} clients can train; {len(clients.too_small)} have too little text.")

    writer = with_batch_size(model, 1)
    before_text = _generate(writer, settings)
    before = training.evaluate(model, test, client_ids)
    print(f"Held-out Shakespeare, before: accuracy {before.accuracy:.1%}, loss {before.loss:.3f}")

    _say(
        f"Fine-tuning with Federated Averaging, "
        f"{settings.rounds} rounds of {settings.clients_per_round} clients"
    )
    server = _start(training, model, settings)
    evaluate_weights = training.make_weights_evaluation(model, test, client_ids)
    records = _train(training, server, clients, client_ids, evaluate_weights, settings)
    is_evaluated = bool(records) and records[-1].round_number == server.round_number
    after = records[-1].held_out if is_evaluated else evaluate_weights(server.model_weights)
    training.assign_weights(server.model_weights, model)
    training.assign_weights(server.model_weights, writer)
    after_text = _generate(writer, settings)

    _say("What changed")
    _print_table(before, after)
    _print_text("Before", before_text)
    _print_text("After", after_text)
    _write_results(model, records, before, settings.out)
    print(f"\nDone in {time.monotonic() - started:.0f} s.")
    return before, after


def _say(text):
    print(f"\n== {text}", flush=True)


def _generate(writer, settings):
    from fedlab.generation import generate_text

    return generate_text(writer, START, settings.length, temperature=settings.temperature, seed=settings.seed)


def _start(training, model, settings):
    import tensorflow_federated as tff

    process = tff.learning.algorithms.build_weighted_fed_avg(
        training.make_model_fn(model),
        # Adam: with a few batches a client, it gets further a round than SGD.
        client_optimizer_fn=tff.learning.optimizers.build_adam(settings.client_learning_rate),
        server_optimizer_fn=tff.learning.optimizers.build_sgdm(settings.server_learning_rate),
    )
    return training.start_server(process, model)


def _train(training, server, clients, client_ids, evaluate_weights, settings):
    """Runs the rounds under a progress bar; an interrupt ends them at the last whole one."""
    import tqdm

    records = []
    rounds = training.run_rounds(
        server,
        clients,
        settings.rounds,
        client_ids=client_ids,
        clients_per_round=min(settings.clients_per_round, len(client_ids)),
        local_epochs=settings.local_epochs,
        seed=settings.seed,
        evaluate_weights=evaluate_weights,
    )
    # The bar over the clients in a round is for eyes: disable=None leaves it out of logs.
    clients_bar = runtime.showing_progress(position=1, disable=None)
    rounds_bar = tqdm.tqdm(rounds, total=settings.rounds, unit="round", dynamic_ncols=True)
    try:
        with clients_bar, rounds_bar as bar:
            for record in bar:
                records.append(record)
                bar.set_postfix_str(f"held-out accuracy {record.held_out.accuracy:.1%}")
    except KeyboardInterrupt:
        print(f"\nStopped; going on with what there is after round {server.round_number}.")
    return records


def _print_table(before, after):
    print(f"{'held-out Shakespeare':<22}{'before':>9}{'after':>9}{'change':>9}")
    rows = [
        ("accuracy", before.accuracy, after.accuracy, "{:.1%}"),
        ("loss (nats/character)", before.loss, after.loss, "{:.3f}"),
    ]
    for name, first, second, form in rows:
        change = form.replace("{:", "{:+").format(second - first)
        print(f"{name:<22}{form.format(first):>9}{form.format(second):>9}{change:>9}")
    better = sum(
        after.accuracy_by_client[client_id] > accuracy
        for client_id, accuracy in before.accuracy_by_client.items()
    )
    print(
        f"{better} of {len(before.accuracy_by_client)} clients improved, "
        f"over {before.num_characters:,} characters."
    )


def _print_text(title, text):
    print(f"\n{title}:\n{textwrap.indent(text, '  | ', lambda line: True)}")


def _write_results(model, records, before, folder):
    from fedlab.models.weights import save_weights

    save_weights(model, folder / "fine_tuned.safetensors")
    written = "fine_tuned.safetensors"
    if records:
        from fedlab.plots import plot_fine_tuning

        plot_fine_tuning(records, before).savefig(folder / "fine_tuning.png", dpi=150)
        written = "fine_tuning.png and " + written
    print(f"\nWrote {written} to {folder}/")
