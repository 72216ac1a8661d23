"""The browser of clients, against numbers that are counted here with plain Python."""

import doctest
import html
import re
import threading

import pytest

from fedlab.datasets.profiles import ClientProfiles
from fedlab.datasets.shakespeare import read_pocket_speeches
from fedlab.vocabulary import CHARACTERS
from fedlab.widgets import ClientBrowser
from fedlab.widgets.client_browser import pages, widget
from fedlab.widgets.client_browser.widget import AGAINST, DROPPED, LINES, SEES

SPEECHES = read_pocket_speeches()
TEXTS = {client_id: "".join(speeches) for client_id, speeches in SPEECHES.items()}
IDS = list(SPEECHES)
WITCH = "MACBETH_THIRD_WITCH"
# Made here, to have what Shakespeare lacks: no text, no known character, some unknown ones.
ODD = {"PLAY_ANN": ["Café, café & naïve <b>\ttea</b>"] * 40, "PLAY_BOB": [], "PLAY_CAT": ["éé\x07"]}


@pytest.fixture(scope="module")
def profiles():
    return ClientProfiles(SPEECHES)


@pytest.fixture
def browser(profiles):
    made = ClientBrowser(profiles)
    yield made
    made.close()


@pytest.fixture
def odd():
    made = ClientBrowser(ClientProfiles(ODD))
    yield made
    made.close()


def shown(browser):
    """The page as text: tags gone, characters as they are."""
    return html.unescape(re.sub("<[^>]+>", " ", browser._page.value))


def state(browser):
    return html.unescape(re.sub("<[^>]+>", "", browser._state.value))


def row(browser, name):
    """The cells of the page's first row that begins with `name`."""
    cells = re.search(rf"<tr><td[^>]*>{re.escape(name)}</td>(.*?)</tr>", browser._page.value).group(1)
    return [html.unescape(cell) for cell in re.findall("<td[^>]*>([^<]*)", cells)]


def listed(browser):
    return [client_id for _, client_id in browser.clients.options]


# --- which client -------------------------------------------------------------------------------------


def test_it_begins_with_the_first_client_and_lists_all(browser):
    assert browser.client_id == browser.clients.value == IDS[0]
    assert listed(browser) == IDS
    assert SPEECHES[IDS[0]][0].split("\n")[0] in shown(browser)


def test_it_begins_with_the_client_that_is_asked_for(profiles):
    assert ClientBrowser(profiles, WITCH).clients.value == WITCH


def test_choosing_in_the_list_shows_the_clients_lines(browser):
    browser.clients.value = "OTHELLO_IAGO"
    assert browser.client_id == "OTHELLO_IAGO"
    assert state(browser) == (
        f"Othello Iago, client {IDS.index('OTHELLO_IAGO') + 1} of 25: {len(TEXTS['OTHELLO_IAGO']):,} "
        f"characters, {len(TEXTS['OTHELLO_IAGO']) // 808} batches."
    )
    assert all(speech in shown(browser) for speech in SPEECHES["OTHELLO_IAGO"][:5])


def test_next_and_previous_go_round(browser):
    browser.previous_button.click()
    assert browser.client_id == browser.clients.value == IDS[-1]
    browser.next_button.click()
    browser.next_button.click()
    assert browser.client_id == IDS[1]


def test_every_client_is_met_once_on_the_way_round(browser):
    met = [browser.client_id]
    for _ in range(24):
        browser.next()
        met.append(browser.client_id)
    assert met == IDS


def test_a_search_lists_who_is_found_and_shows_the_first(browser):
    browser.search.value = "juliet"
    assert listed(browser) == [
        "ROMEO_AND_JULIET_APOTHECARY",
        "ROMEO_AND_JULIET_JULIET",
        "ROMEO_AND_JULIET_ROMEO",
    ]
    assert browser.client_id == "ROMEO_AND_JULIET_APOTHECARY"
    browser.search.value = "juliet juliet rom"
    browser.next()
    assert browser.client_id == "ROMEO_AND_JULIET_JULIET"
    assert "client 2 of 3 found" in state(browser)


