"""Packets in steps of ten seconds over the last hour, by policy."""

from logwatch.top.summary import History, Line

STEP = 10.0
STEPS = 360


class Steps:
    """Adds up packets by their time. Memory is bounded by the policies of an hour."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], dict[int, int]] = {}
        self._begin: int | None = None
        """The first step in which there was anything: the log does not tell of the time before."""

    def add(self, policy: str, action: str, packets: int, at: float) -> None:
        """Count packets of a time (Unix seconds)."""
        steps = self._counts.setdefault((policy, action), {})
        step = int(at // STEP)
        self._begin = step if self._begin is None else min(step, self._begin)
        steps[step] = steps.get(step, 0) + packets

    def history(self, now: float) -> History:
        """Give the hour up to now; what is older is forgotten."""
        last = int(now // STEP)
        first = last - STEPS + 1
        lines = []
        for key, steps in list(self._counts.items()):
            for old in [step for step in steps if step < first]:
                del steps[old]
            if not steps:
                del self._counts[key]
                continue
            begin = first if self._begin is None else max(first, self._begin)
            counts = (steps.get(step, 0) for step in range(begin, last + 1))
            lines.append(Line(*key, ((None,) * (begin - first) + tuple(counts))))
        lines.sort(key=lambda line: (line.policy, line.action))
        return History(first * STEP, STEP, tuple(lines))
