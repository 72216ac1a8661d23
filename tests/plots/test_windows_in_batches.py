import pytest

from fedlab.plots import plot_windows_in_batches


def cells(figure):
    """{label: [(row from the top, column, width in columns)]} of what is drawn."""
    drawn = {}
    for parts in figure.axes[0].collections:
        spans = drawn.setdefault(parts.get_label().strip("_"), [])
        for path in parts.get_paths():
            (left, top), (right, bottom) = path.vertices.min(axis=0), path.vertices.max(axis=0)
            spans.append((round((top + bottom) / 2), int(left), round((right - left) / 0.92, 6)))
    return drawn


def test_rows_are_batches_and_the_last_row_is_what_is_dropped():
    figure = plot_windows_in_batches(5 * 10 + 4, batch_size=2, window_chars=10)
    assert cells(figure) == {
        "training sees these": [(0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1)],
        "windows that fill no batch": [(2, 0, 1)],
        "characters that fill no window": [(2, 1, 0.4)],
    }
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "batch 1",
        "batch 2",
        "in no batch",
    ]


def test_of_many_batches_the_middle_is_left_out():
    figure = plot_windows_in_batches(20 * 2 * 10, batch_size=2, window_chars=10)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == [*(f"batch {number}" for number in range(1, 7)), "… 13 more", "batch 20", "in no batch"]
    rows = {row for row, _, _ in cells(figure)["training sees these"]}
    assert rows == {0, 1, 2, 3, 4, 5, 7}


def test_a_text_too_short_for_a_batch_has_only_what_is_dropped():
    figure = plot_windows_in_batches(13, batch_size=2, window_chars=10)
    assert sorted(cells(figure)) == ["characters that fill no window", "windows that fill no batch"]


def test_the_legend_names_each_kind_once_and_the_axis_its_unit():
    figure = plot_windows_in_batches(54, batch_size=2, window_chars=10)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(cells(figure))
    assert figure.axes[0].get_xlabel() == "window of the batch (10 characters each)"


def test_the_description_has_the_numbers():
    assert plot_windows_in_batches(7006, batch_size=8, window_chars=101).description == (
        "The text makes 8 whole batches, which training sees. 5 windows of 101 characters fill no batch, and "
        "37 characters fill no window: they are dropped."
    )


def test_no_text_cannot_be_drawn():
    with pytest.raises(ValueError, match="no text"):
        plot_windows_in_batches(0, batch_size=8, window_chars=101)
