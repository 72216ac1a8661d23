"""One picture of what federated learning is: a round, from the server to the clients and back."""

from matplotlib.patches import FancyBboxPatch

from fedlab.plots.style import INK, PALETTE, new_figure

DESCRIPTION = (
    "A server above three clients, Hamlet, Juliet and Shylock, each with text of their own. Step 1: the "
    "server sends the model down to the clients. Step 2: each client trains it on its own text. Step 3: the "
    "clients send updates up, numbers and no text. Step 4: the server averages the updates into the next "
    "model."
)

_BLUE, _ORANGE, _GREEN = PALETTE[:3]
_CLIENTS = {  # name: (x, how the client's text begins)
    "Hamlet": (1.6, "“A little more than kin …”"),
    "Juliet": (5.0, "“O Romeo, Romeo! …”"),
    "Shylock": (8.4, "“Three thousand ducats …”"),
}
_DARK_ORANGE = "#8a5a00"  # as text, orange is too pale on white
_SERVER_X = 5.0


def draw_federated_round():
    """Draws one round of federated learning: a DescribedFigure."""
    with new_figure(9, 5, DESCRIPTION) as figure:
        axes = figure.subplots()
        axes.set(xlim=(-0.2, 10.2), ylim=(-0.1, 5.7))
        axes.set_axis_off()
        _draw_box(
            axes, _SERVER_X, 4.8, 3.8, 1.2, _BLUE, "server", "④ averages the updates\ninto the next model"
        )
        for name, (x, text) in _CLIENTS.items():
            _draw_box(axes, x, 0.75, 2.9, 1.5, _GREEN, name, "② trains the model\non text that never leaves")
            axes.text(x, 0.85, text, ha="center", fontsize=10, style="italic", color=INK)
            _draw_arrows(axes, x)
        for x, text, colour in [
            (1.9, "① the model", _BLUE),
            (8.1, "③ updates:\nnumbers, no text", _DARK_ORANGE),
        ]:
            side = "right" if x < _SERVER_X else "left"
            axes.text(x, 3.45, text, color=colour, ha=side, va="center", fontsize=11, weight="bold")
    return figure


def _draw_box(axes, x, y, width, height, colour, title, text):
    """A rounded box around (x, y), with a title and a text."""
    corner = (x - width / 2, y - height / 2)
    box = FancyBboxPatch(
        corner, width, height, boxstyle="round,pad=0.05", facecolor="white", edgecolor=colour, linewidth=2
    )
    axes.add_patch(box)
    axes.text(x, y + height / 2 - 0.1, title, ha="center", va="top", weight="bold", fontsize=12, color=INK)
    axes.text(x, y - height / 2 + 0.12, text, ha="center", va="bottom", fontsize=10, color=INK)


def _draw_arrows(axes, x):
    """The model down and the update up, side by side, between the server and the client at x."""
    at_server = _SERVER_X + (x - _SERVER_X) * 0.38
    for shift, start, end, colour in [(-0.16, 4.1, 1.62, _BLUE), (0.16, 1.62, 4.1, _ORANGE)]:
        ends = {4.1: at_server + shift, 1.62: x + shift}
        style = {"arrowstyle": "-|>", "color": colour, "linewidth": 2.5, "mutation_scale": 16}
        axes.annotate("", xy=(ends[end], end), xytext=(ends[start], start), arrowprops=style)
