"""Writes docs/metrics.md: a row for each metric family, of what the collectors make.

What the code can't tell, when to look at a family, stands here; without it nothing is written.
"""

import sys
from collections.abc import Iterable, Iterator
from itertools import takewhile

from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from logwatch.export import EscalatorCollector, EscalatorView, InputView, Metrics, ReportView, View
from logwatch.ledger import Snapshot

WHEN = {
    "logwatch_build_info": "after an update: do all nodes have it?",
    "logwatch_mode_info": "before you wonder why nobody is banned",
    "logwatch_ready": "always; [/readyz](operations.md#logwatchnotready) tells the reason",
    "logwatch_http_refusals_total": "when a scrape fails, or somebody tries to read who may not",
    "logwatch_certificate_expires_timestamp_seconds": "always with TLS: alert some days ahead",
    "logwatch_state_durable": "always: while it is 0, a crash loses counts and bans",
    "logwatch_input_readable": "always: 0 is a node that nobody watches",
    "logwatch_sources": "in an attack: few sources, or a flood?",
    "logwatch_lines_total": "when packets are missing: `odd` is a changed format, `other` alone a "
    "log without packets, `forged` somebody who pretends to be the kernel",
    "logwatch_read_bytes_total": "when nothing is counted: does the log grow at all?",
    "logwatch_behind_bytes": "in a storm: does the reader keep up?",
    "logwatch_behind_seconds": "the same, as time; also after a stop",
    "logwatch_last_packet_timestamp_seconds": "when a node shows nothing: since when?",
    "logwatch_rotations_total": "when lines are missing around a rotation",
    "logwatch_truncations_total": "with copytruncate: what was not read by then is lost",
    "logwatch_destroyed_bytes_total": "always: it should stay 0",
    "logwatch_lost_files_total": "always: it should stay 0",
    "logwatch_lost_messages_total": "always: how much is missing, at least",
    "logwatch_loss_reports_total": "always: counts are too low while it grows",
    "logwatch_overlong_lines_total": "when `lines_total` of the kind `other` grows",
    "logwatch_offences_total": "when you tune rules: which one fires?",
    "logwatch_bans_total": "every day: who was banned by what",
    "logwatch_bans_refused_total": "when somebody is not banned; `translated address` and "
    "`node` are a wrong setup",
    "logwatch_dropped_audit_lines_total": "always, if the audit log is evidence",
    "logwatch_tracked_sources": "when it comes near `tracked_sources`",
    "logwatch_evicted_sources_total": "in a flood: while it grows, slow scanners may be missed",
    "logwatch_bans_held": "in an attack: how many the brakes hold back",
    "logwatch_frozen": "in an attack: 1 means that you have to decide",
    "logwatch_blacklist_entries": "every day: how many, and in which phase",
    "logwatch_blacklist_networks": "always in mode enforce: both numbers should be the same",
    "logwatch_escalation_seconds": "after a change: is a ban still written within a second?",
    "logwatch_report_writes_total": "in a cluster: only `written` and `repeated` should grow",
    "logwatch_report_bytes": "in a cluster: near 262,144 sources are cut",
    "logwatch_report_cut_sources": "in a flood: how many the escalator does not hear of",
    "logwatch_denied_packets_total": "every day: what is denied, by which policy; alert on it",
    "logwatch_denied_bytes_total": "when a link is full",
    "logwatch_logged_packets_total": "when a policy only logs: who would be denied by it",
    "logwatch_denied_packets_by_port_total": "what do they want?",
    "logwatch_denied_packets_by_source_total": "who is it?",
    "logwatch_denied_packets_by_flow_total": "who wants what?",
    "logwatch_leader": "always: exactly one 1 in a cluster",
    "logwatch_node_reports": "after a node was added: does it report?",
    "logwatch_api_requests_total": "when the API server is slow: is it us?",
    "logwatch_left_out_reports_total": "always: it should stay 0",
    "logwatch_drift_total": "when the sets change by themselves: who else writes?",
}

UNITS = ("seconds", "bytes", "packets", "sources", "lines", "files", "messages", "networks")
"""Of a name's words, the one that is its unit; the last one counts."""

