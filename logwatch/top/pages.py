"""What is shown in the place of the tables until Escape is pressed."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Static

from logwatch.top.details import details
from logwatch.top.poller import Answer
from logwatch.top.words import text

HELP = """
arrows, page up, page down, home, end
             move in a table
tab          the next table; shift+tab: the one before
enter        all that is known of a source: its rules, ports and lines, and what
             can be typed to ban it or to undo that
z            this table alone, and all again
/            show what holds a text: an address, a port, a policy; escape ends it
s            sort sources by all packets, by those of five minutes, by the last
t            the last hour, or the last ten minutes
q, ctrl+c    end

Bars are packets over time, each row by its own scale. A dot in the uppermost
chart is a time of which nothing is known, as before the start.

near         how much of a rule a source has fulfilled: at 100% it is banned
enforced     the written policy denies it
proposed     it waits for somebody to approve of it
observed     it is only shown
"""

FOOT = " escape back  q quit"


class _Page(Screen[None]):
    """Lines that scroll, above the keys."""

    CSS = """
    VerticalScroll { scrollbar-size: 0 0; }
    #foot { dock: bottom; height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,backspace,left,question_mark", "leave"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._lines, self._foot = Static(), Static(id="foot")

    def compose(self) -> ComposeResult:
        """Make its parts."""
        with VerticalScroll():
            yield self._lines
        yield self._foot

    def on_resize(self, _: Resize) -> None:
        """Draw what depends on the width."""
        self._foot.update(Text(FOOT.ljust(self.size.width), "reverse"))
        self.draw()

    def draw(self) -> None:
        """Fit the lines into the width."""

    def action_leave(self) -> None:
        """Go back to the tables."""
        self.dismiss()

    def put(self, lines: list[Text]) -> None:
        """Show other lines."""
        self._lines.update(Text("\n").join(lines))


class HelpPage(_Page):
    """Tells the keys."""

    def draw(self) -> None:
        """Show them."""
        self.put([Text(HELP)])


class DetailsPage(_Page):
    """Tells all of one source, and goes on to."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self._answer: Answer | None = None

    def show(self, answer: Answer) -> None:
        """Show what was told of it."""
        if answer.wanted.source == self.source:
            self._answer = answer
            self.draw()

    def draw(self) -> None:
        """Show what is known of it by now."""
        answer = self._answer
        if answer is None:
            lines = [text(f"asking for {self.source} ...", "dim")]
        elif answer.details is not None and answer.summary is not None:
            lines = details(answer.details, answer.summary.now, self.size.width)
        else:
            lines = [text(answer.unknown or answer.problem or "", "yellow")]
        self.put(lines)
