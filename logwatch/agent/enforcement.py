"""Bans on their way into the policy file, or into a proposal beside it.

enforce writes the policy file. propose writes what that file would be to NAME.proposed.yaml, for a
person to look at, and to the policy file what a person banned or approved of. observe writes
neither. A ban that was enforced before the mode was changed ends at its time all the same: what it
denies is taken out of the policy file then.
"""

from pathlib import Path

from logwatch.blacklist import FLOOR, Change, PolicyError, PolicyFile, Shape, parse_network
from logwatch.offenders import Ban, Mode, Offenders


class Enforcement:
    """Keeps one policy file as the bans want it."""

    def __init__(self, mode: Mode, policy_file: str | None, shape: Shape = "policy") -> None:
        self._mode = mode
        self._path = None if policy_file is None else Path(policy_file)
        self._file = None if self._path is None else PolicyFile(self._path, shape=shape)
        self._proposal: PolicyFile | None = None
        if self._path is not None and mode == "propose":
            self._proposal = PolicyFile(self._path, target=proposal_path(self._path), shape=shape)
        self._enforced: frozenset[str] = frozenset()
        self._written: tuple[str, ...] | None = None

    def check(self) -> None:
        """Find out at the start whether the file can be written. Raises PolicyError.

        In the other modes it is only read, so there it is no reason not to start.
        """
        if self._file is None:
            return
        try:
            self._enforced = frozenset(self._file.read().own)
        except PolicyError:
            if self._mode == "enforce":
                raise

    def write(self, offenders: Offenders) -> list[tuple[Path, Change]]:
        """Write what is not as it should be; returns the files with what changed in each.

        Cheap while nothing changes (one stat), so it is called each round: that is how drift is
        repaired. Raises PolicyError.
        """
        if self._path is None or self._file is None:
            return []
        changes = []
        try:
            if self._mode == "enforce":
                own, wanted = None, offenders.networks()
            else:  # what rules enforced before only ends
                own = self._file.read().own
                wanted = self._kept(own, offenders)
            if wanted != own:
                changes.append((self._path, self._file.write(wanted)))
        except PolicyError:
            self._written, self._enforced = (
                None,
                frozenset(),
            )  # whatever is there, it is not known to deny
            raise
        if wanted is not self._written:  # of thousands the same tuple, until they change
            self._written, self._enforced = wanted, frozenset(wanted)
        if self._proposal is not None:
            proposed = (*wanted, *offenders.networks_of("propose"))
            changes.append((proposal_path(self._path), self._proposal.write(proposed)))
        return changes

    def _kept(self, own: tuple[str, ...], offenders: Offenders) -> tuple[str, ...]:
        """List what stays in the policy, and what people want there, unless they only observe."""
        by_hand = offenders.by_hand.enforced() if self._mode == "propose" else frozenset()
        kept = by_hand.union(own)
        return tuple(each for each in offenders.networks_of("enforce") if each in kept)

    def numbers(self, offenders: Offenders) -> dict[str, int]:
        """How many networks are decided, and how many of ours are in the policy file."""
        return {"decided": len(offenders.networks_of(self._mode)), "enforced": len(self._enforced)}

    def holds(self, ban: Ban) -> bool:
        """Whether the policy file denies what is banned, as it was written last."""
        if ban.network in self._enforced:
            return True
        network = parse_network(ban.network)
        return any(
            str(network.supernet(new_prefix=length)) in self._enforced
            for length in range(FLOOR[network.version], network.prefixlen)
        )


def proposal_path(path: Path) -> Path:
    """Where a proposal for a policy file is written: blacklist.proposed.yaml."""
    return path.with_name(f"{path.stem}.proposed{path.suffix or '.yaml'}")
