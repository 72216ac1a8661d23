"""How much text each client has, and how much of it training uses."""

from fedlab.plots.style import COLOURS, new_figure, readable


def plot_client_texts(reports):
    """Draws a bar for each client: its characters that are used, and those that are left out.

    Args:
      reports: ClientReports, in any order; the client with most text is drawn on top.

    Returns:
      DescribedFigure.

    Raises:
      ValueError: there are no reports.
    """
    if not reports:
        raise ValueError("There are no clients to draw.")
    ordered = sorted(reports, key=lambda report: (report.num_characters, report.client_id))
    used = [report.num_characters - report.num_characters_left_out for report in ordered]
    left_out = [report.num_characters_left_out for report in ordered]
    rows = range(len(ordered))
    with new_figure(9, 0.8 + 0.23 * len(ordered), _describe(ordered)) as figure:
        axes = figure.subplots()
        axes.barh(rows, used, color=COLOURS["after"], label="used for training")
        axes.barh(rows, left_out, left=used, color=COLOURS["before"], hatch="///", label="left out")
        axes.set_yticks(rows, [readable(report.client_id) for report in ordered], fontsize=8)
        axes.set(xlabel="text (characters)", ylim=(-0.6, len(ordered) - 0.4))
        axes.legend(frameon=False, loc="lower right")
    return figure


def _describe(ordered):
    smallest, largest = ordered[0], ordered[-1]
    too_small = sum(report.is_too_small for report in ordered)
    return (
        f"{len(ordered)} clients have from {smallest.num_characters:,} ({readable(smallest.client_id)}) to "
        f"{largest.num_characters:,} characters ({readable(largest.client_id)}); of {too_small} of them, "
        "training uses nothing."
    )
