"""The command `fedlab`: `fedlab demo` runs the main job, `fedlab doctor` looks at the machine."""

import argparse
import dataclasses
import pathlib
import sys

import fedlab
from fedlab import doctor
from fedlab.demo import DemoSettings, run_demo
from fedlab.downloads import DownloadError


def main(arguments=None):
    """Runs a command; returns the exit code: 0 done, 1 it could not be done, 130 interrupted."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except (DownloadError, ValueError, OSError) as error:
        print(f"fedlab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nfedlab: interrupted.", file=sys.stderr)
        return 130


def _parser():
    parser = argparse.ArgumentParser(prog="fedlab", description=fedlab.__doc__.splitlines()[0])
    parser.add_argument("--version", action="version", version=f"fedlab {fedlab.__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    demo = commands.add_parser(
        "demo",
        help="fine-tune the Dickens model on Shakespeare, and see what changes",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    for field in dataclasses.fields(DemoSettings):
        kind = pathlib.Path if field.name == "out" else type(field.default)
        demo.add_argument(
            f"--{field.name.replace('_', '-')}", type=kind, default=field.default, help=_HELP[field.name]
        )
    demo.set_defaults(run=_run_demo)
    checkup = commands.add_parser(
        "doctor", help="say whether this machine can run the course, and if not, why"
    )
    checkup.set_defaults(run=_run_doctor)
    return parser


_HELP = {
    "rounds": "rounds of federated averaging",
    "clients_per_round": "clients sampled each round",
    "local_epochs": "passes over its text that each client makes in a round",
    "client_learning_rate": "Adam's rate at the clients",
    "server_learning_rate": "SGD's rate at the server; 1 is plain averaging",
    "temperature": "of the generated text: low is safe, high is bold",
    "length": "characters to generate",
    "seed": "decides cohorts, order of text and the samples",
    "out": "folder for the figure and the fine-tuned weights",
}


def _run_demo(options):
    run_demo(
        DemoSettings(
            **{field.name: getattr(options, field.name) for field in dataclasses.fields(DemoSettings)}
        )
    )


def _run_doctor(options):
    diagnosis = doctor.doctor()
    print(diagnosis)
    return 0 if diagnosis.can_run else 1


if __name__ == "__main__":
    sys.exit(main())
