"""Federated training: Keras models for TFF, cohorts, rounds as records, held-out evaluation."""

from fedlab.training.client_results import ClientRecord
from fedlab.training.client_sampling import sample_clients
from fedlab.training.evaluation import Evaluation, evaluate, make_weights_evaluation
from fedlab.training.experiments import Experiment, distance_between
from fedlab.training.keras_adapter import assign_weights, make_model_fn, weights_of
from fedlab.training.proximal_optimizer import build_proximal
from fedlab.training.rounds import RoundRecord, Server, TrainingDivergedError, run_rounds, start_server
from fedlab.training.run import Run
from fedlab.training.simulation import Simulation, SimulationClient

__all__ = [
    "ClientRecord",
    "Evaluation",
    "Experiment",
    "Simulation",
    "SimulationClient",
    "RoundRecord",
    "Run",
    "Server",
    "TrainingDivergedError",
    "assign_weights",
    "build_proximal",
    "distance_between",
    "evaluate",
    "make_model_fn",
    "make_weights_evaluation",
    "run_rounds",
    "sample_clients",
    "start_server",
    "weights_of",
]
