"""The settings of a run as controls: who trains, how, and what the server makes of it."""

import ipywidgets

from fedlab.plots.style import readable
from fedlab.widgets.parts import controls, markup
from fedlab.widgets.parts.wording import count

_HINT = (
    "Several clients: hold Ctrl (on a Mac Cmd), or press Ctrl+A in the list for all. Clients per round: that "
    "many are drawn anew for each round; 0 is all that are chosen."
)


class RunForm:
    """Controls for the settings that a simulation starts a run with.

    Attributes:
      clients, clients_per_round, local_epochs, seed, client_optimizer, client_rate, server_optimizer,
      server_rate, aggregator: the controls; `.value` is what they are set to.
      root: all of them, to be shown.
    """

    def __init__(self, simulation):
        """Makes the controls, with what the simulation offers first; see `RoundsDashboard`."""
        trainable = [client for client in simulation.clients if not client.why_left_out]
        labels = [(_label(client), client.client_id) for client in trainable]
        self.clients = controls.several("Clients", labels, rows=min(len(trainable), 8))
        self.clients_per_round = controls.whole_number("Clients per round", 0, 0, len(trainable))
        self.local_epochs = controls.whole_number("Local epochs", 1, 1, 100)
        self.seed = controls.whole_number("Seed", 0, 0, 2**31 - 1)
        self.client_optimizer, self.client_rate = _optimizer("Client", simulation.client_optimizers)
        self.server_optimizer, self.server_rate = _optimizer("Server", simulation.server_optimizers)
        self.aggregator = controls.choice("Aggregator", list(simulation.aggregators))
        who = [self.clients_per_round, self.local_epochs, self.seed, self.aggregator]
        how = [self.client_optimizer, self.client_rate, self.server_optimizer, self.server_rate]
        self.root = ipywidgets.VBox(
            [
                self.clients,
                ipywidgets.HTML(markup.paragraph(_HINT)),
                controls.side_by_side(ipywidgets.VBox(who), ipywidgets.VBox(how)),
            ]
        )
        self._controls = [self.clients, *who, *how]

    def settings(self):
        """The settings, by the names of `Simulation.start`'s arguments.

        Raises:
          ValueError: settings that contradict each other, in words.
        """
        chosen, wanted = self.clients.value, self.clients_per_round.value
        if not chosen:
            raise ValueError("No client is chosen: choose at least one in the list Clients.")
        if wanted > len(chosen):
            raise ValueError(
                f"Clients per round is {wanted}, but only {len(chosen)} are chosen to draw "
                "from: choose more in the list Clients, or a smaller number."
            )
        values = {name: getattr(self, name).value for name in _PLAIN}
        return {"client_ids": chosen, "clients_per_round": wanted or None, **values}

    def lock(self, locked):
        """Lets nobody change the settings, or lets them again."""
        for control in self._controls:
            control.disabled = locked

    def in_words(self):
        """The settings in a line."""
        chosen, wanted = len(self.clients.value), self.clients_per_round.value
        return (
            f"{chosen} of {count(len(self.clients.options), 'client')} chosen, {wanted or 'all'} a round, "
            f"{count(self.local_epochs.value, 'local epoch')}; "
            f"at the clients {self.client_optimizer.value} at {self.client_rate.value:g}, "
            f"at the server {self.server_optimizer.value} at {self.server_rate.value:g}; "
            f"{self.aggregator.value}; seed {self.seed.value}"
        )


_PLAIN = (
    "local_epochs",
    "client_optimizer",
    "client_rate",
    "server_optimizer",
    "server_rate",
    "aggregator",
    "seed",
)


def _label(client):
    return f"{readable(client.client_id)} ({count(client.num_batches, 'batch', 'batches')})"


def _optimizer(where, first_rates):
    """Controls for an optimizer and its rate; another optimizer wants another rate."""
    name = controls.choice(f"{where} optimizer", list(first_rates))
    rate = controls.number(f"{where} learning rate", first_rates[name.value], 0, 1e6)
    name.observe(lambda change: setattr(rate, "value", first_rates[change.new]), "value")
    return name, rate
