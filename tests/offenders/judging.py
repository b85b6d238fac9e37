"""Offenders that judge packets as they were sent, by two rules and without brakes."""

from collections.abc import Callable, Iterable
from ipaddress import ip_network

from offenders.packets import Sent, policies, summary

from logwatch.blacklist import Network
from logwatch.config import Brakes
from logwatch.offenders import Mode, Offence, Offenders, Protected
from logwatch.offenders.language import Rule, read

RULES = read(
    b"""
rule packets
    when packets >= 100 within 10m
    where protocol is tcp and not reply
    ban 2h
    even if forged
rule ports
    when distinct ports >= 15 within 1m
    ban 1h
""",
    "test.rules",
).rules
WIDE = Brakes(bans_per_minute=1000, bans=1000, freeze_factor=100)
"""Brakes that hold nothing back here."""
PORTS = RULES[1]
SCANNER = "203.0.113.7"
NOW = 1_700_000_000.0


def nets(*texts: str) -> list[Network]:
    return [ip_network(text) for text in texts]


class Judge(Offenders):
    """Takes packets as they were sent."""

    def see(self, sent: Iterable[Sent], at: float, now: float) -> list[Offence]:
        counted = summary(sent)
        return self.observe(counted, at, now, policies(counted))


def judge_by(
    rules: Iterable[Rule] = RULES,
    *,
    mode: Mode = "enforce",
    never_ban: Iterable[str] = (),
    limits: Brakes = WIDE,
    sources: Callable[[float], int] | None = None,
) -> Judge:
    protected = Protected(nets(*never_ban), lambda: nets("198.51.100.9/32"))
    return Judge(tuple(rules), protected, mode=mode, limits=limits, sources=sources)


def scan(source: str = SCANNER, ports: Iterable[int] = range(1, 16)) -> list[Sent]:
    return [Sent(source, port) for port in ports]


def told(offences: list[Offence]) -> list[tuple[str, str]]:
    """Network and outcome of each offence."""
    return [
        (each.network, each.refusal.reason if each.refusal else f"banned by {each.rule}")
        for each in offences
    ]
