"""A client's text cut into windows and batches, and what is left over at the end."""

from fedlab.plots.style import COLOURS, PALETTE, new_figure

_ROWS = 8  # of whole batches; of more, the middle is left out
_GAP = 0.08


def plot_windows_in_batches(num_characters, batch_size, window_chars):
    """Draws a square for each window and a row for each batch; what is dropped stands in the last row.

    Args:
      num_characters: length of the text, above 0.
      batch_size: windows per batch.
      window_chars: characters per window.

    Returns:
      DescribedFigure.

    Raises:
      ValueError: there is no text.
    """
    if num_characters < 1:
        raise ValueError("There is no text to draw.")
    windows, tail = divmod(num_characters, window_chars)
    batches, spare = divmod(windows, batch_size)
    rows = _rows(batches)
    with new_figure(9, 1.5 + 0.24 * len(rows), _describe(batches, spare, tail, window_chars)) as figure:
        axes = figure.subplots()
        for place, (_, is_batch) in enumerate(rows):
            _draw(axes, place, [(column, 1) for column in range(batch_size * is_batch)], _USED)
        _draw(axes, len(rows), [(column, 1) for column in range(spare)], _SPARE)
        _draw(axes, len(rows), [(spare, tail / window_chars)] if tail else [], _TAIL)
        axes.set_yticks(range(len(rows) + 1), [*(label for label, _ in rows), "in no batch"])
        axes.set_xticks([column + 0.5 for column in range(batch_size)], range(1, batch_size + 1))
        axes.set(
            xlabel=f"window of the batch ({window_chars} characters each)",
            xlim=(0, batch_size),
            ylim=(len(rows) + 0.6, -0.6),
        )
        axes.tick_params(length=0)
        figure.legend(frameon=False, loc="outside upper center", ncols=3)
    return figure


_USED = dict(facecolor=COLOURS["after"], label="training sees these")
_SPARE = dict(facecolor=COLOURS["before"], edgecolor="white", hatch="///", label="windows that fill no batch")
_TAIL = dict(facecolor=PALETTE[5], edgecolor="white", hatch="...", label="characters that fill no window")


def _rows(batches):
    """(label, whether it is a batch) from the top: the first batches, and of many the last one too."""
    labels = [(f"batch {number}", True) for number in range(1, batches + 1)]
    if batches <= _ROWS:
        return labels
    return [*labels[: _ROWS - 2], (f"… {batches - _ROWS + 1} more", False), labels[-1]]


def _draw(axes, place, parts, style):
    """Draws parts of a row: (column at which it begins, width in columns)."""
    if not parts:
        return
    seen = axes.get_legend_handles_labels()[1]
    label = "_" + style["label"] if style["label"] in seen else style["label"]
    spans = [(column + _GAP / 2, width * (1 - _GAP)) for column, width in parts]
    axes.broken_barh(spans, (place - 0.4, 0.8), **{**style, "label": label})


def _describe(batches, spare, tail, window_chars):
    return (
        f"The text makes {batches} whole batches, which training sees. {spare} windows of {window_chars} "
        f"characters fill no batch, and {tail} characters fill no window: they are dropped."
    )
