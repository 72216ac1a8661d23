"""Flower's clients, for `flower_pytorch.py`; Ray's workers import this module."""

import functools

import pytorch_model
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

import job


@functools.cache
def _read_once(path: str) -> job.Job:
    return job.read_job(path)


def make_client_app(path: str) -> ClientApp:
    """Clients that train on their part of the job in a file."""
    app = ClientApp()

    @app.train()
    def train(message: Message, context: Context) -> Message:
        batches = _read_once(path).batches(int(context.node_config["partition-id"]))
        model = pytorch_model.CharRNN()
        model.load_state_dict(message.content["arrays"].to_torch_state_dict())
        pytorch_model.train(model, batches)
        metrics = MetricRecord({"num-examples": sum(len(inputs) for inputs, _ in batches)})
        reply = RecordDict({"arrays": ArrayRecord(model.state_dict()), "metrics": metrics})
        return Message(content=reply, reply_to=message)

    return app
