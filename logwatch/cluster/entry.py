"""A BlacklistEntry: one network that is banned, or was, and why.

A rule's entry is made by the escalator, one by hand by anybody who may. What a person wrote wrongly
is no error here: it is the entry's `problem`, which belongs into its status.
"""

import ipaddress
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from logwatch.cluster.api import Document
from logwatch.cluster.errors import cut
from logwatch.cluster.kind import Kind

BLACKLIST_ENTRIES = Kind("calico-logwatch.io", "v1alpha1", "blacklistentries")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Phase = Literal["Observed", "Proposed", "Pending", "Enforced", "Ended", "Refused"]

MESSAGE_MOST, ENDING_MOST = 1024, 128
PORTS_MOST, DESTINATIONS_MOST, KINDS_MOST, SAMPLES_MOST = 20, 8, 16, 5
SAMPLE_MOST, SHAPE_MOST, FORGEABLE_MOST = 1024, 16, 64
"""What the CRD lets a status hold: more of anything would have all of it refused."""

Amount = Annotated[int, Meta(ge=0)]
Moment = Annotated[datetime, Meta(tz=True)]


class EntrySpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is wanted: by a rule, or by hand where there is none."""

    cidr: str
    rule: str = ""
    expires: str | None = None
    """RFC 3339; None is until the entry is deleted."""
    force: bool = False
    """Although something speaks against it that a person may overrule."""
    approved: bool = False
    """A person agrees to what was proposed."""
    reason: str = ""
    """A person's, in their words."""


class EntryEvidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """What speaks against the network."""

    packets: Amount = 0
    ports: tuple[int, ...] = ()
    destinations: tuple[str, ...] = ()
    first: Moment | None = None
    last: Moment | None = None
    shapes: tuple[str, ...] = ()
    forgeable: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    nodes: Amount = 0


class EntryStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of it. All of it may be missing: an entry by hand begins without."""

    phase: Phase | None = None
    mode: Literal["observe", "propose", "enforce"] | None = None
    by: Literal["rule", "hand"] | None = None
    offences: Amount = 0
    decided: Moment | None = field(default=None, name="decidedAt")
    enforced: Moment | None = field(default=None, name="enforcedAt")
    ended: Moment | None = field(default=None, name="endedAt")
    ending: str = ""
    seconds: Amount = 0
    message: str = ""
    evidence: EntryEvidence | None = None


class Entry(msgspec.Struct, frozen=True):
    """An entry as it was read."""

    name: str
    uid: str
    resource_version: str
    generation: int
    """Grows with each change of the spec."""
    created: datetime | None
    is_going: bool
    """Somebody deletes it; it is there only until its finalizers are done."""
    spec: EntrySpec
    network: Network | None
    """What `cidr` says; None where it can't be used."""
    expires: datetime | None
    status: EntryStatus
    problem: str | None
    """Why it can't be carried out, whatever the mode, in one sentence for its status."""
    status_problem: str | None = None
    """Why its status was taken for none: somebody else wrote it."""


class _Metadata(msgspec.Struct):
    name: str
    uid: str = ""
    resource_version: str = field(default="", name="resourceVersion")
    generation: int = 0
    created: Moment | None = field(default=None, name="creationTimestamp")
    deleted: Moment | None = field(default=None, name="deletionTimestamp")


class _Object(msgspec.Struct):
    metadata: _Metadata
    spec: EntrySpec
    status: msgspec.Raw = msgspec.Raw(b"{}")


_DECODER = msgspec.json.Decoder(_Object)
_STATUS_DECODER = msgspec.json.Decoder(EntryStatus)


def read_entry(data: msgspec.Raw | bytes) -> Entry:
    """Read an object of the API, as JSON. What is not known is left out.

    Raises msgspec.MsgspecError for what the CRD lets nobody write.
    """
    found = _DECODER.decode(data)
    network, problem = _network(found.spec.cidr)
    expires, other_problem = _expires(found.spec.expires, found.metadata.created)
    status, status_problem = EntryStatus(), None
    try:
        status = _STATUS_DECODER.decode(found.status)
    except msgspec.MsgspecError as error:
        status_problem = f"its status can't be read ({cut(str(error))}) and is made anew"
    return Entry(
        name=found.metadata.name,
        uid=found.metadata.uid,
        resource_version=found.metadata.resource_version,
        generation=found.metadata.generation,
        created=found.metadata.created,
        is_going=found.metadata.deleted is not None,
        spec=found.spec,
        network=network,
        expires=expires,
        status=status,
        problem=problem or other_problem,
        status_problem=status_problem,
    )


