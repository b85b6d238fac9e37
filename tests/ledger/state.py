"""Packets that are counted, and a ledger that is opened, for the tests of what it keeps."""

from collections.abc import Sequence
from pathlib import Path

from offenders.packets import Sent, policies, summary

from logwatch.ledger import Ledger, SeriesLimits

SYSLOG = "/var/log/syslog"
NOON = 1_700_000_000.0
THREE = Sent(packets=3)


def add(ledger: Ledger, sent: Sequence[Sent], now: float = NOON) -> None:
    """Count packets as the agent does."""
    counted = summary(sent)
    ledger.add(counted, policies(counted), now)


def open_ledger(
    directory: Path, boot_id: str = "one", limits: SeriesLimits | None = None
) -> Ledger:
    return Ledger.open(
        directory, limits=limits or SeriesLimits(), boot_id=boot_id, clock=lambda: NOON
    )


def written_bytes(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if "-shm" not in path.name}
