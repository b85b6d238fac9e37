"""The time from a log line's reading to the written policy, as counters of the ledger.

A histogram in the ledger survives restarts like every other counter. The daemon counts what
`escalation_counts` returns; the collector makes the histogram of it.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate

from logwatch.ledger import Labels

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper bounds in seconds. The aim is one second; a brake or an unreachable API takes minutes."""

BUCKET = "escalation_bucket"
MICROSECONDS = "escalation_microseconds"


def escalation_counts(seconds: float) -> list[tuple[str, Labels, int]]:
    """Give name, labels and amount of what one escalation adds, to be passed to `Ledger.count`."""
    seconds = max(0.0, seconds)
    bound = next((bound for bound in BOUNDS if seconds <= bound), float("inf"))
    return [(BUCKET, (str(bound),), 1), (MICROSECONDS, (), round(seconds * 1e6))]


def escalation_histogram(
    counters: Mapping[tuple[str, Labels], int],
) -> tuple[Sequence[tuple[str, float]], float]:
    """Give cumulated buckets (upper bound, number) up to `+Inf`, and the sum in seconds.

    Numbers under a bound of another version are kept under the next one of today.
    """
    counts = [0] * (len(BOUNDS) + 1)
    for (name, labels), number in counters.items():
        if name == BUCKET:
            bound = float(labels[0])
            counts[sum(bound > other for other in BOUNDS)] += number
    names = [*(str(bound) for bound in BOUNDS), "+Inf"]
    buckets = [(name, float(sum_)) for name, sum_ in zip(names, accumulate(counts), strict=True)]
    return buckets, counters.get((MICROSECONDS, ()), 0) / 1e6
