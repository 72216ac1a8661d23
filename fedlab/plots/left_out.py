"""What dropping incomplete batches costs, by batch size."""

from fedlab.plots.style import COLOURS, new_figure


def plot_left_out(batch_sizes, left_out_percent, clients_left_out):
    """Draws two panels over the batch size: text that is left out, and clients that are.

    Args:
      batch_sizes: windows per batch, ascending.
      left_out_percent: for each, the share of all characters that training does not use, in percent.
      clients_left_out: for each, how many clients have no batch at all.

    Returns:
      DescribedFigure.
    """
    with new_figure(9, 3.2, _describe(batch_sizes, left_out_percent, clients_left_out)) as figure:
        text, clients = figure.subplots(1, 2)
        text.plot(batch_sizes, left_out_percent, color=COLOURS["after"], marker="o")
        text.set(title="Text left out", ylabel="characters (%)")
        clients.plot(batch_sizes, clients_left_out, color=COLOURS["before"], marker="D")
        clients.set(title="Clients left out", ylabel="clients")
        for axes in (text, clients):
            axes.set(xlabel="batch size (windows of 101 characters)", ylim=(0, None))
            axes.set_xscale("log", base=2)
            axes.set_xticks(batch_sizes, batch_sizes)
    return figure


def _describe(batch_sizes, left_out_percent, clients_left_out):
    parts = [
        f"batch size {size}: {percent:.0f}% of the text, {clients} clients"
        for size, percent, clients in zip(batch_sizes, left_out_percent, clients_left_out, strict=True)
    ]
    return f"Left out with {'; '.join(parts)}."
