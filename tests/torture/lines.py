"""Numbered calico-packet lines, and what a number of them adds up to.

Line n comes from source n mod 199 with port n mod 193. Both are prime and below the places that a
family of series has, so that two sums over the same lines tell lost ones from doubled ones: what
makes up for each other in one sum does not in the other.
"""

import re
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

SOURCES = 199
PORTS = 193
NO_PORT = "other"
"""Where a packet without a port is counted: that of a line which was cut in front of it."""

_BEGINNING = (
    rb"\0*[A-Z][a-z]{2} [ \d]\d [\d:]{8} worker-1 kernel: \[\d+\.\d{6}\] calico-packet: IN=\S+"
    rb" OUT= MAC=\S+ SRC=(\S+) DST=\S+ "
)
_PACKET = re.compile(_BEGINNING + rb".* DPT=(\d+) .*\n")
_WITHOUT_PORT = re.compile(_BEGINNING + rb"(?!.* DPT=\d+ ).*")


def packet_text(number: int) -> bytes:
    """Give what the kernel prints; the uptime makes no two lines alike."""
    return (
        b"[%d.%06d] calico-packet: IN=eth1 OUT= MAC=08:00:27:a1:b2:c3:52:54:00:12:34:56:08:00"
        b" SRC=%b DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=%d DF PROTO=TCP"
        b" SPT=42962 DPT=%b WINDOW=29200 RES=0x00 SYN URGP=0 "
        % (
            158271 + number // 1_000_000,
            number % 1_000_000,
            _source(number).encode(),
            number % 65536,
            _port(number).encode(),
        )
    )


def stamp() -> bytes:
    """The present time as rsyslog's traditional form has it."""
    return time.strftime("%b %e %H:%M:%S").encode()


def _source(number: int) -> str:
    return f"203.0.113.{number % SOURCES + 1}"


def _port(number: int) -> str:
    return str(20_000 + number % PORTS)


@dataclass
class Counts:
    """Packets by source and by port; a program that knows no ports has none."""

    sources: Counter[str] = field(default_factory=Counter)
    ports: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All packets, by their sources."""
        return self.sources.total()

    def add(self, other: "Counts") -> None:
        """Count the others' packets as well."""
        self.sources.update(other.sources)
        self.ports.update(other.ports)

    def missing_from(self, other: "Counts") -> int:
        """At least how many of these packets the other has not."""
        lost = (self.sources - other.sources).total()
        return max(lost, (self.ports - other.ports).total()) if other.ports else lost


def counts_of(numbers: Iterable[int]) -> Counts:
    """Count the lines of these numbers."""
    counts = Counts()
    for number in numbers:
        counts.sources[_source(number)] += 1
        counts.ports[_port(number)] += 1
    return counts


def counts_in(path: Path) -> tuple[Counts, Counts]:
    """Count the whole lines of a file, and the ports that its unfinished one may be counted by.

    The source and the port of an unfinished line are those of the line that was written.
    """
    whole, unfinished = Counts(), Counts()
    with path.open("rb") as file:
        for line in file:
            if match := _PACKET.fullmatch(line):
                whole.sources[match[1].decode()] += 1
                whole.ports[match[2].decode()] += 1
            elif _WITHOUT_PORT.fullmatch(line):
                unfinished.ports[NO_PORT] += 1
    return whole, unfinished
