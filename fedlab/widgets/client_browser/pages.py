"""What ClientBrowser shows of one client: four pages, each a list of blocks."""

import functools
import statistics
import unicodedata

from fedlab import vocabulary
from fedlab.plots import plot_client_place, plot_client_shares, plot_windows_in_batches
from fedlab.plots.style import readable, visible
from fedlab.widgets.client_browser.blocks import Drawing, Passage, Sentence, Table, Texts
from fedlab.widgets.parts.wording import count

SPEECHES_ON_A_PAGE = 5


def lines(profiles, client_id, first=1):
    """A client's speeches, some at a time.

    Args:
      profiles: ClientProfiles.
      client_id: one of its clients.
      first: number of the first speech to show, from 1.
    """
    speeches = profiles.speeches(client_id)
    if not speeches:
        return [Sentence(f"{readable(client_id)} has no speeches.")]
    shown = speeches[first - 1 : first - 1 + SPEECHES_ON_A_PAGE]
    last = first + len(shown) - 1
    return [Sentence(f"Speeches {first} to {last} of {len(speeches)}."), Texts(shown, first)]


def against_the_federation(profiles, client_id):
    """A client's numbers beside everybody's."""
    client, federation = profiles[client_id], profiles.federation
    sizes = federation.num_characters, client.preprocessing.batch_chars
    return [
        Table("Numbers", ("", "this client", "all clients"), _numbers(client, federation)),
        Drawing(functools.partial(plot_client_place, client_id, *sizes)),
        *_distance(client, federation),
        *_words(client),
    ]


def what_training_sees(profiles, client_id, window=1):
    """The way from speeches to batches, and one window looked at closely.

    Args:
      profiles: ClientProfiles.
      client_id: one of its clients.
      window: number of the window to look at, from 1.
    """
    client, windows = profiles[client_id], profiles.windows(client_id)
    blocks = [
        *_too_small(client),
        Table("From speeches to batches", ("step", "makes", "type"), _steps(client)),
    ]
    if not len(windows):
        return [*blocks, Sentence("There is no whole window to look at.")]
    ids = windows[window - 1]
    return [
        *blocks,
        Sentence(_where_window_goes(client, window)),
        Passage(f"Window {window}", vocabulary.decode(ids)),
        Table(
            "Inputs and targets, place by place (the target is the next input)",
            ("place", *map(str, range(1, len(ids)))),
            _places(ids),
            num_plain_columns=13,
            is_grid=True,
        ),
    ]


def what_is_dropped(profiles, client_id):
    """What of a client's text training never sees, and why."""
    client = profiles[client_id]
    size, characters = client.preprocessing.window_chars, client.report.num_characters
    blocks = [*_too_small(client), Table("What becomes of the text", _PARTS, _parts(client))]
    if client.text_in_no_window:
        blocks.append(Passage(f"The end, which fills no window of {size}", client.text_in_no_window))
    blocks.append(_unknown(client) if characters else Sentence("There is no text."))
    if client.num_characters_kept:
        sizes = client.num_characters_kept, client.preprocessing.batch_size, size
        blocks.append(Drawing(functools.partial(plot_windows_in_batches, *sizes)))
    return blocks


# --- against the federation ---------------------------------------------------------------------------


def _numbers(client, federation):
    report, sizes = client.report, federation.num_characters.values()
    unknown = report.num_unknown, federation.num_unknown
    return [
        ("characters", f"{report.num_characters:,}", f"{sum(sizes):,}"),
        ("characters of the median client", "", f"{statistics.median(sizes):,.0f}"),
        (f"place by size, of {len(sizes):,}", f"{client.size_rank:,}", ""),
        ("speeches", f"{report.num_speeches:,}", f"{federation.num_speeches:,}"),
        (
            "words per speech",
            _mean(client.num_words, report.num_speeches),
            _mean(federation.word_counts.total(), federation.num_speeches),
        ),
        ("different characters", client.num_distinct_characters, federation.num_distinct_characters),
        ("characters outside the vocabulary", *(f"{number:,}" for number in unknown)),
        (
            "share outside the vocabulary",
            _percent(unknown[0], report.num_characters),
            _percent(unknown[1], sum(sizes)),
        ),
        ("batches", f"{report.num_batches:,}", f"{sum(federation.num_batches.values()):,}"),
    ]


def _mean(amount, number):
    return f"{amount / number:.1f}" if number else "–"


def _percent(part, whole):
    return f"{part / whole:.1%}" if whole else "–"


