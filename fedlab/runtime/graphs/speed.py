"""Every rewrite that makes a graph faster, behind one switch.

The interpreter runs without them: results are the same, up to the rounding of sums that are taken in another
order, and a round takes several times as long. FEDLAB_FAST_GRAPHS=0 turns them off: so anyone can see whether
a doubtful number comes from here.
"""

import os
from typing import Any

from fedlab.runtime.graphs import (
    dataset_loops,
    input_gradients,
    loop_products,
    thin_products,
    weight_gradients,
)

SWITCH = "FEDLAB_FAST_GRAPHS"

# In this order: products are turned round when those that can leave a loop have left it.
_REWRITES = (
    weight_gradients.defer_weight_gradients,
    input_gradients.defer_input_gradients,
    loop_products.share_products_of_steps,
    thin_products.turn_thin_products,
    dataset_loops.loop_over_datasets,
)


def make_fast(graph_def: Any) -> None:
    """Rewrites a GraphDef, in place."""
    if is_on():
        for rewrite in _REWRITES:
            rewrite(graph_def)


def is_on() -> bool:
    """Whether graphs are made fast.

    Raises:
      ValueError: the environment variable is neither "0" nor "1".
    """
    setting = os.environ.get(SWITCH, "1")
    if setting not in ("0", "1"):
        raise ValueError(f"{SWITCH}={setting!r}: write 1, or 0 to run graphs as TFF wrote them.")
    return setting == "1"
