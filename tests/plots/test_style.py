import base64
import threading

import matplotlib
import pytest

from fedlab import plots
from fedlab.plots.style import INK, new_figure, readable, visible


def test_a_figure_brings_its_own_white_paper_and_leaves_the_learners_settings_alone():
    before = dict(matplotlib.rcParams)
    with new_figure(6, 4) as figure:
        axes = figure.subplots()
    assert figure.get_facecolor() == (1, 1, 1, 1)
    assert axes.xaxis.label.get_color() == INK
    assert not axes.spines["top"].get_visible()
    assert dict(matplotlib.rcParams) == before


def test_a_figure_shows_itself_as_a_picture_with_its_description_as_alt_text():
    with new_figure(6, 4, "Two bars, the left one higher.") as figure:
        figure.subplots().bar([0, 1], [2, 1])
    data, metadata = figure._repr_mimebundle_()
    assert data["text/plain"] == "Two bars, the left one higher."
    assert metadata["image/png"] == {"alt": "Two bars, the left one higher.", "width": 480}
    assert int.from_bytes(data["image/png"][16:20]) == 960  # pixels, from the PNG's header


def test_a_notebook_shows_the_words_below_the_picture(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **options: shown.append((data, options)))
    with new_figure(6, 4, "Accuracy < 50%.") as figure:
        figure.subplots()
    figure._ipython_display_()
    (picture, options), (words, _) = shown
    assert base64.b64decode(picture["image/png"]).startswith(b"\x89PNG")
    assert options["metadata"]["image/png"]["alt"] == "Accuracy < 50%."
    assert words == {
        "text/html": "<details><summary>The figure in words</summary>Accuracy &lt; 50%.</details>"
    }


def test_figures_of_two_threads_leave_matplotlibs_settings_as_they_were():
    before, in_first, first_ended = dict(matplotlib.rcParams), threading.Event(), threading.Event()

    def first():
        with new_figure(1, 1):
            in_first.set()
            first_ended.wait(0.2)
        first_ended.set()

    thread = threading.Thread(target=first)
    thread.start()
    assert in_first.wait(10)
    with new_figure(1, 1):
        # It ends before this one: what this one found and puts back must not be the first one's.
        assert first_ended.wait(10)
    thread.join()
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(
    ("client_id", "label"),
    [
        ("RICHARD_III_GLOUCESTER", "Richard III Gloucester"),
        ("THE_TEMPEST_PROSPERO", "The Tempest Prospero"),
        ("A_MIDSUMMER_NIGHT_S_DREAM_KING_OF_THE_FAIRIES", "A Midsummer Night S Dream King of the Fairies"),
    ],
)
def test_client_ids_become_labels(client_id, label):
    assert readable(client_id) == label


def test_characters_that_nobody_sees_become_signs():
    assert [visible(character) for character in "a \n\r"] == ["a", "␣", "↵", "CR"]


def test_every_name_of_the_package_is_there_and_others_are_not():
    for name in plots.__all__:
        assert getattr(plots, name) is not None
    with pytest.raises(AttributeError, match="plot_fine_tuning"):
        plots.plot_nothing  # noqa: B018