def _distance(client, federation):
    if client.distance is None:
        return [
            Sentence("It has no character of the vocabulary, so its distance from others is not defined.")
        ]
    rows = [
        ("this client", f"{client.distance:.3f}"),
        ("as much text, dealt out at random from all", f"{client.distance_by_chance:.3f}"),
        ("median of all clients", f"{statistics.median(federation.distances.values()):.3f}"),
    ]
    counts = client.character_counts, federation.character_counts, vocabulary.CHARACTERS
    return [
        Table("Distance from all clients' characters", ("", "distance"), rows),
        Sentence("Distance 0: the same shares of characters; distance 1: none in common."),
        Drawing(functools.partial(plot_client_shares, client.client_id, *counts)),
    ]


def _words(client):
    if not client.characteristic_words:
        return [Sentence("Characteristic words: none; it says no word three times.")]
    rows = [(word, f"{uses:,}", f"{of_all:,}") for word, uses, of_all in client.characteristic_words]
    return [Table("Words that others hardly use", ("word", "this client", "all clients"), rows)]


# --- what training sees -------------------------------------------------------------------------------


def _too_small(client):
    if not client.report.is_too_small:
        return []
    settings, windows = client.preprocessing, client.report.num_sequences
    return [
        Sentence(
            f"{readable(client.client_id)} takes no part in training: one batch needs {settings.batch_size} "
            f"windows of {settings.window_chars} characters, {settings.batch_chars:,} in all, and its "
            f"{count(client.num_characters_kept, 'character')} fill {windows}.",
            is_note=True,
        )
    ]


def _steps(client):
    settings, report = client.preprocessing, client.report
    length, batch = settings.sequence_length_chars, settings.batch_size
    batches, windows = count(report.num_batches, "batch", "batches"), report.num_sequences
    return [
        ("join the speeches", count(report.num_characters, "character"), "string"),
        (
            "characters to ids",
            count(client.num_characters_kept, "id"),
            f"int64 [{client.num_characters_kept}]",
        ),
        (f"cut into windows of {length + 1}", count(windows, "window"), f"int64 [{windows}, {length + 1}]"),
        (f"batches of {batch}", batches, f"int64 [{batch}, {length + 1}] each"),
        (
            "inputs and targets, shifted by one",
            batches,
            f"int64 [{batch}, {length}], int64 [{batch}, {length}] each",
        ),
    ]


def _where_window_goes(client, window):
    batch, row = divmod(window - 1, client.preprocessing.batch_size)
    if batch >= client.report.num_batches:
        return f"Window {window} is left over: it fills no batch, and training never sees it."
    return f"Window {window} is row {row + 1} of batch {batch + 1}, as long as nobody shuffles the windows."


def _places(ids):
    characters = [visible(character) for character in vocabulary.decode(ids)]
    numbers = [str(index) for index in ids]
    return [
        ("input", *characters[:-1]),
        ("its id", *numbers[:-1]),
        ("target", *characters[1:]),
        ("its id", *numbers[1:]),
    ]


# --- what is dropped ----------------------------------------------------------------------------------

_PARTS = ("part", "pieces", "characters", "share")


def _parts(client):
    settings, report, total = client.preprocessing, client.report, client.report.num_characters
    spare = client.num_windows_left_out
    parts = [
        ("training sees", count(report.num_batches, "batch", "batches"), client.num_characters_used),
        ("fills no batch", count(spare, "window"), spare * settings.window_chars),
        ("fills no window", "", len(client.text_in_no_window)),
    ]
    if settings.unknown == "drop":
        parts.append(("outside the vocabulary", "", report.num_unknown))
    parts.append(("all", "", total))
    return [(name, pieces, f"{number:,}", _percent(number, total)) for name, pieces, number in parts]


def _unknown(client):
    if not client.unknown_characters:
        return Sentence("All its characters are in the vocabulary.")
    dropped = client.preprocessing.unknown == "drop"
    fate = "nothing" if dropped else vocabulary.REPLACEMENT_CHARACTER
    rows = [
        (_shown(character), f"U+{ord(character):04X}", _name(character), f"{times:,}", fate)
        for character, times in client.unknown_characters
    ]
    headers = ("character", "code point", "name", "times", "becomes")
    return Table("Characters outside the vocabulary", headers, rows)


def _shown(character):
    return character if character.isprintable() else repr(character)[1:-1]


def _name(character):
    return unicodedata.name(character, "without a name").lower()
