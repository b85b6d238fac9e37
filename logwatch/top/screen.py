"""The live page in a terminal: keys, sizes, and what is shown where.

Colours are the terminal's own sixteen, so that it is readable on light and dark; none with
NO_COLOR. The mouse stays the terminal's, by which an address can be marked and copied.
"""

import asyncio
import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.events import Resize
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input, Static

from logwatch.top.chart import TEN_MINUTES, chart, denied
from logwatch.top.head import health, title
from logwatch.top.lists import ORDERS, blacklist, nodes, offenders, ports, sources
from logwatch.top.origin import Origin
from logwatch.top.pages import DetailsPage, HelpPage
from logwatch.top.pane import Pane
from logwatch.top.poller import Answer, Poller
from logwatch.top.words import spelled, text

if TYPE_CHECKING:
    from logwatch.top.summary import Summary

WIDE = 140
"""Columns from which the three lower tables stand side by side."""

TALL = 36
"""Lines from which the chart has more of them, and health tells more than one finding."""

NOTHING = "nothing holds this text"

KEYS = "q quit  / filter  s sort  t time  tab next  enter details  z zoom  ? help"


class Arrived(Message):
    """An answer came."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__()


class Tables(Screen[None]):
    """Shows what an origin tells, anew every few seconds."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash,f4", "filter"),
        Binding("s,f6", "sort"),
        Binding("t", "time"),
        Binding("z,f", "zoom"),
        Binding("escape", "leave"),
        Binding("question_mark,f1,h", "help"),
    ]

    def __init__(self, origin: Origin, *, seconds: float) -> None:
        super().__init__()
        self._poller = Poller(origin, seconds, self._tell)
        self._summary: Summary | None = None
        self._problem: str | None = None
        self._away_since = time.time()
        self._is_short: bool | None = None
        """Whether ten minutes are drawn; None until somebody says so: as long as there are more."""
        self._zoomed: Pane | None = None
        self._page: DetailsPage | None = None
        self._title, self._told = Static(id="title"), Static(id="health")
        self._chart, self._keys = Static(id="chart"), Static(id="keys")
        self._sources, self._ports = Pane("sources"), Pane("ports")
        self._offenders, self._blacklist = Pane("offenders"), Pane("blacklist")
        self._reporting = Pane("nodes")
        self._reporting.display = False  # of an escalator alone
        self._lower = Container(id="lower")
        self._tried, self._decided = Container(id="tried"), Container(id="decided")
        self._filter = Input(id="filter", placeholder="address, port or policy", compact=True)

    def compose(self) -> ComposeResult:
        """Make the parts of the screen."""
        yield from (self._title, self._told, self._chart)
        with Container(id="tables"):
            yield self._sources
            with self._lower:
                with self._tried:
                    yield self._ports
                    yield self._reporting
                with self._decided:
                    yield self._offenders
                    yield self._blacklist
        yield self._keys
        with Container(id="search"):
            yield Static(Text(" filter: ", "bold"))
            yield self._filter

    def on_mount(self) -> None:
        """Begin to ask."""
        self._sources.focus()
        self._draw()
        self._poller.start()

    def on_unmount(self) -> None:
        """Ask no more."""
        self._poller.close()

    def on_resize(self, event: Resize) -> None:
        """Use what room there is."""
        self.set_class(event.size.width >= WIDE, "wide")
        self._draw()

    def _tell(self, answer: Answer) -> None:
        """Hand an answer over from the poller's thread."""
        self.post_message(Arrived(answer))

    def on_arrived(self, arrived: Arrived) -> None:
        """Show an answer, unless something else was asked for since."""
        answer = arrived.answer
        wanted = self._poller.wanted
        if (answer.wanted.order, answer.wanted.query) != (wanted.order, wanted.query):
            return
        if answer.summary is not None:
            self._summary, self._problem = answer.summary, None
        elif self._problem is None:
            self._away_since = time.time()
        self._problem = answer.problem
        if self._page is not None:
            self._page.show(answer)
        self._draw()

    def on_pane_chosen(self, chosen: Pane.Chosen) -> None:
        """Tell more of a source."""
        if chosen.pane not in {self._ports, self._reporting}:
            source = chosen.key.removesuffix("/32").removesuffix("/128")
            self._page = DetailsPage(source)
            self.app.push_screen(self._page, self._leave_page)
            self._want(source=source)

    def _leave_page(self, _: None) -> None:
        self._page = None
        self._want(source=None)

    def on_input_changed(self, changed: Input.Changed) -> None:
        """Filter while it is written."""
        self._want(query=changed.value.strip())

    def on_input_submitted(self) -> None:
        """Go back to the tables; the filter stays."""
        self._leave_filter()

    def action_filter(self) -> None:
        """Ask for a text to filter by."""
        self.add_class("filtering")
        self._filter.focus()

    def action_leave(self) -> None:
        """Take away the filter, or else the zoom."""
        if self._filter.has_focus or self._filter.value:
            self._filter.value = ""
            self._leave_filter()
        elif self._zoomed is not None:
            self.action_zoom()

    def action_sort(self) -> None:
        """Sort sources by something else."""
        orders = list(ORDERS)
        self._want(order=orders[(orders.index(self._poller.wanted.order) + 1) % len(orders)])

    def action_time(self) -> None:
        """Change what time the chart is of."""
        self._is_short = not self._draws_short
        self._draw()

    def action_zoom(self) -> None:
        """Show the table that has the focus alone, or all again."""
        is_zoomed = self._zoomed is not None
        self._zoomed = None if is_zoomed or not isinstance(self.focused, Pane) else self.focused
        shown = self._zoomed
        for pane in (self._sources, self._ports, self._offenders, self._blacklist):
            pane.display = shown in {None, pane}
        self._reporting.display = self._has_nodes and shown in {None, self._reporting}
        self._lower.display = shown is not self._sources
        self._tried.display = shown in {None, self._ports, self._reporting}
        self._decided.display = shown in {None, self._offenders, self._blacklist}
        self._chart.display = shown is None

    def action_help(self) -> None:
        """Tell the keys."""
        self.app.push_screen(HelpPage())

    def _leave_filter(self) -> None:
        self.remove_class("filtering")
        self._sources.focus()
        self._draw()

    def _want(self, **changes: Any) -> None:  # noqa: ANN401 - fields of Wanted
        wanted = replace(self._poller.wanted, **changes)
        if wanted != self._poller.wanted:
            self._poller.want(wanted)
            self._draw()

    @property
    def _has_nodes(self) -> bool:
        return self._summary is not None and self._summary.role == "escalator"

    @property
    def _draws_short(self) -> bool:
        if self._is_short is not None or self._summary is None:
            return bool(self._is_short)
        older = denied(self._summary)[: -int(TEN_MINUTES / self._summary.history.step)]
        return all(each is None for each in older)

    def _draw(self) -> None:
        """Show what is known."""
        width, height = self.size
        is_tall = height >= TALL
        self._keys.update(self._key_line(width))
        self._told.update(self._health(3 if is_tall else 1))
        summary = self._summary
        if summary is None:
            return
        clock = time.strftime("%H:%M:%S", time.localtime(summary.now))
        self._title.update(title(summary, clock, width))
        lines = chart(summary, width, 6 if is_tall else 3, is_short=self._draws_short)
        self._chart.update(Text("\n").join(lines))
        wanted = self._poller.wanted
        self._offenders.show(offenders(summary))
        self._reporting.show(nodes(summary, wanted.query))
        self._reporting.display = self._has_nodes and self._zoomed in {None, self._reporting}
        for pane, listing in (
            (self._sources, sources(summary, wanted.order)),
            (self._ports, ports(summary)),
            (self._blacklist, blacklist(summary)),
        ):
            pane.show(replace(listing, empty=NOTHING) if wanted.query else listing)

    def _health(self, most: int) -> Text:
        if self._problem is not None:
            since = time.strftime("%H:%M:%S", time.localtime(self._away_since))
            what = "" if self._summary is None else f" (what is shown is of before {since})"
            return Text.assemble(("● ", "bold red"), text(self._problem + what, "bold red"))
        if self._summary is None:
            return Text("asking ...", "dim")
        return Text("\n").join(health(self._summary, most))

    def _key_line(self, width: int) -> Text:
        query = self._poller.wanted.query
        line = Text(f" {KEYS}", "reverse", no_wrap=True)
        if query:
            line = Text.assemble(
                (f" filter: {spelled(query)} (escape: none) ", "bold reverse"), line
            )
        line.truncate(width, overflow="ellipsis", pad=True)
        return line


