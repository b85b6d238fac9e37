"""Views with something in every family, at fixed times, and hostile text in the labels."""

import dataclasses
from types import MappingProxyType

from logwatch.export import EscalatorView, InputView, ReportView, View, escalation_counts
from logwatch.ledger import Family, Snapshot

SYSLOG = "/var/log/syslog"


def counted_view() -> View:
    """Make a view with something in every family, and hostile text in the labels."""
    counters = {
        ("lines", ("packet",)): 1234,
        ("lines", ("forged",)): 2,
        ("read_bytes", (SYSLOG,)): 345_678,
        ("read_bytes", ("/var/log/old\udc80\n.log",)): 12,
        ("rotations", (SYSLOG,)): 1,
        ("destroyed_bytes", (SYSLOG,)): 77,
        ("lost_files", (SYSLOG,)): 1,
        ("lost_messages", ("journald", SYSLOG)): 61,
        ("loss_reports", ("journald", SYSLOG)): 2,
        ("loss_reports", ("kernel", SYSLOG)): 1,
        ("overlong_lines", (SYSLOG,)): 5,
        ("evicted_sources", ()): 3,
        ("offences", ("ports",)): 4,
        ("offences", ('a "rule" of yore',)): 1,
        ("bans", ("ports", "enforce")): 2,
        ("dropped_audit_lines", ()): 6,
        ("bans_refused", ("protected",)): 3,
    }
    for seconds in (0.02, 0.3, 0.4, 1000.0):
        for name, labels, by in escalation_counts(seconds):
            counters[name, labels] = counters.get((name, labels), 0) + by
    families = {
        "denied": Family(
            {
                ("deny-nodeports", "eth1", "tcp", "4"): (1200, 72_000),
                ('quo"ted\\', "\x00\udcff\n", "udp", "6"): (30, 2400),
            },
            (9, 540),
        ),
        "logged": Family({("log-denied-packets", "eth1", "tcp", "4"): (70, 4200)}),
        "port": Family({("tcp", "22"): (1200, 72_000), ("icmp", ""): (30, 2400)}, (9, 540)),
        "source": Family(
            {("203.0.113.7",): (1200, 72_000), ("2001:db8::1",): (30, 2400)}, (9, 540)
        ),
        "flow": Family({("203.0.113.7", "tcp", "22"): (1200, 72_000)}, (39, 2940)),
    }
    return View(
        Snapshot(MappingProxyType(counters), MappingProxyType(families)),
        ready=True,
        inputs=(
            InputView(SYSLOG, 42, 1_700_000_000.25, 7.5),
            InputView("/var/log/kern.log", is_readable=False),
        ),
        is_durable=False,
        mode="enforce",
        sources=17,
        rules=("packets", "ports"),
        bans=(("packets", "observe"), ("ports", "observe")),
        refusals=("protected", "too_many"),
        entries={"observed": 2, "enforced": 0},
        networks={"decided": 2, "enforced": 1},
        http_refusals={"crowd": 0, "token": 4},
        certificate_ends=1_800_000_000.0,
        frozen=True,
        held=7,
        tracked=812,
    )


def node_view() -> View:
    """Give that of an agent in a cluster, whose report has been written."""
    return dataclasses.replace(counted_view(), report=ReportView(("written", "refused"), 4096, 7))


def cluster_view() -> EscalatorView:
    """Give that of an escalator that leads."""
    counters = {
        ("offences", ("ports",)): 4,
        ("bans", ("ports", "enforce")): 2,
        ("bans_refused", ("node",)): 3,
        ("left_out_reports", ()): 1,
        ("drift", ()): 2,
    }
    for name, labels, by in escalation_counts(0.3):
        counters[name, labels] = by
    return EscalatorView(
        Snapshot(MappingProxyType(counters)),
        mode="propose",
        rules=("ports",),
        bans=(("ports", "propose"),),
        refusals=("node", "operator"),
        entries={"proposed": 2},
        networks={"decided": 2, "enforced": 1},
        http_refusals={"handshake": 5},
        tracked=812,
        leader=True,
        reports=3,
        requests=(("get", "nodereports", 12), ("patch", 'quo"ted', 1)),
    )
