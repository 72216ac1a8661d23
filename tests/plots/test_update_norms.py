import pytest

from fedlab.plots import plot_update_norms

STATISTICS = ["norm_min", "norm_lower_quartile", "norm_median", "norm_upper_quartile", "norm_max"]
ROUNDS = [dict(zip(STATISTICS, numbers, strict=True)) for numbers in ([1, 2, 3, 4, 9], [2, 3, 4, 5, 8])]


def test_bands_reach_from_lowest_to_highest_and_over_the_middle_half():
    axes = plot_update_norms(ROUNDS).axes[0]
    bands = [band.get_paths()[0].vertices for band in axes.collections]
    for band, ends in zip(
        bands, [{(1, 1), (1, 9), (2, 2), (2, 8)}, {(1, 2), (1, 4), (2, 3), (2, 5)}], strict=True
    ):
        assert {tuple(point) for point in band.tolist()} == ends
    assert axes.lines[0].get_xydata().tolist() == [[1, 3], [2, 4]]


def test_limits_are_a_line_of_their_own():
    figure = plot_update_norms(ROUNDS, limits=[1.0, 2.5])
    axes = figure.axes[0]
    assert axes.lines[1].get_xydata().tolist() == [[1, 1], [2, 2.5]]
    assert axes.get_xlabel() == "round"
    assert axes.get_ylabel() == "norm of a client's update"
    assert figure.description == (
        "Norms of updates in 2 rounds: the median goes from 3 to 4, the largest from 9 to 8; "
        "clipped at 1 first, 2.5 last."
    )


@pytest.mark.parametrize(("measurements", "limits"), [([], None), (ROUNDS, [1.0])])
def test_every_round_needs_its_numbers(measurements, limits):
    with pytest.raises(ValueError, match="give one of each a round"):
        plot_update_norms(measurements, limits)