OTHER_UNITS = {
    "logwatch_ready": "0 or 1",
    "logwatch_state_durable": "0 or 1",
    "logwatch_input_readable": "0 or 1",
    "logwatch_frozen": "0 or 1",
    "logwatch_leader": "0 or 1",
    "logwatch_build_info": "1",
    "logwatch_mode_info": "1",
    "logwatch_last_packet_timestamp_seconds": "seconds since 1970",
    "logwatch_rotations_total": "rotations",
    "logwatch_truncations_total": "truncations",
    "logwatch_loss_reports_total": "reports",
    "logwatch_offences_total": "offences",
    "logwatch_bans_total": "bans",
    "logwatch_bans_refused_total": "bans",
    "logwatch_bans_held": "offenders",
    "logwatch_blacklist_entries": "entries",
    "logwatch_node_reports": "nodes",
    "logwatch_api_requests_total": "requests",
    "logwatch_report_writes_total": "reports",
    "logwatch_left_out_reports_total": "reports",
    "logwatch_drift_total": "changes",
    "logwatch_http_refusals_total": "refusals",
    "logwatch_certificate_expires_timestamp_seconds": "seconds since 1970",
}

HEAD = """\
# Metrics

Every family on `/metrics`, port 9137, and when to look at it. `docs/metrics.py` makes this page
of the code. What a label's values mean, and what is not counted, is in the family's help text,
beside it on `/metrics`. The label `le` of histograms is left out here.

The sums over `denied_packets_total` and over each `denied_packets_by_..._total` are the same:
what has no series of its own is in `other`. When a series gives up its place `other` jumps, so
alert on the first one. A log that is limited by a rate (Calico, the kernel, the log daemon) makes
all of them a lower bound. Counters survive a restart of the agent and begin at zero with a new
boot; those of the escalator begin with its process.

A series appears with its first packets: `rate()` and `increase()` see what comes after them. For
what came in a time take the value less the one before it: `x - (x offset 1h <= x or 0 * x)`.

[Alerts and the dashboard](operations.md) are made of these. Besides, there are
`process_cpu_seconds_total`, `process_resident_memory_bytes`, `process_open_fds` and their like,
as of any process.
"""

DECIDED = """\
Of whoever decides: the escalator, or an agent on its own

An agent of a cluster has them too, and decides nothing: it counts what fulfilled a rule on its
node, the sources with evidence and those that made room; the others stay 0."""


def main() -> None:
    """Write the page to standard output."""
    page = [HEAD]
    agent = {family.name: family for family in _agent()}
    escalator = {family.name: family for family in _escalator()}
    both = [name for name in agent if name in escalator]
    # An agent's own stand between what any program has and what is decided.
    every = list(takewhile(escalator.__contains__, agent))
    for title, names in (
        ("Of each agent and escalator", every),
        ("Of the agent", [name for name in agent if name not in both]),
        ("Of the escalator", [name for name in escalator if name not in both]),
        (DECIDED, [name for name in both if name not in every]),
    ):
        page += [f"\n## {title}\n\n", *_table((agent | escalator)[name] for name in names)]
    sys.stdout.write("".join(page))


def _agent() -> Iterator[Metric]:
    inputs = (InputView("syslog", last_packet=1.0),)
    report = ReportView(("written",), size=1)
    view = View(Snapshot(), **_decided(), inputs=inputs, report=report)
    return _ours(Metrics(lambda: view, version="1"))


def _escalator() -> Iterator[Metric]:
    view = EscalatorView(Snapshot(), **_decided(), requests=(("get", "nodes", 1),))
    collector = EscalatorCollector
    return _ours(Metrics(lambda: view, version="1", collector=collector, families=()))


def _decided() -> dict[str, object]:
    """Give a sample to each family that has none without being told its labels."""
    return {
        "rules": ("ports",),
        "bans": (("ports", "observe"),),
        "refusals": ("node",),
        "entries": {"observe": 1},
        "networks": {"decided": 1},
        "http_refusals": {"token": 1},
        "certificate_ends": 1.0,
    }


def _ours(metrics: Metrics) -> Iterator[Metric]:
    for family in text_string_to_metric_families(metrics.render()[0].decode()):
        if family.name.startswith("logwatch_"):
            yield family


def _table(families: Iterable[Metric]) -> Iterator[str]:
    yield "| family | type | labels | unit | look at it |\n|---|---|---|---|---|\n"
    for family in families:
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = sorted({label for sample in family.samples for label in sample.labels} - {"le"})
        shown = " ".join(f"`{label}`" for label in labels)
        yield f"| `{name}` | {family.type} | {shown} | {_unit(name)} | {WHEN[name]} |\n"


def _unit(name: str) -> str:
    words = [word for word in name.split("_") if word in UNITS]
    return OTHER_UNITS.get(name) or words[-1]


if __name__ == "__main__":
    main()