def entry_name(cidr: str) -> str:
    """Give the name for a rule's entry of a network in canonical text: a DNS subdomain (RFC 1123).

    Different networks have different names. Dots of IPv4 stay; `::1:0:0/64` begins with a 0.
    """
    name = cidr.replace(":", "-").replace("/", "-").lower()
    return f"0{name}" if name.startswith("-") else name


def entry_document(spec: EntrySpec, name: str = "") -> Document:
    """Make the object to create; under a name of its own, or that of its network."""
    return _document(name or entry_name(spec.cidr), spec=msgspec.to_builtins(spec))


def status_document(name: str, status: EntryStatus, version: str = "") -> Document:
    """Make the object to apply to the subresource `status`, cut to what the CRD takes.

    With the resourceVersion `version` it is a Conflict where the entry has changed since.
    """
    document = _document(name, status=msgspec.to_builtins(bounded(status)))
    if version:
        document["metadata"]["resourceVersion"] = version
    return document


def bounded(status: EntryStatus) -> EntryStatus:
    """Cut a status to what the CRD takes: what is read back is equal to that."""
    evidence = None if status.evidence is None else _bounded(status.evidence)
    return msgspec.structs.replace(
        status,
        ending=_cut(status.ending, ENDING_MOST),
        message=_cut(status.message, MESSAGE_MOST),
        evidence=evidence,
    )


def time_of(seconds: float) -> datetime:
    """Give the time of Unix seconds, as an entry takes it."""
    return datetime.fromtimestamp(seconds, UTC)


def _document(name: str, **parts: Document) -> Document:
    return {
        "apiVersion": BLACKLIST_ENTRIES.api_version,
        "kind": "BlacklistEntry",
        "metadata": {"name": name},
        **parts,
    }


def _network(text: str) -> tuple[Network | None, str | None]:
    right = "such as 203.0.113.7/32 or 2001:db8:0:1::/64"
    if "%" in text:
        return None, f"cidr {cut(text)!r} has a zone, which means nothing outside its host"
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None, f"cidr {cut(text)!r} is not a network, {right}"
    if isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped:
        return None, f"cidr {text} is IPv4 written as IPv6: write it as IPv4"
    if str(network) != text:
        return None, f"cidr {text!r} is not in its one form: write {network}"
    return network, None


def _expires(text: str | None, created: datetime | None) -> tuple[datetime | None, str | None]:
    if text is None:
        return None, None
    try:
        expires = msgspec.convert(text, Moment)
    except msgspec.ValidationError:
        return None, f"expires {cut(text)!r} is not a time such as 2030-01-31T12:00:00Z"
    if created is not None and expires <= created:
        return expires, f"expires {text} was over when the entry was made: give a later time"
    return expires, None


def _bounded(evidence: EntryEvidence) -> EntryEvidence:
    return msgspec.structs.replace(
        evidence,
        ports=evidence.ports[:PORTS_MOST],
        destinations=evidence.destinations[:DESTINATIONS_MOST],
        shapes=_texts(evidence.shapes[:KINDS_MOST], SHAPE_MOST),
        forgeable=_texts(evidence.forgeable[:KINDS_MOST], FORGEABLE_MOST),
        samples=_texts(evidence.samples[:SAMPLES_MOST], SAMPLE_MOST),
    )


def _texts(texts: Iterable[str], most: int) -> tuple[str, ...]:
    return tuple(_cut(text, most) for text in texts)


def _cut(text: str, most: int) -> str:
    """Shorten; half of a surrogate pair, which no JSON takes, becomes a question mark."""
    with suppress(UnicodeEncodeError):
        text.encode()
        return text[:most]
    return text.encode(errors="replace").decode()[:most]
