"""Who offends, who is banned for it, and until when.

Evidence is judged by the time of the events, bans end by the wall clock. Everything is kept in
memory; the ledger saves `documents` and gives them back to `restore`. One thread at a time.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Network
from socket import AF_INET6, inet_pton
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, get_args

import msgspec
from msgspec.structs import replace

from logwatch.blacklist import (
    FLOOR,
    Network,
    NetworkError,
    collapse,
    is_too_wide,
    parse_network,
)
from logwatch.offenders.ban import Ban, Evidence, Mode
from logwatch.offenders.evidence import EvidenceTable, Trail
from logwatch.offenders.protected import Kind, Protected
from logwatch.offenders.rules import Rule

if TYPE_CHECKING:
    from logwatch.packets import Row

RECALL = 7 * 86_400.0
"""Seconds for which an ended ban is remembered, so that the next one is a repeated offence."""

MAX_RECALLED = 4096
"""Ended bans remembered at most; 400 bytes each in the ledger."""

_IPV6 = 6

EXTENSION_STEP = 60
"""An extension is worth saving from a sixtieth of the ban on: a flood must not write each tick."""


RefusalReason = Kind | Literal["limit", "too wide", "past"]

REFUSALS: tuple[str, ...] = (*get_args(Kind), "limit", "too wide", "past")
"""All reasons for which an offender may not be banned."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an offender is not banned."""

    reason: RefusalReason
    """For metrics: a kind of protection; `limit`, as many bans as allowed; `too wide`; `past`, the
    ban would have ended before now."""
    text: str
    """For people."""


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


