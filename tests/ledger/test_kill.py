"""`kill -9` at random instants leaves position and totals that belong together."""

import os
import random
import subprocess
import sys
from pathlib import Path

from logwatch.ledger import Ledger, SeriesLimits

LIMITS = SeriesLimits(policy=4, port=8, source=8, flow=8)

WRITER = """
import sys
from pathlib import Path
from logwatch.ledger import Ledger, SeriesLimits
from offenders.packets import Sent, policies, summary

limits = SeriesLimits(policy=4, port=8, source=8, flow=8)
ledger = Ledger.open(Path(sys.argv[1]), limits=limits, boot_id="one")
position = int(ledger.checkpoint("log") or b"0")
while True:
    sent = [
        Sent(f"203.0.113.{line % 20}", line % 7, line % 4 + 1, interface=f"eth{line % 9}")
        for line in range(position, position + 50)
    ]
    position += 50
    counted = summary(sent)
    ledger.add(counted, policies(counted), 1.7e9 + position)
    ledger.count("lines", ("packet",), 50)
    ledger.commit({"log": b"%d" % position}, {"bans": {str(position): b"{}"}})
    print(position, flush=True)
"""


def packets_of(lines: int) -> int:
    """Count what the first so many lines hold: 1, 2, 3, 4, 1, 2 ... packets."""
    return sum(line % 4 + 1 for line in range(lines))


def check(ledger: Ledger, position: int) -> None:
    """All that is durable speaks of the same position."""
    assert position == ledger.snapshot.counter("lines", "packet")
    assert ({str(position)} if position else set()) == ledger.documents("bans").keys()
    for name in ("denied", "port", "source", "flow"):
        packets = packets_of(position)
        assert (packets, packets * 60) == ledger.snapshot.families[name].total, name


def test_a_killed_writer_leaves_a_consistent_prefix(tmp_path: Path) -> None:
    """Thirty kills, each followed by a reopening that goes on from the position it finds."""
    instants = random.Random(20240905)
    reached = 0
    for _ in range(30):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, tmp_path],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
        ) as writer:
            assert writer.stdout is not None
            printed = [writer.stdout.readline()]
            try:
                writer.wait(instants.uniform(0, 0.05))
            except subprocess.TimeoutExpired:
                writer.kill()
            printed += writer.stdout.readlines()
        assert -9 == writer.returncode
        ledger = Ledger.open(tmp_path, limits=LIMITS, boot_id="one")
        assert ledger.set_aside is None
        position = int(ledger.checkpoint("log") or b"0")
        told = max((int(line) for line in printed if line.endswith(b"\n")), default=0)
        assert position >= told > reached
        check(ledger, position)
        reached = position
        ledger.close()
    assert reached > 30 * 50
