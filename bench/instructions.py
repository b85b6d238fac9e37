"""Counts the instructions that the core spends on a line, and fails when they became more.

Valgrind's callgrind counts them, which repeats where times do not. It shows the program a processor
without AVX-512, so code for that is not what is counted; other than that, figures hold for one kind
of processor and one compiler. A figure is the difference of two runs, so start-up cancels out.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from corpora import MIXED, STORM, V6, Corpus

HERE = Path(__file__).parent
RECORDED = HERE / "instructions.json"
CORPORA = (STORM, MIXED, V6)
FEW, MANY = 10_000, 20_000
"""Lines; callgrind takes a second for them."""
TOLERANCE = 0.05
"""What another version of the compiler may well change."""
_RECORD = "python bench/instructions.py --record"


def judge(recorded: Mapping[str, float], counted: Mapping[str, float]) -> tuple[list[str], bool]:
    """Say how counted figures stand to the recorded ones, and whether all of them will do."""
    said, good = [], True
    for name, figure in counted.items():
        if name not in recorded:
            said.append(f"{name}: {figure:,.1f} instructions a line, none recorded; run {_RECORD}")
            good = False
            continue
        change = figure / recorded[name] - 1
        text = (
            f"{name}: {figure:,.1f} instructions a line, {recorded[name]:,.1f} recorded"
            f" ({change:+.1%})"
        )
        if change > TOLERANCE:
            text += f": more than {TOLERANCE:.0%} above; if that has its reason, run {_RECORD}"
            good = False
        elif change < -TOLERANCE:
            text += f": more than {TOLERANCE:.0%} below; keep the gain, run {_RECORD}"
        said.append(text)
    return said, good


def collected(said: str) -> int:
    """Read callgrind's count from what it wrote to stderr."""
    found = re.search(r"^==\d+== Collected : (\d+)$", said, re.MULTILINE)
    if not found:
        sys.exit(f"callgrind counted nothing:\n{said[-2000:]}")
    return int(found[1])


def _build() -> str:
    """Build the example and return where cargo has put it."""
    built = subprocess.run(
        [
            *("cargo", "build", "--quiet", "--release", "--message-format", "json"),
            *("--manifest-path", str(HERE.parent / "rust/Cargo.toml")),
            *("--package", "logwatch-core", "--example", "instructions"),
        ],
        check=False,
        stdout=subprocess.PIPE,
    )
    messages = [json.loads(line) for line in built.stdout.splitlines()]
    if built.returncode:
        errors = [message["message"]["rendered"] for message in messages if "message" in message]
        sys.exit(f"cargo build failed\n{''.join(errors)}")
    return next(str(message["executable"]) for message in messages if message.get("executable"))


def _run(program: str, path: Path, answer: str) -> int:
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, str(path)],
        capture_output=True,
        check=False,
        text=True,
    )
    if done.stdout.strip() != answer:
        sys.exit(f"{path.name}: {done.stdout!r} instead of {answer!r}\n{done.stderr[-2000:]}")
    return collected(done.stderr)


def _instructions_a_line(program: str, corpus: Corpus, directory: Path) -> float:
    lines = list(corpus.first(MANY))
    counts = []
    for count in (FEW, MANY):
        path = directory / f"{corpus.name}-{count}.log"
        path.write_text("".join(islice(lines, count)), encoding="ascii")
        packets = count * corpus.packets // corpus.lines
        counts.append(_run(program, path, f"{count} {packets}"))
    return round((counts[1] - counts[0]) / (MANY - FEW), 1)


def main() -> None:
    """Count, then judge or record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="write the figures down as right")
    record = parser.parse_args().record
    for command in ("cargo", "valgrind"):
        if not shutil.which(command):
            sys.exit(f"{command} is missing: `make instructions` installs valgrind")
    program = _build()
    with tempfile.TemporaryDirectory() as directory:
        counted = {
            corpus.name: _instructions_a_line(program, corpus, Path(directory))
            for corpus in CORPORA
        }
    if record:
        RECORDED.write_text(json.dumps(counted, indent=2) + "\n", encoding="ascii")
    recorded = json.loads(RECORDED.read_text(encoding="ascii")) if RECORDED.exists() else {}
    said, good = judge(recorded, counted)
    print("\n".join(said))
    sys.exit(not good)


if __name__ == "__main__":
    main()
