# ruff: noqa: INP001 -- a script, not a package
"""Makes seeds for the fuzz targets out of the recorded lines: `corpus.py FOLDER`.

Each target's seeds are in FOLDER/TARGET. A seed is named by what it holds, so that a second run
adds nothing, and what the fuzzer has found since stays.
"""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("line", "chunks", "summary", "evidence")
CHOICES = 10
"""Sets of prefixes in tests/checks; the first byte of an input chooses one."""
DAMAGES = 9
"""None to eight bytes of a summary or of evidence are damaged; so many are told apart by the first byte."""
STREAM_LINES = 4
"""A stream of so few lines is cheap, and long enough for lines to be cut between others."""


def _recorded_lines() -> Iterator[bytes]:
    """Every third line: the cases hold runs of lines that differ in a number."""
    for file in sorted(ROOT.glob("fixtures/*/lines.log")):
        yield from file.read_bytes().splitlines()[::3]


def _put(folder: Path, seed: bytes) -> None:
    name = hashlib.sha256(seed).hexdigest()[:16]
    (folder / name).write_bytes(seed)


def main() -> None:
    """Write the seeds of all targets."""
    lines = list(_recorded_lines())
    folders = {target: Path(sys.argv[1]) / target for target in TARGETS}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    for number, line in enumerate(lines):
        _put(folders["line"], bytes([number % CHOICES]) + line)
        _put(folders["line"], b"\0" + line)
    for number in range(0, len(lines), STREAM_LINES):
        stream = b"\n".join(lines[number : number + STREAM_LINES])
        _put(folders["chunks"], bytes([0, number // STREAM_LINES % 16]) + stream)
        damages = number // STREAM_LINES % DAMAGES
        for target in ("summary", "evidence"):
            _put(folders[target], bytes([damages, *range(3 * damages)]) + stream)


if __name__ == "__main__":
    main()
