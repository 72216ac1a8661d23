"""Contenders that train a federated round with TensorFlow: in this process, on TFF's worker, Keras `fit`.

    python benchmarks/federated.py in_process JOB.npz

`rounds.py` and others start it and ask it for rounds.
"""

import argparse
import pathlib

import fedlab  # Before TensorFlow: it chooses the Keras that TensorFlow loads.
import job
import taking_turns


def loss():
    """What is minimised: the cross-entropy of the next character, averaged over a batch."""
    import tensorflow as tf

    return tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def datasets_of(the_job: job.Job) -> list:
    """Each client's batches as a tf.data.Dataset of (inputs, targets), int64 [8, 100] each."""
    import tensorflow as tf

    rows = the_job.ids.reshape(the_job.num_clients, -1, the_job.ids.shape[-1])
    return [
        tf.data.Dataset.from_tensor_slices((ids[:, :-1], ids[:, 1:])).batch(job.ROWS, drop_remainder=True)
        for ids in rows
    ]


class FederatedAveraging:
    """Weighted federated averaging as TFF builds it, on whatever runtime is TFF's default."""

    def __init__(self, the_job: job.Job):
        import tensorflow_federated as tff

        from fedlab.models.char_rnn import build_char_rnn

        self._datasets = datasets_of(the_job)
        input_spec = self._datasets[0].element_spec

        def model_fn():
            keras_model = build_char_rnn(job.ROWS)
            return tff.learning.models.from_keras_model(keras_model, loss=loss(), input_spec=input_spec)

        self._process = tff.learning.algorithms.build_weighted_fed_avg(
            model_fn, client_optimizer_fn=tff.learning.optimizers.build_sgdm(job.LEARNING_RATE)
        )
        weights = tff.learning.models.ModelWeights(the_job.weights, [])
        self._state = self._process.set_model_weights(self._process.initialize(), weights)

    def train_round(self, num_clients: int) -> None:
        """Trains one round over the first clients."""
        self._state = self._process.next(self._state, self._datasets[:num_clients]).state

    def save_weights(self, path: str) -> None:
        """Writes the server's weights."""
        job.write_weights(self._process.get_model_weights(self._state).trainable, path)


class KerasFit:
    """What a Keras user would do: the clients' batches one after another, without averaging."""

    def __init__(self, the_job: job.Job):
        import tensorflow as tf

        from fedlab.models.char_rnn import build_char_rnn

        self._datasets = datasets_of(the_job)
        self._model = build_char_rnn(job.ROWS)
        self._model.compile(tf.keras.optimizers.SGD(job.LEARNING_RATE), loss())
        self._model.set_weights(the_job.weights)

    def train_round(self, num_clients: int) -> None:
        """Fits the first clients' batches."""
        for batches in self._datasets[:num_clients]:
            self._model.reset_states()
            self._model.fit(batches, verbose=0)

    def save_weights(self, path: str) -> None:
        """Writes the model's weights."""
        job.write_weights(self._model.get_weights(), path)


class Judge:
    """Says what loss the weights of others have."""

    def __init__(self, the_job: job.Job):
        from fedlab.models.char_rnn import build_char_rnn

        self._model, self._job = build_char_rnn(job.ROWS), the_job

    def loss_of(self, path: str) -> float:
        """The mean loss of the first client's batches under weights that a contender saved."""
        self._model.set_weights(job.read_weights(path))
        self._model.reset_states()
        losses = [loss()(targets, self._model(inputs)) for inputs, targets in self._job.batches(0)]
        return float(sum(losses) / len(losses))


def in_process(the_job: job.Job) -> FederatedAveraging:
    """TFF's process on fedlab's runtime, in this process."""
    import tensorflow_federated  # noqa: F401  (before its runtime is chosen)

    fedlab.runtime.use_in_process()
    return FederatedAveraging(the_job)


def tff_worker(the_job: job.Job) -> FederatedAveraging:
    """TFF's process on TFF's own runtime, started TFF's own way: this is about TFF as it comes."""
    import tensorflow_federated as tff

    tff.backends.native.set_sync_local_cpp_execution_context()
    return FederatedAveraging(the_job)


CONTENDERS = {"in_process": in_process, "tff_worker": tff_worker, "keras_fit": KerasFit, "judge": Judge}


def main() -> None:
    """Serves the contender that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contender", choices=CONTENDERS)
    parser.add_argument("job", type=pathlib.Path)
    arguments = parser.parse_args()
    taking_turns.serve(lambda: CONTENDERS[arguments.contender](job.read_job(arguments.job)))


if __name__ == "__main__":
    main()
