"""A NodeReport: what one node saw, as its agent writes it for the escalator.

The evidence in it is bytes that only `logwatch._core` reads. A report is never larger than
OBJECT_MOST: etcd, and whoever lists those of all nodes, have to bear them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from logwatch.cluster.api import Document
from logwatch.cluster.errors import cut
from logwatch.cluster.kind import Kind
from logwatch.cluster.lease import moment
from logwatch.errors import LogwatchError

NODE_REPORTS = Kind("calico-logwatch.io", "v1alpha1", "nodereports")

OBJECT_MOST = 256 * 1024
"""Bytes of a whole object. 1,000 reports are 256 MiB in etcd at the most; its default is 2 GiB."""

EVIDENCE_MOST = 180 * 1024
"""Bytes of evidence. In base64 they leave 16 KiB of the object for all the rest."""

REPORT_MANAGER = "logwatch-agent"
"""The field manager by which agents write their reports."""

TOP_MOST = 10
"""Sources that are shown to people."""

COUNTED_MOST = 10
"""Policies, sources and ports that are counted by name."""

NAME_MOST = 64
"""Characters of a policy's name: more than a prefix of the kernel's has."""

LINES_MOST = 2
"""Lines of each of them."""

LINE_MOST = 512
"""Bytes of a line."""

LINES_BYTES_MOST = 5 * 1024
"""Bytes of all lines as JSON. With evidence and all the rest at their longest that still fits."""

Amount = Annotated[int, Meta(ge=0)]
Moment = Annotated[datetime, Meta(tz=True)]


class NodeReportError(LogwatchError, ValueError):
    """An object is no report that can be used, or none can be made of these values.

    A ValueError, so that a Cache tells of it and keeps the others.
    """


class TopSource(msgspec.Struct, frozen=True, omit_defaults=True):
    """How near a source is to a rule."""

    source: str
    rule: str
    reached: Amount
    threshold: Amount
    samples: tuple[str, ...] = ()
    """Lines of it, for people: as they were written, but for what can't be printed."""


class PolicyCount(msgspec.Struct, frozen=True):
    """Packets of one policy."""

    policy: str
    action: str
    """`denied` or `logged`."""
    packets: Amount


class SourceCount(msgspec.Struct, frozen=True):
    """Denied packets of one source."""

    source: str
    packets: Amount
    bytes: Amount


class PortCount(msgspec.Struct, frozen=True):
    """Denied packets to one port, both as the metrics' labels name them."""

    protocol: str
    port: str
    packets: Amount


class Counted(msgspec.Struct, frozen=True):
    """What the node counted since its counters began, largest first: for people to see."""

    packets: Amount = 0
    """Denied ones."""
    bytes: Amount = 0
    logged: Amount = 0
    """Packets that were logged only."""
    policies: tuple[PolicyCount, ...] = ()
    sources: tuple[SourceCount, ...] = ()
    ports: tuple[PortCount, ...] = ()

    def bounded(self) -> "Counted":
        """Cut to what a report takes; what came from a report stays as it is."""
        return Counted(
            self.packets,
            self.bytes,
            self.logged,
            tuple(
                PolicyCount(_shown(each.policy), each.action, each.packets)
                for each in self.policies[:COUNTED_MOST]
            ),
            self.sources[:COUNTED_MOST],
            self.ports[:COUNTED_MOST],
        )


class NodeReport(msgspec.Struct, frozen=True):
    """One node's report. Times have a zone."""

    node: Annotated[str, Meta(min_length=1, max_length=253)]
    written: Moment
    """By the clock of the node."""
    version: str
    """Of the agent."""
    started: Moment
    """When the agent was."""
    evidence: bytes
    """What `logwatch._core.Evidence.to_bytes` gives, as it is."""
    sources: Amount
    """How many there are in the evidence."""
    cut: Amount
    """How many had no room in it."""
    top: tuple[TopSource, ...] = ()
    """Nearest first."""
    counted: Counted = Counted()
    stored: datetime | None = None
    """When the API server took it, to the second, by its clock; None where that is not known."""

    @property
    def time(self) -> float:
        """How old its evidence is at least: by the API server's clock where that is known."""
        return (self.stored or self.written).timestamp()

    def is_as(self, other: "NodeReport") -> bool:
        """Whether it says the same, but for when it was written."""
        return self == msgspec.structs.replace(other, written=self.written, stored=self.stored)

    def document(self) -> Document:
        """Make the object. Raises NodeReportError where it would be too large."""
        if len(self.evidence) > EVIDENCE_MOST:
            raise NodeReportError(
                f"the evidence of {self.node} has {len(self.evidence)} bytes, but a report takes"
                f" {EVIDENCE_MOST}: cut it"
            )
        spec = {
            "node": self.node,
            "written": moment(self.written),
            "agent": {"version": self.version[:64], "started": moment(self.started)},
            "evidence": self.evidence,
            "sources": self.sources,
            "cut": self.cut,
            "top": _bounded(self.top),
            "counted": self.counted.bounded(),
        }
        built: Document = msgspec.to_builtins(
            {
                "apiVersion": NODE_REPORTS.api_version,
                "kind": "NodeReport",
                "metadata": {"name": self.node},
                "spec": spec,
            }
        )
        return built