class Top(App[None]):
    """The program: it ends by q, Ctrl-C and signals, and leaves the terminal as it was."""

    TITLE = "logwatch top"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Tables { layout: vertical; overflow: hidden; }
    #title, #health, #chart, #keys { height: auto; }
    #keys { dock: bottom; height: 1; }
    #search { dock: bottom; height: 1; layout: horizontal; display: none; }
    #search Static { width: auto; }
    #filter { width: 1fr; }
    .filtering #search { display: block; }
    .filtering #keys { display: none; }
    #tables { height: 1fr; layout: vertical; }
    #sources { height: 1fr; }
    #lower { height: 1fr; layout: horizontal; }
    #tried { width: 2fr; margin-right: 2; layout: vertical; }
    #ports { height: 4fr; }
    #nodes { height: 3fr; }
    #decided { width: 3fr; layout: vertical; }
    #offenders { height: 4fr; }
    #blacklist { height: 5fr; }
    .wide #decided { layout: horizontal; width: 5fr; }
    .wide #offenders { width: 1fr; height: 1fr; margin-right: 2; }
    .wide #blacklist { width: 1fr; height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+c,ctrl+q,f10", "quit"),
        Binding("ctrl+z", "suspend_process"),
    ]

    def __init__(self, origin: Origin, *, seconds: float) -> None:
        super().__init__(ansi_color=True)
        self._origin = origin
        self._seconds = seconds

    def get_default_screen(self) -> Screen[None]:
        """Begin with the tables."""
        return Tables(self._origin, seconds=self._seconds)

    def on_mount(self) -> None:
        """End by signals as by keys."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            loop.add_signal_handler(number, self.exit)
