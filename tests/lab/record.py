"""Makes the folders of fixtures/: `python tests/lab/record.py [CASE...]`, as root.

Each case sends packets whose truth is known, lets the kernel log them and the real rsyslogd write
them, checks the number and the order of the lines against the truth, and writes the folder.
"""

import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from ipaddress import ip_address
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # tests/, where `lab` is found

from lab.case import Case, Recording, write
from lab.cases import CASES
from lab.namespace import LabError
from lab.network import Network
from lab.packet import Sent
from lab.recorder import record_named
from lab.rsyslog import Rsyslog

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


def record(case: Case, fixtures: Path) -> str:
    """Record one case and return what it holds, in words."""
    if case.written is not None:
        data, sent, kinds = case.written()
        write(case, fixtures / case.name, data, sent, kinds)
        return told_of(case, sent, kinds)
    with tempfile.TemporaryDirectory(prefix="lab-") as work:
        with Network() as network, network.sender() as sender, ExitStack() as stack:
            case.prepare(network)
            rsyslog = Rsyslog(Path(work), **case.rsyslog)  # type: ignore[arg-type]
            stack.enter_context(rsyslog)
            recording = Recording(network, sender, rsyslog)
            case.make(recording)
            count = recording.kinds.total()
            # What rsyslogd holds back as a repetition it writes when it stops.
            rsyslog.wait_for(count, seconds=3)
            if rsyslog.lost:
                raise LabError(f"{case.name}: the kernel's ring lost {rsyslog.lost} records")
        data = rsyslog.path.read_bytes()
    check(case, data, recording)
    write(case, fixtures / case.name, data, recording.sent, recording.kinds)
    return told_of(case, recording.sent, recording.kinds)


def told_of(case: Case, sent: list[Sent], kinds: Counter[str]) -> str:
    """Return a line about a case for people."""
    lines = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    return f"{case.name}: {len(sent)} packets; {lines}"


def check(case: Case, data: bytes, recording: Recording) -> None:
    """Hold the lines against the truth: as many as were foreseen, and in the order of sending."""
    lines = data.split(b"\n")[:-1]
    if len(lines) != recording.kinds.total():
        kept = Path(tempfile.gettempdir(), f"lab-{case.name}.log")
        kept.write_bytes(data)
        raise LabError(
            f"{case.name}: {len(lines)} lines, expected {dict(recording.kinds)}; see {kept}"
        )
    if recording.kinds["repeated"] or recording.kinds["forged"]:
        return  # the lines are fewer than the packets, or others look the same
    marks = [prefix.encode()[:29] for prefix in case.prefixes]
    packets = [line for line in lines if any(mark in line for mark in marks)]
    for line, sent in zip(packets, recording.sent, strict=True):
        if told(sent) not in line:
            raise LabError(f"{case.name}: sent {sent}, but the kernel's line is\n{line!r}")


def told(sent: Sent) -> bytes:
    """Return the part of the kernel's line that says where from, where to and how long."""
    if sent.source is None or sent.destination is None:
        return b"IN="
    source, destination = (ip_address(end).exploded for end in (sent.source, sent.destination))
    return f"SRC={source} DST={destination} LEN={sent.length} ".encode()


if __name__ == "__main__":
    sys.exit(record_named(CASES, lambda case: record(case, FIXTURES)))
