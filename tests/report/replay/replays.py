"""Replays of made-up logs."""

from collections.abc import Iterable, Sequence
from ipaddress import ip_network
from pathlib import Path

from logwatch.config import Brakes, Prefix
from logwatch.offenders import Protected
from logwatch.offenders.language import read
from logwatch.report.replay import Judges, NeverBanned, Outcome, Rules, replay

PORTS = "rule ports\n    when distinct ports >= 4 within 10s\n    ban 30s, doubling up to 2m\n"


def rules(text: str, name: str = "test.rules") -> Rules:
    reading = read(text.encode(), name)
    assert not reading.has_errors, reading.problems
    return Rules(name, tuple(reading.rules))


def judged(
    paths: Iterable[Path],
    text: str = PORTS,
    *,
    against: str | None = None,
    never_ban: Sequence[str] = (),
    limits: Brakes | None = None,
    prefixes: Sequence[Prefix] = (Prefix(),),
) -> Outcome:
    networks = [ip_network(each) for each in never_ban]
    judges = Judges(
        rules(text),
        None if against is None else rules(against, "other.rules"),
        Protected(networks, own=lambda: ()),
        NeverBanned(tuple(never_ban), None),
        limits or Brakes(),
    )
    return replay([str(path) for path in paths], prefixes, judges)


def banned(outcome: Outcome, begin: int) -> list[tuple[str, int, int, int]]:
    """(network, from, until, offence) of each ban, in seconds since `begin`."""
    return [
        (ban.network, int(ban.since) - begin, int(ban.expires) - begin, ban.offence)
        for ban in outcome.decisions.bans
    ]
