"""Which clients take part in a round: uniform sampling without replacement, repeatable by seed."""

import numpy as np

from fedlab.arguments import check_whole_numbers


def sample_clients(client_ids, num_clients, *, seed):
    """Draws a cohort.

    Args:
      client_ids: the ids to draw from.
      num_clients: size of the cohort, from 1 to all of them.
      seed: int or sequence of ints (for example [seed, round_number]); the same seed draws the same cohort.

    Returns:
      tuple of distinct client ids, in the order drawn.

    Raises:
      ValueError: there are fewer clients than asked for, or ids are given twice.
    """
    ids = list(client_ids)
    if len(set(ids)) < len(ids):
        twice = next(client_id for client_id in ids if ids.count(client_id) > 1)
        raise ValueError(f"client {twice!r} is listed twice; give each client once.")
    check_whole_numbers(num_clients=num_clients)
    if num_clients > len(ids):
        raise ValueError(f"num_clients={num_clients}, but there are only {len(ids)} clients to draw from.")
    drawn = np.random.default_rng(seed).choice(len(ids), size=num_clients, replace=False)
    return tuple(ids[index] for index in drawn)
