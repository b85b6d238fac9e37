"""All that is shown at one moment: the ledger's snapshot and what the daemon knows besides."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from logwatch.ledger import Snapshot


@dataclass(frozen=True, slots=True)
class InputView:
    """One input as it is read now."""

    path: str
    """Value of the label `input`, as in the ledger's counters of this input."""
    behind_bytes: int | None = 0
    """None, and not shown, where nobody can know."""
    last_packet: float | None = None
    """Unix seconds of the latest packet's stamp; None, and not shown, before the first one."""
    behind_seconds: float | None = 0.0
    """Age of the oldest unread byte; None, and not shown, when it can't be told."""
    is_readable: bool = True
    """Whether it was there and could be read when it was looked at last."""


@dataclass(frozen=True, slots=True)
class ReportView:
    """The report of this node that was written last."""

    results: tuple[str, ...]
    """What may become of a report, shown as 0 before the first."""
    size: int | None = None
    """Bytes of the object; None, and not shown, before the first one."""
    cut: int = 0
    """Sources that had no room in it."""


@dataclass(frozen=True, slots=True)
class View:
    """What the metrics and the page are made of; one object for one scrape."""

    snapshot: Snapshot
    ready: bool = True
    is_durable: bool = True
    """Whether the last commit reached the disk."""
    mode: str = "observe"
    """What becomes of an offender: `observe`, `propose`, `enforce`."""
    inputs: tuple[InputView, ...] = ()
    sources: int = 0
    """Estimated number of distinct sources in the last 5 minutes."""
    rules: tuple[str, ...] = ()
    """Names of the rules in force, shown as 0 before their first offence."""
    bans: tuple[tuple[str, str], ...] = ()
    """Rule and mode of the bans that are possible, shown as 0 before the first."""
    refusals: tuple[str, ...] = ()
    """Known reasons for refusing a ban, shown as 0 before the first."""
    entries: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Blacklist entries by phase."""
    frozen: bool = False
    """Whether rules decide nothing, since too many offend at once."""
    tracked: int = 0
    """Sources whose evidence is kept now."""
    held: int = 0
    """Offenders that wait, their bans held back by a brake."""
    networks: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Networks of the blacklist by state: `decided`, `enforced`."""
    certificate_ends: float | None = None
    """Unix seconds at which the server's own certificate expires; None, and not shown, without."""
    http_refusals: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Connections and requests that were not answered, by reason."""
    report: ReportView | None = None
    """None outside a cluster."""
