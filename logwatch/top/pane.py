"""One table on the screen: it has a cursor, and scrolls."""

from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.message import Message
from textual.widget import Widget

from logwatch.top.table import Listing, draw

CHROME = 2
"""Lines above the rows: the title, and the heads of the columns."""

HEADLESS = 5
"""So low a table has no heads: rows are worth more."""


class Pane(Widget, can_focus=True):
    """Shows a listing; `Chosen` is posted when Enter is pressed on a row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("home,g", "first", show=False),
        Binding("end,G", "last", show=False),
        Binding("enter", "choose", show=False),
    ]

    class Chosen(Message):
        """Somebody wants to know more of a row."""

        def __init__(self, pane: "Pane", key: str) -> None:
            self.pane = pane
            self.key = key
            super().__init__()

    def __init__(self, pane_id: str) -> None:
        super().__init__(id=pane_id)
        self._listing: Listing | None = None
        self._cursor = 0
        self._top = 0
        self._followed: str | None = None
        """Once the cursor was moved, it stays with its row, wherever that goes."""

    def show(self, listing: Listing) -> None:
        """Show other rows."""
        self._listing = listing
        keys = [row.key for row in listing.rows]
        if self._followed in keys:
            self._cursor = keys.index(self._followed)
        self._place(self._cursor)

    @property
    def room(self) -> int:
        """Rows that can be seen at a time."""
        return max(1, self.size.height - (CHROME if self._has_head else 1))

    @property
    def _has_head(self) -> bool:
        return self.size.height > HEADLESS

    def on_resize(self, _: Resize) -> None:
        """Keep the cursor in sight."""
        self._place(self._cursor)

    def action_move(self, rows: int) -> None:
        """Move the cursor."""
        self._place(self._cursor + rows)
        self._follow()

    def action_page(self, pages: int) -> None:
        """Move the cursor by what is seen at a time."""
        self.action_move(pages * self.room)

    def action_first(self) -> None:
        """Move the cursor to the first row, and let it stay there."""
        self._place(0)
        self._followed = None

    def action_last(self) -> None:
        """Move the cursor to the last row."""
        self.action_move(len(self._keys))

    def action_choose(self) -> None:
        """Tell who is under the cursor."""
        if self._keys:
            self.post_message(self.Chosen(self, self._keys[self._cursor]))

    @property
    def _keys(self) -> list[str]:
        return [] if self._listing is None else [row.key for row in self._listing.rows]

    def _follow(self) -> None:
        self._followed = self._keys[self._cursor] if self._cursor else None

    def _place(self, cursor: int) -> None:
        last = len(self._keys) - 1
        self._cursor = max(0, min(cursor, last))
        least, most = self._cursor - self.room + 1, self._cursor
        self._top = max(0, min(max(self._top, least), most, last - self.room + 1))
        self.refresh()

    def render(self) -> Text:
        """Draw what can be seen."""
        width, room = self.size.width, self.room
        if self._listing is None or not width:
            return Text()
        drawn = draw(self._listing, width)
        lines = [self._title(self._listing, width)]
        if self._has_head:
            lines.append(drawn.head)
        for place, line in enumerate(drawn.lines[self._top : self._top + room], self._top):
            is_under = self.has_focus and self._keys and place == self._cursor
            shown = Text(line.plain, "reverse") if is_under else line.copy()
            shown.truncate(width, pad=True)
            lines.append(shown)
        return Text("\n", no_wrap=True).join(lines)

    def _title(self, listing: Listing, width: int) -> Text:
        style = "bold reverse" if self.has_focus else "bold"
        line = Text.assemble((f" {listing.title} ", style), " ", listing.about, no_wrap=True)
        hidden = len(listing.rows) - self.room
        if hidden > 0:
            place = f"{self._top + 1}-{self._top + self.room} of {len(listing.rows)}"
            line.append(f"  {place}", "dim")
        line.append(" ")
        line.truncate(width, overflow="ellipsis")
        line.append("─" * (width - line.cell_len), "dim")
        return line
