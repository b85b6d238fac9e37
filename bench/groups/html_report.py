"""A report as a page, of ten million lines: what it costs beside JSON, and how large it is."""

import re
from dataclasses import replace

import tables
from corpora import SOURCES, STORM, make, make_again
from peer import Peer, in_turn, report, warm

GOAL = 5.0
"""MB (10^6 bytes) that the page may have."""


def run(rounds: int) -> None:
    """Time the storm twice and a million sources, as JSON and as a page."""
    many = SOURCES[1_000_000]
    paths = [make(STORM), make_again(STORM), make(many)]
    warm(*paths)
    lines, packets = 2 * STORM.lines + many.lines, 2 * STORM.packets + many.packets
    plain = report("`logwatch report --format json`", paths, lines, packets)
    sizes: list[int] = []

    def answer(page: bytes) -> object:
        sizes.append(len(page))
        found = re.search(rb"packets</dt><dd[^>]*>([0-9,]+)<", page)
        return int(found[1].replace(b",", b"")) if found else page[:200]

    page = replace(
        plain,
        name="`logwatch report --format html`",
        command=_as_page(plain),
        answer=answer,
        seconds=[],
    )
    in_turn([plain, page], rounds)
    tables.print_table(
        f"page: {lines:,} lines of {many.name} and of the storm twice; {rounds} rounds in turn",
        [*tables.TIMES, "x json (median)", "MB", "goal"],
        [
            [*tables.times(plain), "1.00", "", ""],
            [
                *tables.times(page),
                f"{page.ratio(plain):.2f}",
                *tables.at_most(max(sizes) / 1e6, GOAL),
            ],
        ],
    )


def _as_page(plain: Peer) -> list[str]:
    """The same command with the page's format and the length of its lists."""
    command = list(plain.command)
    at = command.index("json")
    return [*command[:at], "html", *command[at + 3 :]]
