"""Makes the files that the benchmarks read, once, in the user's cache folder.

A corpus is the same on every machine (fixed seed). Its archives are made by `gzip -6` and `zstd -3`
themselves, the levels that logrotate's users have.
"""

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import traffic

VERSION = 2
"""Grows when the lines change, so that no old file is taken for a new one."""

COMPRESSORS = {"gz": ("gzip", "-6", "--stdout"), "zst": ("zstd", "-3", "--quiet", "--stdout")}


@dataclass(frozen=True)
class Corpus:
    """A file of `lines` lines, of which `packets` are packets."""

    name: str
    lines: int
    packets: int
    packet: Callable[[random.Random], traffic.Text] = traffic.both_families
    """What makes its packets."""

    @property
    def path(self) -> Path:
        """Where it is, or will be."""
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        return Path(cache) / "calico-logwatch" / "bench" / f"{self.name}-{VERSION}.log"

    def first(self, count: int) -> Iterator[str]:
        """Make its first lines, or fewer where it has fewer; they need no file."""
        chance = random.Random(self.name)
        every = self.lines // self.packets
        made = traffic.syslog(self.lines, every, self.packet(chance), chance)
        return islice(made, count)


STORM = Corpus("storm", 4_000_000, 4_000_000)
MIXED = Corpus("mixed", 8_000_000, 400_000)
V4 = Corpus("v4", 2_000_000, 2_000_000, traffic.only_v4)
V6 = Corpus("v6", 2_000_000, 2_000_000, traffic.only_v6)
SOURCES = {
    count: Corpus(f"sources-{count}", 2_000_000, 2_000_000, partial(traffic.uniform, sources=count))
    for count in (1_000, 100_000, 1_000_000)
}
"""By the number of their sources, each of which sends equally many packets."""
ALL = {corpus.name: corpus for corpus in (STORM, MIXED, V4, V6, *SOURCES.values())}


def make(corpus: Corpus) -> Path:
    """Make the corpus unless it is there, and say so on stderr."""
    path = corpus.path
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        sys.stderr.write(f"making {corpus.name}: {corpus.lines:,} lines, once\n")
        # A process of its own: Linux counts the peak of whoever starts a command as the command's.
        subprocess.run([sys.executable, __file__, corpus.name], check=True, stdout=sys.stderr)
    return path


def make_archive(corpus: Corpus, suffix: str) -> Path:
    """Make the corpus as an archive, `gz` or `zst`, unless it is there."""
    path = make(corpus)
    archive = path.with_name(f"{path.name}.{suffix}")
    if not archive.exists():
        sys.stderr.write(f"making {archive.name}, once\n")
        part = archive.with_name(f"{archive.name}.part")
        with part.open("wb") as file:
            subprocess.run([*COMPRESSORS[suffix], str(path)], check=True, stdout=file)
        part.rename(archive)
    return archive


def make_again(corpus: Corpus) -> Path:
    """Return the corpus under a second name, which takes no space."""
    path = make(corpus)
    again = path.with_name(f"{path.stem}-again.log")
    again.unlink(missing_ok=True)
    again.hardlink_to(path)
    return again


def _write(corpus: Corpus) -> None:
    part = corpus.path.with_suffix(".part")
    with part.open("w", encoding="ascii", buffering=1 << 20) as file:
        file.writelines(corpus.first(corpus.lines))
    part.rename(corpus.path)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        _write(ALL[name])