class Offenders:
    """Judges denied packets by rules and keeps the bans.

    A banned source that fulfils a rule again (a policy may log before it denies) gets its ban
    extended: it ends the rule's ban after the last time, not after stray packets.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        protected: Protected,
        *,
        mode: Mode,
        capacity: int = 10_000,
        max_bans: int = 256,
    ) -> None:
        self._protected = protected
        self._mode: Mode = mode
        self._max_bans = max_bans
        self._bans: dict[str, Ban] = {}
        self._ended: dict[str, Ban] = {}
        self._documents: dict[str, bytes] = {}
        self._now = 0.0
        self._checked_revision = -1
        self._changes = 0
        self._listed: dict[Mode, tuple[int, tuple[str, ...]]] = {}
        """By phase: the revision at which its networks were listed, and these."""
        self._tables: list[EvidenceTable] = []
        self._by_protocol: dict[str, tuple[EvidenceTable, ...]] = {}
        for protocols in dict.fromkeys(frozenset(rule.protocols) for rule in rules):
            table = EvidenceTable(
                [rule for rule in rules if frozenset(rule.protocols) == protocols], capacity
            )
            self._tables.append(table)
            for protocol in protocols:
                self._by_protocol[protocol] = (*self._by_protocol.get(protocol, ()), table)

    @property
    def bans(self) -> Mapping[str, Ban]:
        """The bans that hold, by network."""
        return MappingProxyType(self._bans)

    @property
    def revision(self) -> int:
        """Grows whenever bans, documents or the protected list change."""
        return self._changes + self._protected.revision

    def networks(self) -> tuple[str, ...]:
        """List the networks that belong into the policy now: canonical, disjoint, sorted.

        Only bans decided in mode enforce, while the mode is enforce, and never a protected one.
        """
        return self.networks_of("enforce") if self._mode == "enforce" else ()

    def networks_of(self, phase: Mode) -> tuple[str, ...]:
        """List the networks of the bans decided in a mode, whatever the mode is now.

        The same tuple is returned until `revision` grows.
        """
        revision, networks = self._listed.get(phase, (-1, ()))
        if revision != self.revision:
            networks = self._list_networks(phase)
            self._listed[phase] = (self.revision, networks)
        return networks

    def _list_networks(self, phase: Mode) -> tuple[str, ...]:
        networks = [parse_network(ban.network) for ban in self._bans.values() if ban.phase == phase]
        if self._checked_revision != self._protected.revision:
            networks = [each for each in networks if self._protected.reason(each) is None]
        return tuple(str(network) for network in collapse(networks))

    def documents(self) -> Mapping[str, bytes]:
        """Everything to be saved, by network: the bans that hold and the ended ones."""
        return MappingProxyType(self._documents)

    def restore(self, documents: Mapping[str, bytes]) -> int:
        """Take over what was saved; return how many damaged documents were left out.

        Call `expire` next: it ends what ended meanwhile and what came under protection.
        """
        damaged = 0
        ended: list[Ban] = []
        for network, document in documents.items():
            ban = _restored(network, document)
            if ban is None:
                damaged += 1
            elif ban.ended is None:
                self._keep(ban)
            else:
                ended.append(ban)
        for ban in sorted(ended, key=lambda ban: ban.ended or 0.0):
            self._recall(ban)
        self._checked_revision = -1
        return damaged

    def observe(
        self,
        rows: Iterable["Row"],
        at: float,
        now: float,
        policies: Sequence[tuple[str, str]],
    ) -> list[Offence]:
        """Take rows into evidence and return new offences.

        `at` is the time of the rows' events, `now` the wall clock; no event lies in the future.
        `policies` are the names and verdicts that the rows refer to: only `denied` counts. Neither
        do replies count, nor the row that stands for what found no place in the scanner's table.
        """
        self._set_clock(now)
        at = float(min(at, now))
        for table in self._tables:
            table.begin(at)
        is_denied = [verdict == "denied" for _, verdict in policies]
        by_protocol = self._by_protocol
        offences: list[Offence] = []
        for source, port, protocol, policy, family, shape, _, _, packets, _, _, _ in rows:
            tables = by_protocol.get(protocol)
            if tables is None or shape == "reply" or not source or not is_denied[policy]:
                continue
            key = inet_pton(AF_INET6, source)[:8] if family == _IPV6 else source
            for table in tables:
                rule = table.add(key, port, packets)
                if rule is None:
                    continue
                offence = self._judge(key, table, rule, at, now)
                if offence is not None:
                    offences.append(offence)
        return offences

    def expire(self, now: float) -> list[Ban]:
        """End the bans that are over, and those whose network came under protection.

        Returns them with `ended` and `ending` set. After a step back of the clock no ban lasts
        longer from now on than its rule says.
        """
        self._set_clock(now)
        is_list_new = self._checked_revision != self._protected.revision
        self._checked_revision = self._protected.revision
        over: list[Ban] = []
        for ban in list(self._bans.values()):
            if is_list_new and self._protected.reason(parse_network(ban.network)) is not None:
                over.append(self._end(ban, now, "protected"))
            elif ban.expires <= now:
                over.append(self._end(ban, now, "expired"))
            elif ban.expires > now + ban.seconds:
                self._keep(replace(ban, expires=now + ban.seconds))
        while self._ended:
            oldest = next(iter(self._ended.values()))
            if now - (oldest.ended or 0.0) < RECALL and len(self._ended) <= MAX_RECALLED:
                break
            self._forget(oldest)
        return over

    def _set_clock(self, now: float) -> None:
        if now < self._now:
            for table in self._tables:
                table.forget_after(now)
        self._now = now

    def _judge(
        self, key: str | bytes, table: EvidenceTable, rule: Rule, at: float, now: float
    ) -> Offence | None:
        trail = table.trail(key)
        is_full = len(self._bans) >= self._max_bans
        if _is_quiet(trail, at, rule) and (trail.quiet_reason != "limit" or is_full):
            return None
        network = _network(key)
        text = str(network)
        ban = self._bans.get(text)
        evidence, number = table.evidence(trail, rule)
        if ban is not None and ban.phase == self._mode:
            table.restart(trail)
            self._extend(ban, rule, evidence)
            return None
        offence = Offence(text, rule.name, rule.describe(number), evidence, at)
        refusal = self._refusal(network, rule, at, now, is_full=is_full and ban is None)
        if refusal is not None:
            is_told = trail.quiet_reason == refusal.reason and _is_quiet(trail, at, rule)
            trail.quiet_reason, trail.quiet_until = refusal.reason, at + rule.within
            return None if is_told else dataclasses.replace(offence, refusal=refusal)
        table.restart(trail)
        new = self._ban(offence, rule, ban)
        self._keep(new)
        return dataclasses.replace(offence, ban=new)

    def _refusal(
        self, network: Network, rule: Rule, at: float, now: float, *, is_full: bool
    ) -> Refusal | None:
        protection = self._protected.reason(network)
        if protection is not None:
            return Refusal(protection.kind, protection.text)
        if is_too_wide(network):
            floor = FLOOR[network.version]
            return Refusal("too wide", f"{network} is wider than the floor, /{floor}")
        if at + rule.ban <= now:
            return Refusal("past", f"a ban of {rule.ban:g} s from then on would be over by now")
        if is_full:
            return Refusal(
                "limit", f"{self._max_bans} networks are banned already, the most allowed"
            )
        return None

    def _ban(self, offence: Offence, rule: Rule, earlier: Ban | None) -> Ban:
        """Make a new ban, or the one that takes an `earlier` one's place in another mode."""
        if earlier is not None:
            number = earlier.offence
        elif offence.network in self._ended:
            number = self._ended[offence.network].offence + 1
        else:
            number = 1
        return Ban(
            network=offence.network,
            rule=rule.name,
            reason=offence.reason,
            evidence=offence.evidence,
            since=offence.at,
            expires=offence.at + rule.ban,
            seconds=float(rule.ban),
            offence=number,
            phase=self._mode,
        )

    def _extend(self, ban: Ban, rule: Rule, evidence: Evidence) -> None:
        expires = evidence.last + rule.ban
        if expires - ban.expires >= rule.ban / EXTENSION_STEP:
            evidence = replace(ban.evidence, last=evidence.last)
            self._keep(replace(ban, expires=expires, seconds=float(rule.ban), evidence=evidence))

    def _keep(self, ban: Ban) -> None:
        self._changes += 1
        self._ended.pop(ban.network, None)
        self._bans[ban.network] = ban
        self._documents[ban.network] = ban.to_json()

    def _end(self, ban: Ban, now: float, ending: Literal["expired", "protected"]) -> Ban:
        self._changes += 1
        del self._bans[ban.network]
        ended = replace(ban, ended=min(now, ban.expires), ending=ending)
        if ending == "expired":
            self._recall(ended)
        else:
            del self._documents[ban.network]
        return ended

    def _recall(self, ban: Ban) -> None:
        self._changes += 1
        self._ended[ban.network] = ban
        self._documents[ban.network] = ban.to_json()

    def _forget(self, ban: Ban) -> None:
        self._changes += 1
        del self._ended[ban.network]
        del self._documents[ban.network]


def _network(key: str | bytes) -> Network:
    """Return the network of a key: the address itself, or the upper half of an IPv6 one."""
    if isinstance(key, str):
        return parse_network(key)
    return IPv6Network((key + bytes(8), 64))


def _is_quiet(trail: Trail, at: float, rule: Rule) -> bool:
    """Whether a refusal was told within the rule's window; a clock set back ends it as well."""
    return 0 < trail.quiet_until - at <= rule.within


def _restored(network: str, document: bytes) -> Ban | None:
    """Read a saved ban; None for anything that `Offenders` would not have saved."""
    try:
        ban = Ban.from_json(document)
        parsed = parse_network(ban.network)
    except (msgspec.DecodeError, UnicodeDecodeError, NetworkError):
        return None
    is_canonical = network == ban.network == str(parsed)
    return ban if is_canonical and not is_too_wide(parsed) else None
