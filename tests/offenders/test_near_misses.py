"""Who came near to a rule without fulfilling it."""

from collections.abc import Iterable

from offenders.packets import Sent, policies, summary

from logwatch.config import Brakes
from logwatch.offenders import NearMiss, Offence, Offenders, Protected
from logwatch.offenders.language import read

RULES = read(
    b"rule ports\n    when distinct ports >= 15 within 1m\n    ban 1h\n", "test.rules"
).rules
NOW = 1_700_000_000.0


def judge_by(*, near_misses: int) -> Offenders:
    return Offenders(
        RULES,
        Protected((), own=lambda: ()),
        mode="observe",
        limits=Brakes(),
        near_misses=near_misses,
    )


def see(judge: Offenders, sent: Iterable[Sent], at: float) -> list[Offence]:
    counted = summary(sent)
    return judge.observe(counted, at, at, policies(counted))


def scan(source: str, ports: int) -> list[Sent]:
    return [Sent(source, port) for port in range(ports)]


def test_the_nearest_approach_is_told_however_long_ago_it_was() -> None:
    judge = judge_by(near_misses=2)
    see(judge, [*scan("203.0.113.7", 9), *scan("2001:db8::1", 14), *scan("203.0.113.8", 2)], NOW)
    see(judge, scan("203.0.113.7", 3), NOW + 3_600)
    assert [
        NearMiss("2001:db8::/64", "ports", 14, 15, NOW),
        NearMiss("203.0.113.7/32", "ports", 9, 15, NOW),
    ] == judge.near_misses()


def test_an_offender_is_no_near_miss() -> None:
    judge = judge_by(near_misses=2)
    see(judge, scan("203.0.113.7", 14), NOW)
    assert 1 == len(see(judge, scan("203.0.113.7", 15), NOW + 1))
    assert [] == judge.near_misses()


def test_none_are_kept_unless_asked_for() -> None:
    judge = judge_by(near_misses=0)
    see(judge, scan("203.0.113.7", 14), NOW)
    assert [] == judge.near_misses()
