"""Makes the folders of fixtures/scans/: `python tests/lab/record_scans.py [CASE...]`, as root.

Real tools send, the kernel logs, the real rsyslogd writes. What was sent is seen on the wire, and
the lines are held against it, before a folder is written. `lines.log` is an archive where it is
large.
"""

import gzip
import json
import sys
import tempfile
import textwrap
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # tests/, where `lab` is found

from lab.case import expected
from lab.cases.scans import CASES, MADE, ScanCase, Scene
from lab.namespace import LabError, require
from lab.network import Network
from lab.packet import Sent
from lab.record import FIXTURES, told
from lab.recorder import record_named
from lab.rsyslog import Rsyslog
from lab.wire import Wire

PREFIX = "calico-packet"
RSYSLOG = {"template": "file"}
PLAIN_MOST = 100_000
"""Bytes of a file that is written as it is."""


def record(case: ScanCase) -> str:
    """Record one case and return what it holds, in words."""
    require(*case.programs)
    with tempfile.TemporaryDirectory(prefix="lab-") as work, ExitStack() as stack:
        network = stack.enter_context(Network())
        rsyslog = stack.enter_context(Rsyslog(Path(work), **RSYSLOG))  # type: ignore[arg-type]
        wire = stack.enter_context(Wire(network.node, "eth1"))
        scene = Scene(network, wire)
        try:
            case.make(scene)
        finally:
            for process in scene.started:
                process.terminate()
                process.wait()
        network.outside.ip("link set eth0 down")  # what would be sent again, or waits to be
        time.sleep(0.1)  # what has passed is on its way through the kernel
        sent = wire.take()
        rsyslog.wait_for(len(sent), containing=PREFIX.encode())
        if rsyslog.lost:
            raise LabError(f"{case.name}: the kernel's ring lost {rsyslog.lost} records")
        lines = [line for line in rsyslog.lines() if PREFIX.encode() in line]
    if not sent:
        raise LabError(f"{case.name}: nothing was sent")
    check(case, lines, sent)
    write(case, FIXTURES / "scans" / case.name, lines, sent)
    return f"{case.name}: {len(sent)} packets"


def check(case: ScanCase, lines: list[bytes], sent: list[Sent]) -> None:
    """Hold the lines against the wire. Of two senders at once the order may differ."""
    texts = [b"SRC=" + line.partition(b"SRC=")[2] for line in lines]
    found = Counter(text[: text.index(b"LEN=")] for text in texts)
    truth = Counter(told(one).partition(b"LEN=")[0] for one in sent)
    if found != truth:
        differing = (found - truth) + (truth - found)
        raise LabError(
            f"{case.name}: {len(lines)} lines of {len(sent)} packets;"
            f" differing {differing.most_common(5)}"
        )


def write(case: ScanCase, directory: Path, lines: list[bytes], sent: list[Sent]) -> None:
    """Write the folder of a case."""
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.iterdir():
        old.unlink()
    totals = expected(sent, Counter(packet=len(sent)))
    flows = ",\n".join(json.dumps(row) for row in totals.pop("flows"))  # type: ignore[union-attr]
    text = f'{json.dumps(totals)[:-1]},\n"flows": [\n{flows}\n]}}\n'
    _write(directory / "lines.log", b"".join(line + b"\n" for line in lines))
    _write(directory / "expected.json", text.encode())
    settings = {"prefixes": [PREFIX], "rsyslog": RSYSLOG}
    (directory / "case.json").write_text(json.dumps(settings, indent=1) + "\n")
    about = textwrap.fill(" ".join(f"{case.about} {MADE}.".split()), 100)
    (directory / "about.md").write_text(f"# {case.name}\n\n{about}\n")


def _write(path: Path, data: bytes) -> None:
    if len(data) <= PLAIN_MOST:
        path.write_bytes(data)
    else:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(data, 9, mtime=0))


if __name__ == "__main__":
    sys.exit(record_named(CASES, record))
