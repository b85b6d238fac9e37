"""Writes figures as tables in Markdown, as docs/benchmarks.md has them."""

from collections.abc import Iterable, Sequence

from peer import Peer

TIMES = ("command", "s (min)", "s (median)", "ns a line")


def print_table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table under its title."""
    print(f"\n{title}\n")
    print(f"| {' | '.join(header)} |")
    print("|---" * len(header) + "|")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def times(peer: Peer) -> list[str]:
    """Cells under `TIMES`; nanoseconds are of the fastest round."""
    nanoseconds = peer.best / peer.lines * 1e9
    return [peer.name, f"{peer.best:.3f}", f"{peer.median:.3f}", f"{nanoseconds:,.0f}"]


def at_most(value: float, bound: float) -> list[str]:
    """Cells of a figure and of the most that it should be."""
    return _judged(value, f"at most {bound:g}", reached=value <= bound)


def at_least(value: float, bound: float) -> list[str]:
    """Cells of a figure and of the least that it should be."""
    return _judged(value, f"at least {bound:g}", reached=value >= bound)


def _judged(value: float, goal: str, *, reached: bool) -> list[str]:
    return [f"{value:,.2f}", goal if reached else f"{goal}: **missed**"]
