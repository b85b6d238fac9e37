"""The shapes of /api/summary and /api/sources/ADDRESS, as the programs that serve them give them.

What a server leaves out has a value here, and what it adds is passed over: a page of another
version can be read as far as the two know the same. Times are Unix seconds; None is unknown.
"""

from typing import Literal

from msgspec import Struct

Level = Literal["ok", "warning", "problem"]
Order = Literal["packets", "recent", "last"]

Counts = tuple[float | None, ...]
"""Packets in each step of time, the oldest first; None where nobody looked."""


class Finding(Struct, frozen=True):
    """What is not as it should be, in one sentence."""

    level: Level
    what: str


class Health(Struct, frozen=True):
    """Whether what is shown is all that there is."""

    level: Level = "ok"
    findings: tuple[Finding, ...] = ()


class Input(Struct, frozen=True):
    """A log that is read."""

    path: str
    readable: bool = True
    behind_bytes: int | None = None
    behind_seconds: float | None = None
    last_packet: float | None = None


class Lost(Struct, frozen=True):
    """Messages that somebody said were lost."""

    by: str
    messages: int = 0


class Totals(Struct, frozen=True):
    """Packets since the counters began, and distinct sources of the last five minutes."""

    packets: int = 0
    logged: int = 0
    sources: int | None = None


class Line(Struct, frozen=True):
    """The packets of one policy over time."""

    policy: str
    action: str = "denied"
    packets: Counts = ()


class History(Struct, frozen=True):
    """The last hour."""

    start: float = 0.0
    step: float = 10.0
    series: tuple[Line, ...] = ()


class Source(Struct, frozen=True):
    """Who sent; `recent` is packets a minute."""

    source: str
    packets: int = 0
    recent: Counts = ()
    last: float | None = None
    phase: str | None = None
    rule: str | None = None


class Rest(Struct, frozen=True):
    """What has no line of its own."""

    packets: int = 0


class Port(Struct, frozen=True):
    """Where it was sent to."""

    protocol: str | None = None
    port: int | None = None
    service: str | None = None
    packets: int = 0
    recent: Counts = ()


class Offender(Struct, frozen=True):
    """A source that comes near to a rule."""

    source: str
    rule: str
    has: int = 0
    needs: int = 0
    measure: str = ""
    window: float = 0
    share: float = 0.0


class Ban(Struct, frozen=True):
    """An entry of the blacklist."""

    cidr: str
    phase: str = ""
    rule: str = ""
    by: str = ""
    reason: str = ""
    since: float | None = None
    expires: float | None = None
    offence: int = 0
    enforced: bool = False
    undo: str | None = None


class Networks(Struct, frozen=True):
    """How many are to be denied, and how many the written policy holds."""

    decided: int = 0
    enforced: int = 0


class Node(Struct, frozen=True):
    """A node that has reported to the escalator; `age` is that of its report."""

    node: str
    sources: int = 0
    cut: int = 0
    age: float | None = None
    state: str = "reporting"


class Summary(Struct, frozen=True):
    """What is denied now, by whom, and what is decided about them."""

    schema: int
    role: str = "agent"
    name: str = ""
    mode: str = ""
    now: float = 0.0
    health: Health = Health()
    inputs: tuple[Input, ...] = ()
    lost: tuple[Lost, ...] = ()
    totals: Totals = Totals()
    history: History = History()
    sources: tuple[Source, ...] = ()
    other_sources: Rest = Rest()
    ports: tuple[Port, ...] = ()
    offenders: tuple[Offender, ...] = ()
    blacklist: tuple[Ban, ...] = ()
    networks: Networks = Networks()
    frozen: str | None = None
    held: int = 0
    nodes: tuple[Node, ...] = ()
    node_states: dict[str, int] = {}
    """How many nodes there are of each state, in `nodes` or not."""


class Timeline(Struct, frozen=True):
    """One source's packets over the last hour."""

    packets: Counts = ()


class Tried(Struct, frozen=True):
    """A port that a source tried; `packets` is None where only the port is known."""

    protocol: str | None = None
    port: int | None = None
    service: str | None = None
    packets: int | None = None


class Nearness(Struct, frozen=True):
    """How near a source is to one rule, and what stops a ban."""

    rule: str
    measure: str = ""
    has: int = 0
    needs: int = 0
    window: float = 0
    hindrance: str | None = None


class Seen(Struct, frozen=True):
    """A node that saw a source."""

    node: str
    packets: int = 0


class Commands(Struct, frozen=True):
    """What a person may type."""

    ban: str | None = None
    undo: str | None = None
    why: str | None = None


class Details(Struct, frozen=True):
    """All that is known of one source."""

    schema: int
    source: str
    packets: int = 0
    first: float | None = None
    last: float | None = None
    timeline: Timeline = Timeline()
    ports: tuple[Tried, ...] = ()
    nodes: tuple[Seen, ...] = ()
    rules: tuple[Nearness, ...] = ()
    verdict: str = ""
    protected: str | None = None
    ban: Ban | None = None
    samples: tuple[str, ...] = ()
    commands: Commands = Commands()
