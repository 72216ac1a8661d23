"""Which factories the aggregation explorer offers, and what runs their rounds unless it is told otherwise."""


def offered(factories):
    """The factories by name: those given; one alone comes first, and fedlab's follow.

    Args:
      factories: dict from names to factories; one factory, process or function that makes it; or None.

    Raises:
      ValueError: the dict is empty.
    """
    if isinstance(factories, dict):
        if not factories:
            raise ValueError("factories={}: give one at least, or leave it out.")
        return factories
    from fedlab.aggregators.example_factories import FACTORIES

    if factories is None:
        return FACTORIES
    name = getattr(factories, "__name__", type(factories).__name__)
    own = {name if name.isidentifier() else "your factory": factories}
    return {**own, **FACTORIES, **own}  # First in order, and first in right where names are equal.


def explore(factory, name):
    """The `fedlab.aggregators.Exploration` of a factory; TFF is imported with it, and not before."""
    from fedlab.aggregators import Exploration

    return Exploration(factory, name)
