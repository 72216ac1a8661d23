"""Fields for what each client holds, and for its weight where weights count."""

import ipywidgets

from fedlab.aggregators import plain_values
from fedlab.widgets.parts import controls

MOST_CLIENTS = 8
_MOST_WEIGHT = 1e6


class ClientFields:
    """A row of fields for each client; rows can be added and removed.

    Attributes:
      root: the part to show.
      values: the text fields, client by client.
      weights: the number fields, client by client.
      add_button, remove_button: `.click()` presses them; `add()` and `remove()` do the same.
    """

    def __init__(self, client_values, on_change):
        """Makes the fields.

        Args:
          client_values: what the clients hold: plain values, or texts as a learner would write them.
          on_change: function without arguments, called when a field changes.

        Raises:
          ValueError: no clients or too many.
        """
        if not 1 <= len(client_values) <= MOST_CLIENTS:
            raise ValueError(f"{len(client_values)} clients: give the values of 1 to {MOST_CLIENTS}.")
        self._on_change, self._are_weighted = on_change, True
        self.values, self.weights = [], []
        self.add_button = controls.button("Add client", self.add, icon="plus", tooltip="One client more.")
        self.remove_button = controls.button(
            "Remove client", self.remove, icon="minus", tooltip="Removes the last client."
        )
        self._rows = ipywidgets.VBox()
        self.root = ipywidgets.VBox([self._rows, controls.side_by_side(self.add_button, self.remove_button)])
        for value in client_values:
            self._append(value if isinstance(value, str) else repr(plain_values.check_value(value)))

    def add(self):
        """Adds a client that holds what the last one holds; does nothing where there are 8."""
        if len(self.values) < MOST_CLIENTS:
            self._append(self.values[-1].value)
            self._on_change()

    def remove(self):
        """Removes the last client; does nothing where there is one."""
        if len(self.values) > 1:
            self.values, self.weights = self.values[:-1], self.weights[:-1]
            self._rows.children = self._rows.children[:-1]
            self._on_change()

    def show_weights(self, are_weighted):
        """Shows the fields for weights, or hides them."""
        self._are_weighted = are_weighted
        for weight in self.weights:
            self._show_weight(weight)

    def read(self):
        """The clients' values and weights, checked; weights are None where they do not count.

        Raises:
          ValueError: with the client and what to write.
        """
        values = plain_values.read_clients([field.value for field in self.values])
        return values, [field.value for field in self.weights] if self._are_weighted else None

    def texts(self):
        """The clients' values as they are written."""
        return [field.value for field in self.values]

    def _append(self, text):
        index = len(self.values)
        # Half a list is no value: complaints would come up with every letter.
        value = controls.text_line(f"client {index}", text, "1.0 or [1, 2, 3]", sent_as_typed=False)
        weight = controls.number(f"weight of client {index}", 1.0, 0.0, _MOST_WEIGHT)
        value.style.description_width, value.layout.width = "60px", "340px"
        weight.style.description_width, weight.layout.width = "130px", "230px"
        for field in (value, weight):
            field.observe(lambda _: self._on_change(), "value")
        self._show_weight(weight)
        self.values, self.weights = [*self.values, value], [*self.weights, weight]
        # The rows before it stay the same parts: the page draws new ones anew, and loses what is typed then.
        self._rows.children = [*self._rows.children, controls.side_by_side(value, weight)]

    def _show_weight(self, weight):
        weight.layout.display = "" if self._are_weighted else "none"
