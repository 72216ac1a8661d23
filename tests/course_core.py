"""The core of the course as a script: prints what it found as one line of JSON."""

import fedlab  # first: it makes the import of TFF work

# isort: split
import importlib.metadata
import json
import pathlib

import numpy as np
import tensorflow_federated as tff

from fedlab import doctor, machine
from fedlab.aggregators import CoordinateMedianFactory, for_fed_avg
from fedlab.models.dickens import load_small_dickens
from fedlab.runtime import use_local_worker
from fedlab.runtime.worker_process import WorkerError


def fine_tuning_loss():
    """The loss of a round of two clients, aggregated by fedlab's own median."""
    model = load_small_dickens(batch_size=8)
    process = tff.learning.algorithms.build_weighted_fed_avg(
        fedlab.make_model_fn(model),
        client_optimizer_fn=tff.learning.optimizers.build_sgdm(0.1),
        server_optimizer_fn=tff.learning.optimizers.build_sgdm(1.0),
        model_aggregator=for_fed_avg(CoordinateMedianFactory()),
    )
    train, _ = fedlab.load_shakespeare()
    server = fedlab.start_server(process, model)
    ids = sorted(train.client_ids)[:2]
    (record,) = fedlab.run_rounds(server, train, 1, client_ids=ids, clients_per_round=2, seed=1)
    return record.loss


def own_aggregator():
    """The median of three clients' values, one of them far off."""
    process = CoordinateMedianFactory().create(tff.TensorType(np.float32))
    return float(process.next(process.initialize(), [1.0, 3.0, 1000.0]).result)


def why_no_worker():
    """What `use_local_worker` says."""
    try:
        use_local_worker(deadline_s=20).stop()
    except WorkerError as error:
        return str(error)
    return "it started"


def main():
    files = pathlib.Path(tff.__file__).parent
    print(
        json.dumps(
            {
                "hello": tff.federated_computation(lambda: "Hello, World!")().decode(),
                "median": own_aggregator(),
                "loss": float(fine_tuning_loss()),
                "worker": why_no_worker(),
                "tag": importlib.metadata.distribution("tensorflow-federated").read_text("WHEEL").split()[-1],
                "tff": str(files),
                "platform": str(doctor.check_platform(machine.read_machine())),
            }
        )
    )


if __name__ == "__main__":
    main()