def test_a_search_that_finds_the_client_shown_stays_with_it(browser):
    browser.select("MACBETH_MACBETH")
    browser.later()
    browser.search.value = "macb"
    assert browser.client_id == browser.clients.value == "MACBETH_MACBETH"
    assert browser.first_speech.value == 6


def test_a_search_without_a_hit_says_so_and_keeps_client_and_list(browser):
    browser.select(WITCH)
    browser.search.value = "OTHELO"
    assert state(browser).startswith("No client is called 'OTHELO'. Did you mean Othello")
    assert "This is still Macbeth Third Witch" in state(browser)
    assert browser.client_id == WITCH and listed(browser) == IDS
    assert SPEECHES[WITCH][0] in shown(browser)
    browser.search.value = ""
    assert "No client" not in state(browser)


def test_select_of_a_client_that_is_not_there_suggests_one_and_changes_nothing(browser):
    browser.select(WITCH)
    with pytest.raises(ValueError, match=r"'OTHELO' is not in the dataset; did you mean .*'OTHELLO_OTHELLO'"):
        browser.select("OTHELO")
    with pytest.raises(TypeError, match="client_id=3"):
        browser.select(3)
    assert browser.client_id == WITCH


def test_select_of_a_client_outside_the_search_ends_the_search(browser):
    browser.search.value = "juliet"
    browser.select(WITCH)
    assert browser.search.value == "" and listed(browser) == IDS
    assert browser.clients.value == WITCH


def test_the_list_goes_by_size_if_asked_and_next_follows_it(browser):
    by_size = sorted(IDS, key=lambda client_id: -len(TEXTS[client_id]))
    browser.order.value = widget.LARGEST
    assert [len(TEXTS[i]) for i in listed(browser)] == [len(TEXTS[i]) for i in by_size]
    assert browser.client_id == IDS[0]  # the order changes, not the client
    browser.order.value = widget.SMALLEST
    browser.select(listed(browser)[0])
    browser.next()
    assert [len(TEXTS[i]) for i in (listed(browser)[0], browser.client_id)] == sorted(
        map(len, TEXTS.values())
    )[:2]
    browser.order.value = widget.BY_NAME
    assert listed(browser) == IDS


def test_the_list_says_how_large_clients_are_and_who_is_too_small(browser):
    labels = {client_id: label for label, client_id in browser.clients.options}
    assert labels[WITCH] == f"Macbeth Third Witch ({len(TEXTS[WITCH])}, too small)"
    assert labels["OTHELLO_IAGO"] == f"Othello Iago ({len(TEXTS['OTHELLO_IAGO']):,})"


# --- lines --------------------------------------------------------------------------------------------


def test_lines_keep_their_line_breaks(browser):
    browser.select("MACBETH_MACBETH")
    speech = next(speech for speech in SPEECHES["MACBETH_MACBETH"] if "\n" in speech)
    browser.first_speech.value = SPEECHES["MACBETH_MACBETH"].index(speech) + 1
    assert speech in html.unescape(browser._page.value)


def test_paging_shows_every_speech_once(browser):
    browser.select("HAMLET_HAMLET")
    seen = []
    while True:
        seen += re.findall("<li>([^<]*)", html.unescape(browser._page.value))
        if browser.later_button.disabled:
            break
        browser.later_button.click()
    assert seen == SPEECHES["HAMLET_HAMLET"]
    last_page = browser.first_speech.value
    browser.later()
    assert browser.first_speech.value == last_page


def test_earlier_and_later_stop_at_the_ends(browser):
    browser.select("HAMLET_HAMLET")
    assert browser.earlier_button.disabled
    browser.first_speech.value = 3
    browser.earlier_button.click()
    assert browser.first_speech.value == 1
    browser.first_speech.value = 999
    assert browser.first_speech.value == len(SPEECHES["HAMLET_HAMLET"])
    assert browser.later_button.disabled


