"""An offence: who fulfilled which rule by what, and the ban or the refusal that follows."""

from dataclasses import dataclass

from logwatch.offenders.ban import Ban, Evidence
from logwatch.offenders.language import Rule, format_duration
from logwatch.offenders.refusal import Refusal

MOMENT = 0.001
"""Seconds: the core's resolution of time."""

Found = tuple[int, tuple[int, ...], tuple[str, ...], float, float, tuple[str, ...], tuple[str, ...]]
Fulfilled = tuple[str, int, int, Found]
"""Who fulfils a rule: see `logwatch._core.Evidence`."""

DOUBLINGS_MOST = 32
"""A second doubled so often is more than any rule allows."""


@dataclass(frozen=True, slots=True)
class Offence:
    """A source fulfilled a rule. Exactly one of `ban` and `refusal` is there."""

    network: str
    rule: str
    reason: str
    """What it did, for people."""
    evidence: Evidence
    at: float
    ban: Ban | None = None
    refusal: Refusal | None = None
    has_waited: bool = False
    """Told before, with a refusal: a brake held the ban back then."""


@dataclass(frozen=True, slots=True)
class NearMiss:
    """The nearest that a source came to a rule without fulfilling it."""

    network: str
    rule: str
    reached: int
    threshold: int
    at: float
    """When it first was so near."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An offender that may be banned, if no brake holds it back."""

    source: str
    rule: Rule
    excess: float
    """How many times over it reached the rule's threshold: who is worst is banned first."""
    offence: Offence

    @property
    def last(self) -> float:
        """Time of its last packet."""
        return self.offence.evidence.last


def evidence_of(found: Found) -> Evidence:
    """Make what is kept of what the core found."""
    packets, ports, destinations, first, last, shapes, samples = found
    return Evidence(packets, ports, first, last, destinations, shapes, samples)


def quiet_until(rule: Rule, at: float) -> float:
    """Until when the core does not tell of an offender again: once in the window of a rule."""
    return at + rule.within - MOMENT


def ban_seconds(rule: Rule, offence: int) -> float:
    """Length of a ban: doubled with each offence, if the rule says so."""
    if rule.up_to is None:
        return float(rule.ban)
    return float(min(rule.ban << min(offence - 1, DOUBLINGS_MOST), rule.up_to))


def reason(rule: Rule, number: int) -> str:
    """What a source did, in words."""
    things = rule.measure if rule.measure in {"packets", "bytes"} else f"distinct {rule.measure}"
    if number == 1:
        things = things.removesuffix("s")
    within = format_duration(rule.within)
    return f"{number} {things} within {within} (rule {rule.name}: {rule.threshold})"
