"""What stands in the way of a ban."""

from collections.abc import Iterator, Mapping

from logwatch.blacklist import FLOOR, Network, is_too_wide
from logwatch.offenders.ban import Ban, Mode
from logwatch.offenders.book import Book
from logwatch.offenders.brakes import Brakes, Hold
from logwatch.offenders.freeze import Freeze
from logwatch.offenders.protected import Protected
from logwatch.offenders.refusal import Refusal
from logwatch.offenders.why import Stop

_SHOWN: Mapping[Mode, str] = {
    "observe": "bans are decided and shown, and nothing is written",
    "propose": "bans are written as a proposal only",
}


class Hurdles:
    """Tells why a network is never banned, or not now. Changes nothing."""

    def __init__(
        self, book: Book, protected: Protected, brakes: Brakes, freeze: Freeze, mode: Mode
    ) -> None:
        self._book = book
        self._protected = protected
        self._brakes = brakes
        self._freeze = freeze
        self._mode: Mode = mode

    def never(self, network: Network) -> Refusal | None:
        """Tell why a network is never banned by a rule."""
        protection = self._protected.reason(network)
        if protection is not None:
            return Refusal(protection.kind, protection.text)
        if is_too_wide(network):
            floor = FLOOR[network.version]
            return Refusal("too wide", f"{network} is wider than the floor, /{floor}")
        return None

    def hold(self, now: float, earlier: Ban | None) -> Hold | None:
        """Tell what holds back a ban now; it takes the place of an earlier one of its network."""
        if self._freeze.frozen:
            return "frozen"
        return self._brakes.room(now, len(self._book.bans) - (earlier is not None))[1]

    def text(self, hold: Hold, now: float) -> str:
        """Tell the same to people."""
        return self._freeze.text() if hold == "frozen" else self._brakes.text(hold, now)

    def stops(self, network: Network, ban: Ban | None, now: float) -> Iterator[Stop]:
        """List all that would stop a ban of a network now; `ban` is the one that denies it."""
        never = self.never(network)
        if never is not None:
            yield Stop(never.reason, never.text)
        if ban is not None:
            yield Stop("banned", f"{ban.network} is banned already (rule {ban.rule}: {ban.reason})")
        is_replaced = ban is None or (ban.by == "rule" and not ban.is_at_least(self._mode))
        hold = self.hold(now, ban) if is_replaced else None  # an extension meets no brake
        if hold is not None:
            yield Stop(hold, self.text(hold, now))
        if self._mode != "enforce":
            yield Stop("mode", f"in mode {self._mode} {_SHOWN[self._mode]}")