def test_another_client_begins_with_its_first_speech_and_window(browser):
    browser.select("HAMLET_HAMLET")
    browser.first_speech.value, browser.window.value = 11, 30
    browser.select("OTHELLO_IAGO")  # who has as many
    assert (browser.first_speech.value, browser.window.value) == (1, 1)


# --- against the federation ---------------------------------------------------------------------------


def test_numbers_are_those_of_the_text_beside_everybodys(browser):
    browser.select("OTHELLO_IAGO")
    browser.page.value = AGAINST
    text, all_text = TEXTS["OTHELLO_IAGO"], "".join(TEXTS.values())
    sizes = sorted(map(len, TEXTS.values()))
    assert row(browser, "characters") == [f"{len(text):,}", f"{len(all_text):,}"]
    assert row(browser, "characters of the median client") == ["", f"{sizes[12]:,}"]
    assert row(browser, "place by size, of 25") == [str(1 + sum(size > len(text) for size in sizes)), ""]
    assert row(browser, "speeches")[0] == str(len(SPEECHES["OTHELLO_IAGO"]))
    words = len(re.findall(r"[a-z]+(?:'[a-z]+)?", text.lower()))
    assert row(browser, "words per speech")[0] == f"{words / len(SPEECHES['OTHELLO_IAGO']):.1f}"
    assert row(browser, "different characters") == [str(len(set(text))), str(len(set(all_text)))]
    assert row(browser, "batches") == [str(len(text) // 808), str(sum(size // 808 for size in sizes))]


def test_both_figures_are_there_with_words_for_those_who_do_not_see_them(browser):
    browser.page.value = AGAINST
    assert browser.wait(30)
    assert browser._page.value.count("<img alt=") == 2
    assert f"Helena has {len(TEXTS[IDS[0]]):,} characters, place " in browser._page.value


def test_characteristic_words_have_their_numbers(browser):
    browser.select("THE_MERCHANT_OF_VENICE_SHYLOCK")
    browser.page.value = AGAINST
    word, uses = client_pages_word(browser)
    by_client = len(re.findall(rf"\b{word}\b", TEXTS[browser.client_id].lower()))
    by_all = sum(len(re.findall(rf"\b{word}\b", text.lower())) for text in TEXTS.values())
    assert uses == [str(by_client), str(by_all)]


def client_pages_word(browser):
    word = browser._profiles[browser.client_id].characteristic_words[0][0]
    return word, row(browser, word)


# --- what training sees -------------------------------------------------------------------------------


def test_steps_have_the_shapes_of_the_batches(browser):
    browser.select("OTHELLO_IAGO")
    browser.page.value = SEES
    length = len(TEXTS["OTHELLO_IAGO"])
    assert row(browser, "characters to ids") == [f"{length:,} ids", f"int64 [{length}]"]
    assert row(browser, "cut into windows of 101")[1] == f"int64 [{length // 101}, 101]"
    assert row(browser, "inputs and targets, shifted by one") == [
        f"{length // 808} batches",
        "int64 [8, 100], int64 [8, 100] each",
    ]


def test_a_window_is_shown_as_characters_and_ids_and_targets_are_the_next_inputs(browser):
    browser.select("OTHELLO_IAGO")
    browser.page.value = SEES
    browser.window.value = 10
    window = TEXTS["OTHELLO_IAGO"][9 * 101 : 10 * 101]
    assert f"<pre>\n{window}</pre>" in html.unescape(browser._page.value)
    rows = re.findall("<tr><td>(input|its id|target)</td>(.*?)</tr>", browser._page.value)
    cells = [[html.unescape(cell) for cell in re.findall("<td[^>]*>([^<]*)", cells)] for _, cells in rows]
    signs = {" ": "␣", "\n": "↵"}
    assert cells[0] == [signs.get(character, character) for character in window[:100]]
    assert cells[1] == [str(CHARACTERS.index(character)) for character in window[:100]]
    assert cells[2] == [signs.get(character, character) for character in window[1:]]
    assert cells[3] == [str(CHARACTERS.index(character)) for character in window[1:]]
    assert "Window 10 is row 2 of batch 2" in shown(browser)


def test_the_last_window_is_left_over(browser):
    browser.select("OTHELLO_IAGO")
    browser.page.value = SEES
    browser.window.value = 10**6
    assert browser.window.value == len(TEXTS["OTHELLO_IAGO"]) // 101
    assert f"Window {browser.window.value} is left over" in shown(browser)


# --- what is dropped ----------------------------------------------------------------------------------


@pytest.mark.parametrize("client_id", [WITCH, "HAMLET_HAMLET", "ROMEO_AND_JULIET_JULIET"])
def test_kept_and_dropped_are_all_of_the_text(browser, client_id):
    browser.select(client_id)
    browser.page.value = DROPPED
    length = len(TEXTS[client_id])
    used, spare, tail = length // 808 * 808, length % 808 // 101 * 101, length % 808 % 101
    assert row(browser, "training sees")[1] == f"{used:,}"
    assert row(browser, "fills no batch")[1:] == [str(spare), f"{spare / length:.1%}"]
    assert row(browser, "fills no window")[1] == str(tail)
    assert row(browser, "all")[1] == f"{length:,}"
    if tail:
        assert f"<pre>\n{TEXTS[client_id][-tail:]}</pre>" in html.unescape(browser._page.value)
    assert ("takes no part in training" in shown(browser)) == (length < 808)


def test_a_client_too_small_is_told_why_in_a_sentence(browser):
    browser.select(WITCH)
    browser.page.value = DROPPED
    assert (
        "Macbeth Third Witch takes no part in training: one batch needs 8 windows of 101 characters, 808 in "
        f"all, and its {len(TEXTS[WITCH])} characters fill {len(TEXTS[WITCH]) // 101}."
    ) in shown(browser)


def test_unknown_characters_have_code_points_names_and_what_becomes_of_them(odd):
    odd.page.value = DROPPED
    assert row(odd, "é") == ["U+00E9", "latin small letter e with acute", "80", "?"]
    assert row(odd, "ï") == ["U+00EF", "latin small letter i with diaeresis", "40", "?"]
    assert row(odd, r"\t") == ["U+0009", "without a name", "40", "?"]


def test_characters_that_are_dropped_become_nothing():
    made = ClientBrowser(ClientProfiles(ODD, unknown="drop"))
    made.page.value = DROPPED
    text = "".join(ODD["PLAY_ANN"])
    dropped = sum(character not in CHARACTERS for character in text)
    assert row(made, "é")[-1] == "nothing"
    assert row(made, "outside the vocabulary") == ["", str(dropped), f"{dropped / len(text):.1%}"]
    assert row(made, "training sees")[1] == str((len(text) - dropped) // 808 * 808)


# --- odd clients --------------------------------------------------------------------------------------


@pytest.mark.parametrize("client_id", ODD)
@pytest.mark.parametrize("view", widget.PAGES)
def test_nothing_is_ever_not_a_number(odd, client_id, view):
    odd.select(client_id)
    odd.page.value = view
    assert odd.wait(30)
    for text in (shown(odd), odd.facts()):
        assert not re.search(r"\b(nan|None|inf)\b|cannot be shown", text)
    assert odd.client_id == client_id


def test_a_client_without_text_says_so_on_every_page(odd):
    odd.select("PLAY_BOB")
    assert "Play Bob has no speeches." in shown(odd)
    odd.page.value = AGAINST
    assert row(odd, "words per speech")[0] == "–" and "distance from others is not defined" in shown(odd)
    odd.page.value = SEES
    assert "There is no whole window to look at." in shown(odd)
    odd.page.value = DROPPED
    assert "There is no text." in shown(odd) and "its 0 characters fill 0." in shown(odd)


def test_a_client_of_unknown_characters_only_has_no_distance(odd):
    odd.select("PLAY_CAT")
    odd.page.value = AGAINST
    assert "It has no character of the vocabulary" in shown(odd)
    assert row(odd, "characters outside the vocabulary")[0] == "3"
    assert row(odd, "share outside the vocabulary")[0] == "100.0%"


def test_text_from_the_dataset_never_becomes_html(odd):
    for view in widget.PAGES:
        odd.page.value = view
        assert "<b>" not in odd._page.value


def test_a_dataset_without_clients_is_an_error_before_there_is_a_widget():
    with pytest.raises(ValueError, match="There are no clients"):
        ClientBrowser(ClientProfiles({}))


def test_what_are_no_profiles_is_an_error_that_says_how_to_make_some():
    with pytest.raises(TypeError, match=r"give fedlab\.datasets\.profile_clients\(clients\)"):
        ClientBrowser(SPEECHES)


# --- all of it ----------------------------------------------------------------------------------------


def test_only_the_controls_of_the_open_page_are_shown(browser):
    for view, lines, window in [(LINES, "", "none"), (SEES, "none", ""), (DROPPED, "none", "none")]:
        browser.page.value = view
        assert (browser._for_lines.layout.display or "", browser.window.layout.display or "") == (
            lines,
            window,
        )


def test_facts_are_those_of_the_open_page_and_the_same_again(browser, profiles):
    browser.select(WITCH)
    browser.page.value = DROPPED
    length = len(TEXTS[WITCH])
    assert browser.facts().splitlines()[:2] == [
        f"Macbeth Third Witch, client {IDS.index(WITCH) + 1} of 25: {length} characters, too small to train "
        f"({WITCH})",
        "What is dropped",
    ]
    assert re.search(rf"fills no window +{length % 101} +{length % 101 / length:.1%}$", browser.facts(), re.M)
    again = ClientBrowser(ClientProfiles(SPEECHES), WITCH)
    again.page.value = DROPPED
    assert again.facts() == browser.facts() == str(browser)


def test_pages_are_drawn_once(browser, monkeypatch):
    drawn = []
    real = pages.plot_windows_in_batches
    monkeypatch.setattr(pages, "plot_windows_in_batches", lambda *sizes: drawn.append(sizes) or real(*sizes))
    for view in (DROPPED, LINES, DROPPED):
        browser.page.value = view
        assert browser.wait(30)
    assert len(drawn) == 1
    assert "<img alt=" in browser._page.value


def test_numbers_are_there_before_the_figures_are(browser, monkeypatch):
    go_on = threading.Event()
    real = pages.plot_windows_in_batches
    slow = lambda *sizes: go_on.wait(30) and real(*sizes)  # noqa: E731
    monkeypatch.setattr(pages, "plot_windows_in_batches", slow)
    browser.page.value = DROPPED
    assert row(browser, "all") and "Drawing …" in shown(browser)
    browser.page.value = LINES  # and the page answers
    assert SPEECHES[IDS[0]][0].split("\n")[0] in shown(browser)
    go_on.set()
    assert browser.wait(30)
    assert "Lines" in shown(browser) and "<img" not in browser._page.value


def test_a_figure_that_cannot_be_drawn_is_an_error_in_words_and_the_widget_goes_on(browser, monkeypatch):
    def broken(*sizes):
        raise ValueError("no room for 3 windows")

    monkeypatch.setattr(pages, "plot_windows_in_batches", broken)
    browser.page.value = DROPPED
    assert browser.wait(30)
    assert "This page cannot be shown: no room for 3 windows" in shown(browser)
    browser.page.value = LINES
    assert SPEECHES[IDS[0]][0].split("\n")[0] in shown(browser)


def test_seven_hundred_clients_are_searched():
    many = ClientProfiles({f"PLAY_{number:03}": [f"Line of {number}.\n"] * 40 for number in range(715)})
    made = ClientBrowser(many)
    made.search.value = "512"
    assert made.client_id == "PLAY_512" and "client 1 of 1 found" in state(made)


def test_the_example_in_the_docstring_is_true():
    assert doctest.testmod(widget) == (0, 4)
