"""Clients to look at one by one: their lines, their numbers, what training sees of them and what it drops."""

import contextlib

import ipywidgets

from fedlab.datasets.client_names import check_client_id, find_clients, near_clients
from fedlab.datasets.profiles import ClientProfiles
from fedlab.plots.style import readable
from fedlab.widgets.client_browser import pages
from fedlab.widgets.client_browser.blocks import as_html, as_html_without_drawings, as_plain_text, has_drawing
from fedlab.widgets.client_browser.latest_request import LatestRequest
from fedlab.widgets.parts import controls, markup
from fedlab.widgets.parts.widget_base import WidgetBase
from fedlab.widgets.parts.wording import count

LINES, AGAINST, SEES, DROPPED = PAGES = (
    "Lines",
    "Against the federation",
    "What training sees",
    "What is dropped",
)
BY_NAME, LARGEST, SMALLEST = ORDERS = ("by name", "most text first", "least text first")

_PAGES_KEPT = 32


class ClientBrowser(WidgetBase):
    """Shows a federation's clients, one at a time, from four sides.

    Example:
      >>> from fedlab.datasets.profiles import ClientProfiles
      >>> browser = ClientBrowser(ClientProfiles({"PLAY_ANN": ["Who's there?"], "PLAY_BOB": []}))
      >>> browser.next()
      >>> browser.client_id
      'PLAY_BOB'

    Attributes:
      search, order, clients, view, first_speech, window: the controls; `.value` is what they are set to.
      previous_button, next_button, earlier_button, later_button: `.click()` presses them.
    """

    def __init__(self, profiles, client_id=None):
        """Makes the widget.

        Args:
          profiles: ClientProfiles, as `fedlab.datasets.profile_clients` makes them.
          client_id: the client to begin with; default the first.

        Raises:
          TypeError: these are no ClientProfiles.
          ValueError: there is no such client.
        """
        if not isinstance(profiles, ClientProfiles):
            raise TypeError(f"profiles={profiles!r}: give fedlab.datasets.profile_clients(clients).")
        self._profiles = profiles
        self.client_id = profiles.client_ids[0] if client_id is None else client_id
        check_client_id(self.client_id, profiles.client_ids)
        self._listed = list(profiles.client_ids)
        self._is_setting = False
        self._pages = {}
        self._drawing = LatestRequest(self._make_page, self._show_html, self._show_error)
        self._make_controls()
        self._make_pages()
        self._list_clients()
        self._show_client()
        self._watch()

    def _make_controls(self):
        self.search = controls.text_line("Search", placeholder="a role or a play")
        self.order = controls.choice("Order", ORDERS)
        self.clients = controls.listing("Client", [])
        self._set_widths()
        self.previous_button = controls.button("Previous client", self.previous, icon="arrow-left")
        self.next_button = controls.button("Next client", self.next, icon="arrow-right")
        self.page = controls.switch("View", PAGES)
        self.first_speech = controls.whole_number("From speech", 1, 1, 1)
        self.earlier_button = controls.button("Earlier speeches", self.earlier, icon="arrow-up")
        self.later_button = controls.button("Later speeches", self.later, icon="arrow-down")
        self.window = controls.whole_number("Window", 1, 1, 1)

    def _set_widths(self):
        # Narrow labels, and room for long names in the list, which goes below where the page is narrow.
        for control, width in ((self.search, "270px"), (self.order, "270px"), (self.clients, "auto")):
            control.style.description_width, control.layout.width = "60px", width
        self.clients.layout.flex, self.clients.layout.max_width = "1 1 420px", "560px"

    def _make_pages(self):
        self._state, self._page = ipywidgets.HTML(), ipywidgets.HTML()
        self._for_lines = controls.side_by_side(self.first_speech, self.earlier_button, self.later_button)
        choosing = ipywidgets.VBox([self.search, self.order])
        self._show(
            "Client browser",
            controls.side_by_side(choosing, self.clients),
            controls.side_by_side(self.previous_button, self.next_button),
            self._state,
            self.page,
            self._for_lines,
            self.window,
            self._page,
        )

    def _watch(self):
        for control, react in (
            (self.search, self._search),
            (self.order, self._list_clients),
            (self.clients, self._choose),
            (self.page, self._show_page),
            (self.first_speech, self._show_page),
            (self.window, self._show_page),
        ):
            control.observe(self._when_not_setting(react), "value")

    def _when_not_setting(self, react):
        return lambda _: None if self._is_setting else react()

    @contextlib.contextmanager
    def _setting(self):
        """Values that are set within are not taken for a learner's."""
        self._is_setting = True
        try:
            yield
        finally:
            self._is_setting = False

    # --- which client -----------------------------------------------------------------------------------

    def select(self, client_id):
        """Shows a client; ends a search that does not find it.

        Raises:
          ValueError: there is no such client; suggests some.
        """
        check_client_id(client_id, self._profiles.client_ids)
        self.client_id = client_id
        if client_id not in self._listed:
            self.search.value = ""
        self._show_client()

    def next(self):
        """Shows the next client of the list; after the last one, the first."""
        self._step(1)

    def previous(self):
        """Shows the client before this one in the list; before the first one, the last."""
        self._step(-1)

    def _step(self, places):
        here = self._listed.index(self.client_id)
        self.select(self._listed[(here + places) % len(self._listed)])

    def _choose(self):
        self.select(self.clients.value)

    def _search(self):
        found = find_clients(self._profiles.client_ids, self.search.value)
        if not found:
            self._state.value = markup.status(self._no_hit())
            return
        self._listed = found
        is_lost = self.client_id not in found
        if is_lost:
            self.client_id = self._in_order(found)[0]
        self._list_clients()
        if is_lost:
            self._show_client()

    def _no_hit(self):
        near = " or ".join(map(readable, near_clients(self.search.value, self._profiles.client_ids)))
        meant = f" Did you mean {near}?" if near else ""
        return f"No client is called {self.search.value!r}.{meant} This is still {readable(self.client_id)}."

    def _list_clients(self):
        self._listed = self._in_order(self._listed)
        with self._setting():
            self.clients.options = [(self._label(client_id), client_id) for client_id in self._listed]
            self.clients.value = self.client_id
        self._state.value = markup.status(self._name_and_place() + ".")

    def _in_order(self, client_ids):
        sizes, wanted = self._profiles.federation.num_characters, set(client_ids)
        by_name = [client_id for client_id in self._profiles.client_ids if client_id in wanted]
        if self.order.value == BY_NAME:
            return by_name
        return sorted(by_name, key=sizes.get, reverse=self.order.value == LARGEST)

    def _label(self, client_id):
        federation = self._profiles.federation
        too_small = "" if federation.num_batches[client_id] else ", too small"
        return f"{readable(client_id)} ({federation.num_characters[client_id]:,}{too_small})"

    # --- what is shown of it ----------------------------------------------------------------------------

    def earlier(self):
        """Shows the speeches before those that are shown."""
        self.first_speech.value -= pages.SPEECHES_ON_A_PAGE

    def later(self):
        """Shows the speeches after those that are shown."""
        self.first_speech.value += pages.SPEECHES_ON_A_PAGE if self._has_later() else 0

    def _has_later(self):
        return self.first_speech.value + pages.SPEECHES_ON_A_PAGE <= self.first_speech.max

    def _show_client(self):
        report = self._profiles[self.client_id].report
        with self._setting():
            self.clients.value = self.client_id
            for control, most in (
                (self.first_speech, report.num_speeches),
                (self.window, report.num_sequences),
            ):
                control.value, control.max = 1, max(most, 1)
        self._state.value = markup.status(self._name_and_place() + ".")
        self._show_page()

    def _show_page(self):
        self._for_lines.layout.display = "" if self.page.value == LINES else "none"
        self.window.layout.display = "" if self.page.value == SEES else "none"
        self.earlier_button.disabled = self.first_speech.value == 1
        self.later_button.disabled = not self._has_later()
        self._show_blocks(self._shown())

    def _show_blocks(self, shown):
        blocks = self._blocks(*shown)
        if shown in self._pages:
            self._drawing.show_now(shown, self._pages[shown])
        elif has_drawing(blocks):
            self._drawing.ask(shown, markup.heading(shown[1]) + as_html_without_drawings(blocks))
        else:
            self._drawing.show_now(shown, markup.heading(shown[1]) + as_html(blocks))

    def _make_page(self, shown):
        """In a thread, because figures take a while; kept, so that the way back takes none."""
        if shown not in self._pages:
            if len(self._pages) >= _PAGES_KEPT:
                self._pages.clear()
            self._pages[shown] = markup.heading(shown[1]) + as_html(self._blocks(*shown))
        return self._pages[shown]

    def _show_html(self, page):
        self._page.value = page

    def _show_error(self, error):
        self._page.value = markup.error(f"This page cannot be shown: {error}")

    def wait(self, timeout_s=None):
        """Waits for the figures to be drawn.

        Args:
          timeout_s: how long to wait at most; None for as long as it takes.

        Returns:
          Whether they are.
        """
        return self._drawing.wait(timeout_s)

    def close(self):
        """Takes the widget from the page."""
        self.wait()
        super().close()

    def _shown(self):
        """What is to be seen: the client, the view, and the number that the view's control is set to."""
        number = {LINES: self.first_speech.value, SEES: self.window.value}.get(self.page.value)
        return self.client_id, self.page.value, number

    def _blocks(self, client_id, view, number):
        page = {
            LINES: pages.lines,
            AGAINST: pages.against_the_federation,
            SEES: pages.what_training_sees,
            DROPPED: pages.what_is_dropped,
        }[view]
        return page(self._profiles, client_id, *([number] if number else []))

    def _name_and_place(self):
        report, place = self._profiles[self.client_id].report, self._listed.index(self.client_id) + 1
        found = " found" if len(self._listed) < len(self._profiles) else ""
        batches = (
            "too small to train" if report.is_too_small else count(report.num_batches, "batch", "batches")
        )
        return (
            f"{readable(self.client_id)}, client {place:,} of {len(self._listed):,}{found}: "
            f"{count(report.num_characters, 'character')}, {batches}"
        )

    def facts(self):
        lines = [f"{self._name_and_place()} ({self.client_id})", self.page.value]
        return "\n".join([*lines, as_plain_text(self._blocks(*self._shown()))])
