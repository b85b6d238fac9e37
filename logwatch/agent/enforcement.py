"""Bans on their way into the policy file, or into a proposal beside it.

observe writes nothing; propose writes what it would do to FILE.proposed.yaml, for a person to
look at and apply; enforce writes FILE.
"""

from pathlib import Path

from logwatch.blacklist import Change, PolicyFile, collapse, parse_network
from logwatch.offenders import Mode, Offenders


class Enforcement:
    """Keeps one policy file as the bans want it."""

    def __init__(self, mode: Mode, policy_file: str | None) -> None:
        self._mode = mode
        self.path: Path | None = None
        if policy_file is not None:
            path = Path(policy_file)
            self.path = proposal_path(path) if mode == "propose" else path
        self._file = None if self.path is None else PolicyFile(self.path)
        self._enforced = 0

    def check(self) -> None:
        """Find out at the start whether the file can be used. Raises PolicyError."""
        if self._file is not None:
            self._enforced = len(self._file.read().own)

    def write(self, offenders: Offenders) -> Change | None:
        """Write the file unless it is as it should be; None in mode observe.

        Cheap while nothing changes (one stat), so it is called each round: that is how drift is
        repaired. Raises PolicyError.
        """
        if self._file is None or self._mode == "observe":
            return None
        wanted = self._wanted(offenders)
        change = self._file.write(wanted)
        self._enforced = len(wanted)
        return change

    def numbers(self, offenders: Offenders) -> dict[str, int]:
        """How many networks are decided, and how many are in the file that is enforced."""
        is_enforced = self._mode == "enforce"
        return {
            "decided": len(self._wanted(offenders)),
            "enforced": self._enforced if is_enforced else 0,
        }

    def _wanted(self, offenders: Offenders) -> tuple[str, ...]:
        if self._mode == "enforce":
            return offenders.networks()
        bans = (ban for ban in offenders.bans.values() if ban.phase == self._mode)
        return tuple(str(each) for each in collapse(parse_network(ban.network) for ban in bans))


def proposal_path(path: Path) -> Path:
    """Where a proposal for a policy file is written: blacklist.proposed.yaml."""
    return path.with_name(f"{path.stem}.proposed{path.suffix or '.yaml'}")
