import numpy as np

from fedlab.plots import plot_client_distances

DISTANCES = np.array([[0, 0.2, 0.3], [0.2, 0, 0.4], [0.3, 0.4, 0]])


def test_the_matrix_shows_every_pair_and_leaves_the_diagonal_empty():
    matrix = plot_client_distances(["A_B", "C_D", "E_F"], DISTANCES, DISTANCES / 2).axes[0]
    shown = matrix.images[0].get_array()
    assert shown.mask.tolist() == np.eye(3, dtype=bool).tolist()
    assert shown.filled(0).tolist() == DISTANCES.tolist()
    assert [label.get_text() for label in matrix.get_yticklabels()] == ["A B", "C D", "E F"]


def test_the_histogram_counts_each_pair_once_beside_chance():
    histogram = plot_client_distances(["A_B", "C_D", "E_F"], DISTANCES, DISTANCES / 2).axes[1]
    chance, real = histogram.containers
    assert sum(bar.get_height() for bar in real) == sum(bar.get_height() for bar in chance) == 3
    assert max(bar.get_x() for bar in chance if bar.get_height()) <= 0.2
    labels = [text.get_text() for text in histogram.get_legend().get_texts()]
    assert labels == ["dealt out at random", "real clients"]


def test_axes_have_units_and_the_description_both_medians():
    figure = plot_client_distances(["A_B", "C_D", "E_F"], DISTANCES, DISTANCES / 2)
    assert figure.axes[1].get_xlabel() == "Jensen-Shannon distance (√bit)"
    assert figure.axes[1].get_ylabel() == "pairs of clients"
    assert "3 pairs of real clients the distance is 0.300 (median)" in figure.description
    assert "dealt out at random it is 0.150" in figure.description
