"""What a person asks a running agent, and what it answers: one JSON line each.

The version stands outside of what it is the version of, so that a command of another logwatch is
answered in words. Times are RFC 3339 in UTC.
"""

from ipaddress import ip_network
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from logwatch.control.moments import moment
from logwatch.errors import LogwatchError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logwatch.offenders import Ban, Evidence

VERSION = 1

REQUEST_MOST = 4096
"""Bytes of a request with its line feed; the longest that makes sense has about 1,200."""

ANSWER_MOST = 64 << 20
"""Bytes of an answer: 50,000 networks, which sets take, at 1,300 at the most."""

Cidr = Annotated[str, Meta(max_length=64)]


class MessageError(LogwatchError):
    """What came is no message of this protocol."""


class List(msgspec.Struct, frozen=True, tag="list"):
    """Tell all entries."""


class Add(msgspec.Struct, frozen=True, tag="add", forbid_unknown_fields=True):
    """Ban a network by hand."""

    cidr: Cidr
    seconds: Annotated[int, Meta(ge=1)]
    reason: Annotated[str, Meta(max_length=1000)] = ""
    force: bool = False


class Remove(msgspec.Struct, frozen=True, tag="remove", forbid_unknown_fields=True):
    """End a ban now."""

    cidr: Cidr


class Approve(msgspec.Struct, frozen=True, tag="approve", forbid_unknown_fields=True):
    """Enforce a ban that is only proposed."""

    cidr: Cidr


class Why(msgspec.Struct, frozen=True, tag="why", forbid_unknown_fields=True):
    """Tell why an address is banned, or is not."""

    cidr: Cidr


Request = List | Add | Remove | Approve | Why


class Proof(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a source did, as it is shown."""

    packets: int
    ports: tuple[int, ...]
    destinations: tuple[str, ...]
    shapes: tuple[str, ...]
    first: str
    last: str
    samples: tuple[str, ...] = ()
    """Up to five of its lines; not in a list, which would become long."""


class Entry(msgspec.Struct, frozen=True):
    """One network of the blacklist, as it is shown."""

    cidr: str
    phase: str
    """The mode by which it was decided; only `enforce` is in the policy."""
    rule: str
    """`by hand` where a person banned it."""
    since: str
    expires: str
    offence: int
    evidence: Proof | None
    """None where nobody saw a packet of it."""
    reason: str
    by: str
    """`hand` where a person banned it or approved of it, else `rule`."""
    forced: bool


class Entries(msgspec.Struct, frozen=True, tag="entries"):
    """The answer to `List`, sorted by address."""

    entries: tuple[Entry, ...]


class Done(msgspec.Struct, frozen=True, tag="done"):
    """It is done and saved."""

    text: str
    entry: Entry
    notes: tuple[str, ...] = ()
    """What else the person has to know."""


class RuleNearness(msgspec.Struct, frozen=True):
    """How near a source is to one rule."""

    rule: str
    measure: str
    reached: int
    threshold: int
    within: int
    """Seconds."""


class Explained(msgspec.Struct, frozen=True, tag="explained"):
    """The answer to `Why`."""

    cidr: str
    """What would be banned: the /32 or /64 of an address."""
    verdict: str
    """In one sentence."""
    stops: tuple[str, ...]
    """What stands, or would stand, in the way of a ban."""
    entries: tuple[Entry, ...]
    """Those that hold it."""
    rules: tuple[RuleNearness, ...]
    ended: Entry | None = None
    """The last one of it that ended, as long as the next offence counts as a repeated one."""
    next_offence: int = 1
    """The number that its next ban would have."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """It was not done."""

    text: str
    kind: Literal["usage", "failed"] = "failed"


Answer = Entries | Done | Explained | Refused


_REQUESTS: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_ANSWERS: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)


class _Envelope(msgspec.Struct, frozen=True):
    version: int
    body: msgspec.Raw


def encode(message: Request | Answer) -> bytes:
    """Return a message as one line."""
    body = msgspec.Raw(msgspec.json.encode(message))
    return msgspec.json.encode(_Envelope(VERSION, body)) + b"\n"


def decode_request(line: bytes) -> Request:
    """Read a request. Raises MessageError."""
    try:
        return _REQUESTS.decode(_opened(line))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MessageError(f"not a request that this agent knows: {error}") from None


def decode_answer(line: bytes) -> Answer:
    """Read an answer. Raises MessageError."""
    try:
        return _ANSWERS.decode(_opened(line))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MessageError(f"not an answer of an agent: {error}") from None


def _opened(line: bytes) -> msgspec.Raw:
    envelope = msgspec.json.decode(line, type=_Envelope)
    if envelope.version != VERSION:
        raise MessageError(
            f"the agent and the command are of different versions (protocol {envelope.version} and"
            f" {VERSION}): use the same logwatch for both, and restart the agent after an upgrade"
        )
    return envelope.body


def entry_of(ban: "Ban", *, samples: bool = False) -> Entry:
    """Write a ban as it is shown, with the lines of its source or without."""
    return Entry(
        cidr=ban.network,
        phase=ban.phase,
        rule=ban.rule,
        since=moment(ban.since),
        expires=moment(ban.expires),
        offence=ban.offence,
        evidence=proof_of(ban.evidence, samples=samples),
        reason=ban.reason,
        by=ban.by,
        forced=ban.forced,
    )


def entries_of(bans: "Iterable[Ban]", *, samples: bool = False) -> tuple[Entry, ...]:
    """Write bans as they are shown, sorted by address."""
    return tuple(entry_of(ban, samples=samples) for ban in sorted(bans, key=_order))


def _order(ban: "Ban") -> tuple[int, int, int]:
    network = ip_network(ban.network)
    return network.version, int(network.network_address), network.prefixlen


def proof_of(evidence: "Evidence", *, samples: bool = False) -> Proof | None:
    """Write evidence as it is shown; None where there is none."""
    if evidence.packets == 0:
        return None
    return Proof(
        evidence.packets,
        evidence.ports,
        evidence.destinations,
        evidence.shapes,
        moment(evidence.first),
        moment(evidence.last),
        evidence.samples if samples else (),
    )
