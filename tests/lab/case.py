"""What a recorded case is: how it is made, and its expected result, computed from the truth."""

import itertools
import json
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from ipaddress import ip_address
from pathlib import Path

from lab.network import Network
from lab.packet import Packet, Sent
from lab.rsyslog import Rsyslog
from lab.sender import Sender


@dataclass
class Recording:
    """A running network and rsyslogd, and the truth of what a case has done with them so far."""

    network: Network
    sender: Sender
    rsyslog: Rsyslog
    sent: list[Sent] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    def send(self, packets: Iterable[Packet]) -> None:
        """Send packets from outside to eth1; every one makes a line of its own."""
        self.made(self.sender.send(packets))

    def made(self, sent: Iterable[Sent]) -> None:
        """Note what else has been sent, one line a packet."""
        for one in sent:
            self.sent.append(one)
            self.kinds[one.kind] += 1

    def repeated(self, sent: Iterable[Sent]) -> None:
        """Note packets sent in a row where rsyslogd folds equal ones.

        rsyslog, runtime/ratelimit.c: the first is a line; a single second one is a line again;
        more are one `message repeated` line.
        """
        for _, run in itertools.groupby(sent):
            equal = list(run)
            self.sent += equal
            self.kinds["packet"] += min(len(equal), 2) if len(equal) < 3 else 1
            self.kinds["repeated"] += len(equal) > 2

    def lines(self, kind: str, count: int = 1) -> None:
        """Note lines that are no packets."""
        self.kinds[kind] += count


@dataclass(frozen=True)
class Case:
    """One folder of fixtures/. `about` says what is in it and how it was made.

    `prepare` sets up what the kernel speaks about (devices) before rsyslogd starts.
    A case that is `written` by hand gives its file, its truth and its lines by kind instead;
    `lost` is what the lines say of loss, by who says it.
    """

    name: str
    about: str
    make: Callable[[Recording], None] = lambda _: None
    prefixes: tuple[str, ...] = ("calico-packet",)
    rsyslog: dict[str, object] = field(default_factory=dict)
    prepare: Callable[[Network], None] = lambda _: None
    written: Callable[[], tuple[bytes, list[Sent], Counter[str]]] | None = None
    lost: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def expected(
    sent: Iterable[Sent],
    kinds: Counter[str],
    lost: Mapping[str, Mapping[str, int]] | None = None,
) -> dict[str, object]:
    """Return the totals that logwatch must find."""
    flows: dict[tuple[str, int | None, str | None], list[int]] = {}
    for one in sent:
        if one.kind != "packet":
            continue
        assert one.source is not None
        flow = flows.setdefault((one.source, one.port, one.protocol), [0, 0])
        flow[0] += 1
        flow[1] += one.length or 0  # a line cut before LEN does not tell
    rows = [
        {"source": source, "port": port, "protocol": protocol, "packets": packets, "bytes": size}
        for (source, port, protocol), (packets, size) in sorted(flows.items(), key=_order)
    ]
    return {
        "lines": {kind: kinds[kind] for kind in ("packet", "repeated", "odd", "forged", "other")},
        "packets": sum(flow[0] for flow in flows.values()),
        "bytes": sum(flow[1] for flow in flows.values()),
        **({"lost": lost} if lost else {}),
        "flows": rows,
    }


def _order(item: tuple[tuple[str, int | None, str | None], list[int]]) -> tuple[object, ...]:
    (source, port, protocol), (packets, _) = item
    address = ip_address(source)
    return (
        -packets,
        (address.version, int(address)),
        -1 if port is None else port,
        protocol or "",
    )


def write(case: Case, directory: Path, data: bytes, sent: list[Sent], kinds: Counter[str]) -> None:
    """Write the folder of a case."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "lines.log").write_bytes(data)
    settings = {"prefixes": case.prefixes, "rsyslog": case.rsyslog}
    (directory / "case.json").write_text(json.dumps(settings, indent=1) + "\n")
    rows = ",\n".join(json.dumps(asdict(one)) for one in sent)
    (directory / "sent.json").write_text(f"[\n{rows}\n]\n" if sent else "[]\n")
    totals = expected(sent, kinds, case.lost)
    flows = ",\n".join(json.dumps(row) for row in totals.pop("flows"))  # type: ignore[union-attr]
    head = json.dumps(totals)[:-1]
    (directory / "expected.json").write_text(
        f'{head},\n"flows": [\n{flows}\n]}}\n' if flows else f'{head},\n"flows": []}}\n'
    )
    about = textwrap.fill(" ".join(case.about.split()), 100)
    (directory / "about.md").write_text(f"# {case.name}\n\n{about}\n")
