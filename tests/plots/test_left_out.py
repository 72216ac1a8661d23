from fedlab.plots import plot_left_out


def test_curves_are_the_numbers_over_the_batch_size():
    text, clients = plot_left_out([1, 8], [2.6, 9.9], [2, 6]).axes
    assert text.lines[0].get_xydata().tolist() == [[1, 2.6], [8, 9.9]]
    assert clients.lines[0].get_xydata().tolist() == [[1, 2], [8, 6]]


def test_axes_have_units_and_the_description_the_numbers():
    figure = plot_left_out([1, 8], [2.6, 9.9], [2, 6])
    assert figure.axes[0].get_ylabel() == "characters (%)"
    assert figure.axes[0].get_xlabel() == "batch size (windows of 101 characters)"
    assert figure.description == (
        "Left out with batch size 1: 3% of the text, 2 clients; batch size 8: 10% of the text, 6 clients."
    )
