"""Decisions by hand: a ban, its undo, and the approval of what was only proposed.

No brake and no freeze holds them. What is never banned stops them too, unless they are forced;
nothing is wider than the floor, not even by force.
"""

from dataclasses import dataclass

from msgspec.structs import replace

from logwatch.blacklist import (
    FLOOR,
    Network,
    NetworkError,
    is_too_wide,
    network_of,
    overlap,
    parse_network,
)
from logwatch.errors import LogwatchError, UsageError
from logwatch.offenders.ban import BY_HAND, Ban, Evidence, Mode
from logwatch.offenders.book import Book
from logwatch.offenders.language import BAN_MOST
from logwatch.offenders.protected import Protected, Protection

REASON_MOST = 200
"""Characters of a person's reason."""

NAMED_MOST = 10
"""Networks that a message names."""


class ManualError(LogwatchError):
    """It can't be done; the message says what stands in the way."""


class TargetError(UsageError):
    """The text names no network that may be denied."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a decision."""

    ban: Ban
    earlier: Ban | None = None
    """The ban of the same network whose place it took."""


def read_target(text: str) -> Network:
    """Read what a person wants to deny: a network, or an address for its `/32` or `/64`.

    Raises TargetError for anything else: host bits, a zone, a network wider than the floor.
    """
    try:
        network = parse_network(text) if "/" in text else network_of(text)
    except NetworkError:
        raise TargetError(
            f"{text!r} is no address and no network, such as 203.0.113.7 or 2001:db8:1:2::/64"
        ) from None
    address, slash, _ = text.partition("/")
    if slash and parse_network(address).network_address != network.network_address:
        raise TargetError(
            f"{text!r} has bits set behind its prefix length: the network is {network}, the address"
            f" alone {network_of(address)}"
        )
    if is_too_wide(network):
        raise TargetError(
            f"{network} is wider than anything that is ever denied:"
            f" /{FLOOR[network.version]} at the most"
        )
    return network


def check_request(seconds: int, reason: str) -> None:
    """Check how long and why; raises TargetError."""
    if not 1 <= seconds <= BAN_MOST:
        raise TargetError(f"a ban lasts from 1s to {BAN_MOST // 86_400}d, not {seconds} s")
    if len(reason) > REASON_MOST:
        raise TargetError(f"a reason has at most {REASON_MOST} characters, not {len(reason)}")
    if not reason.isprintable():
        odd = next(each for each in reason if not each.isprintable())
        raise TargetError(f"the reason holds {odd!r}, which is no text to be shown: leave it out")


class Manual:
    """Decides for a person. One thread at a time."""

    def __init__(self, book: Book, protected: Protected, mode: Mode, *, room: int) -> None:
        """`room` is the number of networks that the policy takes."""
        self._book = book
        self._protected = protected
        self._mode = mode
        self._room = room

    def add(
        self, network: Network, now: float, *, seconds: float, reason: str, force: bool
    ) -> Decided:
        """Ban a network for a time, in the place of a ban of the same network.

        Raises ManualError.
        """
        text = str(network)
        self._require_policy(text)
        protection = self._protected.reason(network)
        if protection is not None and not force:
            raise ManualError(f"{text} is never banned: {protection.text}; --force bans it anyway")
        earlier = self._book.bans.get(text)
        if earlier is None and len(self._book.bans) >= self._room:
            raise ManualError(
                f"{text} finds no room: {self._room} networks are banned, which is what a policy"
                " takes; remove another one first"
            )
        if earlier is None:
            evidence, offence = Evidence(0, (), now, now), self._book.next_offence(text)
        else:
            evidence, offence = earlier.evidence, earlier.offence
        ban = Ban(
            network=text,
            rule=BY_HAND,
            reason=reason,
            evidence=evidence,
            since=now,
            expires=now + seconds,
            seconds=seconds,
            offence=offence,
            phase="enforce",
            by="hand",
            forced=force,
        )
        self._book.keep(ban)
        return Decided(ban, earlier)

    def remove(self, network: Network, now: float) -> Decided:
        """End the ban of exactly this network; its offences are forgotten. Raises ManualError."""
        ban = self._book.bans.get(str(network))
        if ban is None:
            raise ManualError(f"{network} is not banned{self._relatives(network)}")
        return Decided(self._book.remove(ban, now))

    def approve(self, network: Network) -> Decided:
        """Enforce a ban that is only shown or proposed, until its time. Raises ManualError."""
        text = str(network)
        ban = self._book.bans.get(text)
        if ban is None:
            raise ManualError(f"{text} is not proposed{self._relatives(network)}")
        if ban.phase == "enforce":
            raise ManualError(f"{text} is enforced already")
        self._require_policy(text)
        approved = replace(ban, phase="enforce", by="hand", announced=0.0)
        self._book.keep(approved)
        return Decided(approved, ban)

    def adopt(self, ban: Ban) -> Protection | None:
        """Keep a ban that was decided elsewhere; returns what stands against it instead."""
        protection = self._protected.reason(parse_network(ban.network))
        if protection is not None and not ban.forced:
            return protection
        self._book.keep(ban)
        return None

    def forgive(self, network: str) -> None:
        """Forget the offences of a network that is not banned."""
        self._book.forgive(network)

    def enforced(self) -> frozenset[str]:
        """List the networks that people banned, or whose bans they approved of."""
        return frozenset(each.network for each in self._book.bans.values() if each.by == "hand")

    def around(self, network: Network) -> list[str]:
        """List the banned networks that hold this one as a whole, without itself."""
        return [
            each
            for each in self._overlapping(network)
            if parse_network(each).prefixlen < network.prefixlen
        ]

    def inside(self, network: Network) -> list[str]:
        """List the banned networks that lie in this one, without itself."""
        return [
            each
            for each in self._overlapping(network)
            if parse_network(each).prefixlen > network.prefixlen
        ]

    def _overlapping(self, network: Network) -> list[str]:
        return [each for each in self._book.bans if overlap(parse_network(each), network)]

    def _relatives(self, network: Network) -> str:
        """Say which entries have to do with a network that is none."""
        around, inside = self.around(network), self.inside(network)
        if around:
            return f" itself; it lies in {named(around)}, which is"
        if inside:
            return f" itself; in it {lie(inside)} {named(inside)}"
        return "; `logwatch blacklist list` shows what is"

    def _require_policy(self, network: str) -> None:
        if self._mode == "observe":
            raise ManualError(
                f"{network} would not be denied: in mode observe nothing is written to a policy;"
                " choose --mode propose or enforce"
            )


def lie(networks: list[str]) -> str:
    """Give the verb for one network, or for some."""
    return "lies" if len(networks) == 1 else "lie"


def named(networks: list[str]) -> str:
    """Name some networks, and how many more there are."""
    rest = len(networks) - NAMED_MOST
    return ", ".join(networks[:NAMED_MOST]) + (f" and {rest} more" if rest > 0 else "")