class _Agent(msgspec.Struct):
    version: str
    started: Moment


class _Spec(msgspec.Struct):
    node: Annotated[str, Meta(min_length=1, max_length=253)]
    written: Moment
    agent: _Agent
    evidence: bytes
    sources: Amount
    cut: Amount
    top: list[TopSource] = []
    counted: Counted = Counted()


class _Managed(msgspec.Struct):
    manager: str = ""
    time: Moment | None = None


class _Metadata(msgspec.Struct):
    name: str
    managed: list[_Managed] = msgspec.field(default=[], name="managedFields")


class _Object(msgspec.Struct):
    metadata: _Metadata
    spec: _Spec


_DECODER = msgspec.json.Decoder(_Object)


def lines_by_source(reports: Iterable[NodeReport]) -> dict[str, tuple[str, ...]]:
    """Bring together the lines of each source: first one of each node, by their names."""
    found: dict[str, list[tuple[int, str, str]]] = {}
    for report in reports:
        for each in report.top:
            for number, line in enumerate(each.samples):
                found.setdefault(each.source, []).append((number, report.node, line))
    return {
        source: tuple(dict.fromkeys(line for *_, line in sorted(lines)))
        for source, lines in found.items()
    }


def read_report(data: msgspec.Raw | bytes) -> NodeReport:
    """Read an object of the API, as JSON. Raises NodeReportError, which says what is wrong."""
    if len(memoryview(data)) > OBJECT_MOST:
        raise NodeReportError(
            f"the report has {len(memoryview(data))} bytes, more than {OBJECT_MOST}: no agent"
            " writes such"
        )
    try:
        found = _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NodeReportError(f"the report is damaged: {cut(str(error))}") from None
    spec, name = found.spec, found.metadata.name
    if spec.node != name:
        raise NodeReportError(
            f"the report {cut(name)} says that it is of node {cut(spec.node)}: its agent writes it"
            " under the node's own name"
        )
    if len(spec.evidence) > EVIDENCE_MOST:
        raise NodeReportError(
            f"the evidence of {name} has {len(spec.evidence)} bytes, more than {EVIDENCE_MOST}"
        )
    return NodeReport(
        node=name,
        written=spec.written,
        version=spec.agent.version,
        started=spec.agent.started,
        evidence=spec.evidence,
        sources=spec.sources,
        cut=spec.cut,
        top=_bounded(spec.top),
        counted=spec.counted.bounded(),
        stored=max(
            (
                each.time
                for each in found.metadata.managed
                if each.manager == REPORT_MANAGER and each.time
            ),
            default=None,
        ),
    )


def _bounded(top: Sequence[TopSource]) -> tuple[TopSource, ...]:
    """Cut to what a report takes; what came from a report stays as it is."""
    left = LINES_BYTES_MOST
    bounded = []
    for each in top[:TOP_MOST]:
        samples = []
        for line in map(_line, each.samples[:LINES_MOST]):
            left -= len(msgspec.json.encode(line))
            if left >= 0:
                samples.append(line)
        bounded.append(msgspec.structs.replace(each, samples=tuple(samples)))
    return tuple(bounded)


def _line(text: str) -> str:
    """Make a line fit for a terminal, of whole characters in at most LINE_MOST bytes."""
    return _printed(text).encode()[:LINE_MOST].decode(errors="ignore")


def _shown(name: str) -> str:
    return _printed(name)[:NAME_MOST]


def _printed(text: str) -> str:
    return "".join(each if each.isprintable() else "\ufffd" for each in text)
