"""Memory over many rounds of the Dickens job: what round 100 holds against round 10.

The job of benchmarks/rounds.py (2 clients with 5 batches of 8 x 100 characters), in this process. A
runtime that kept something of every round would show here.

    python benchmarks/memory.py               # 100 rounds
    python benchmarks/memory.py --rounds 30
"""

import argparse
import gc
import json
import pathlib

import psutil
import rounds

MEASURED_FROM, TARGET = 10, 1.05


def resident_mb():
    """Resident memory of this process, after what Python no longer needs is gone."""
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20


def measure(num_rounds):
    """Resident MB after every tenth round, by round."""
    next_round = rounds.in_process()
    clients = [rounds.client_data(client) for client in range(2)]
    resident = {}
    for round_number in range(1, num_rounds + 1):
        next_round(clients)
        if round_number % 10 == 0:
            resident[round_number] = resident_mb()
            print(f"round {round_number:3}{resident[round_number]:7.0f} MB", flush=True)
    return resident


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--json", type=pathlib.Path, help="a file to write the figures to")
    arguments = parser.parse_args()
    if arguments.rounds < 2 * MEASURED_FROM:
        parser.error(f"--rounds {arguments.rounds}: give at least {2 * MEASURED_FROM}.")
    resident = measure(arguments.rounds)
    last = max(resident)
    ratio = resident[last] / resident[MEASURED_FROM]
    verdict = "reached" if ratio <= TARGET else "missed"
    print(
        f"{ratio:.3f} x the memory of round {MEASURED_FROM} after round {last} (target {TARGET}: {verdict})"
    )
    if arguments.json:
        arguments.json.write_text(json.dumps({"resident_mb": resident, "ratio": ratio}, indent=2) + "\n")


if __name__ == "__main__":
    main()
