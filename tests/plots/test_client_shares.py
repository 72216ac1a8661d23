from fedlab.plots import plot_client_shares

# All clients: 10 spaces, 6 e, 4 line ends. Ann: 2, 2 and none.
OWN, ALL, CHARACTERS = [2, 0, 2], [6, 4, 10], "e\n "


def test_bars_are_everybodys_shares_and_marks_the_clients_commonest_first():
    (axes,) = plot_client_shares("PLAY_ANN", OWN, ALL, CHARACTERS).axes
    assert [bar.get_height() for bar in axes.containers[0]] == [50, 30, 20]
    assert axes.lines[0].get_xydata().tolist() == [[0, 50], [1, 50], [2, 0]]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["␣", "e", "↵"]


def test_only_so_many_characters_are_shown():
    (axes,) = plot_client_shares("PLAY_ANN", OWN, ALL, CHARACTERS, num_shown=2).axes
    assert len(axes.containers[0]) == 2


def test_axes_have_units_and_the_description_the_largest_difference():
    figure = plot_client_shares("PLAY_ANN", OWN, ALL, CHARACTERS)
    assert figure.axes[0].get_ylabel() == "share of the text (%)"
    assert figure.description == (
        "Shares of the 3 commonest characters. The largest difference: of Play Ann's text, e is 50.0%, of "
        "all clients' 30.0%."
    )
