"""Each alert fires when it should and not when it should not, by promtool's own evaluation."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from lab.namespace import run
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rules.yaml"
RUNBOOK = ROOT / "docs" / "operations.md"

DENIED = 'logwatch_denied_packets_total{instance="a",policy="p"}'
BY_SOURCE = 'logwatch_denied_packets_by_source_total{instance="a",source="203.0.113.%d"}'
LINES = 'logwatch_lines_total{instance="a",kind="%s"}'
NETWORKS = 'logwatch_blacklist_networks{instance="a",state="%s"}'
MODE = 'logwatch_mode_info{instance="a",mode="%s"}'
LEADER = 'logwatch_leader{instance="%s"}'
REFUSED = 'logwatch_bans_refused_total{instance="a",reason="%s"}'
REPORTS = 'logwatch_report_writes_total{instance="a",result="%s"}'
EXPIRES = 'logwatch_certificate_expires_timestamp_seconds{instance="a"}'
READ = 'logwatch_read_bytes_total{instance="a",input="%s"}'
LOST = 'logwatch_loss_reports_total{instance="a",by="kernel",input="/var/log/syslog"}'
SYSLOG = 'instance="a",input="/var/log/syslog"'

Series = dict[str, str]
"""Samples a minute apart, in promtool's notation, by series."""

# A day of 6 packets a minute, then 1,200 a minute.
JUMP = "0+6x1500 10200+1200x60"


@dataclass(frozen=True)
class Case:
    """What makes an alert fire at a time, with which labels; and what does not."""

    alert: str
    at: str
    fires: Series
    labels: dict[str, str] = field(default_factory=dict)
    quiet: list[Series] = field(default_factory=list)


NODE = {"instance": "a"}
INPUT = {**NODE, "input": "/var/log/syslog"}

CASES = [
    Case(
        "LogwatchDeniedJump",
        "1515m",
        {DENIED: JUMP},
        quiet=[
            {DENIED: "0+6x1600"},
            {DENIED: "0+6x1500 9000+400x60"},  # much for this cluster, but not much
            {DENIED: "0+1200x1600"},  # much, as ever
            {DENIED: "_x1490 0+1200x60"},  # no past to compare with
        ],
    ),
    Case(
        "LogwatchNewSource",
        "1510m",
        {
            DENIED: "0+66x1600",
            BY_SOURCE % 1: "0+6x1600",
            BY_SOURCE % 2: "_x1500 0+60x100",
        },
        {"source": "203.0.113.2"},
        quiet=[
            {
                DENIED: "0+66x1600",
                BY_SOURCE % 1: "0+60x1600",
                BY_SOURCE % 2: "0+60x400 24000+0x1100 24000+60x100",  # it was there in the morning
            },
            {DENIED: "0+66x1600", BY_SOURCE % 2: "_x1500 0+1x100"},  # one packet a minute
            {DENIED: "_x1490 0+66x60", BY_SOURCE % 2: "_x1490 0+60x60"},  # all are new at first
        ],
    ),
    Case(
        "LogwatchDown",
        "6m",
        {'up{job="calico-logwatch/logwatch-agent",instance="a"}': "0x10"},
        {**NODE, "job": "calico-logwatch/logwatch-agent"},
        quiet=[{'up{job="logwatch",instance="a"}': "1x10"}, {'up{job="node"}': "0x10"}],
    ),
    Case(
        "LogwatchInputUnreadable",
        "6m",
        {f"logwatch_input_readable{{{SYSLOG}}}": "0x10"},
        INPUT,
        quiet=[
            {f"logwatch_input_readable{{{SYSLOG}}}": "1x10"},
            {f"logwatch_input_readable{{{SYSLOG}}}": "1 1 1 0 1 1 1 1"},  # while it is rotated
        ],
    ),
    Case(
        "LogwatchLinesUnread",
        "30m",
        {LINES % "odd": "0+5x40", LINES % "packet": "70x40"},
        NODE,
        quiet=[
            {LINES % "odd": "0+5x40", LINES % "packet": "0+1x40"},
            {LINES % "odd": "9x40", LINES % "packet": "70x40", LINES % "other": "0+9x40"},
        ],
    ),
    Case(
        "LogwatchPacketsStopped",
        "1000m",
        {LINES % "packet": "0+1x500 500x600", LINES % "other": "0+1x1100"},
        NODE,
        quiet=[
            {LINES % "packet": "0+1x1100", LINES % "other": "0+1x1100"},
            {LINES % "packet": "0x1100", LINES % "other": "0+1x1100"},  # there never were any
            {LINES % "packet": "0+1x500 500x600", LINES % "other": "9x1100"},  # another alert's
        ],
    ),
    Case(
        "LogwatchLogSilent",
        "70m",
        {READ % "/var/log/syslog": "9x80"},
        INPUT,
        quiet=[
            {READ % "/var/log/syslog": "0+9x80"},
            {READ % "/dev/kmsg": "9x80"},
            {
                READ % "/var/log/syslog": "9x80",
                f"logwatch_input_readable{{{SYSLOG}}}": "0x80",  # another alert's
            },
        ],
    ),
    Case(
        "LogwatchMessagesLost",
        "10m",
        {LOST: "0x5 1x10"},
        {**NODE, "by": "kernel"},
        quiet=[{LOST: "4x15"}],
    ),
    Case(
        "LogwatchLinesDestroyed",
        "10m",
        {f"logwatch_lost_files_total{{{SYSLOG}}}": "0x5 1x10"},
        NODE,
        quiet=[
            {
                f"logwatch_lost_files_total{{{SYSLOG}}}": "1x15",
                f"logwatch_destroyed_bytes_total{{{SYSLOG}}}": "70x15",
            }
        ],
    ),
    Case(
        "LogwatchReaderBehind",
        "10m",
        {f"logwatch_behind_seconds{{{SYSLOG}}}": "61x15"},
        INPUT,
        quiet=[
            {f"logwatch_behind_seconds{{{SYSLOG}}}": "59x15"},
            {f"logwatch_behind_seconds{{{SYSLOG}}}": "900 600 300 0x15"},  # it catches up
        ],
    ),
    Case(
        "LogwatchStateNotDurable",
        "3m",
        {'logwatch_state_durable{instance="a"}': "0x10"},
        NODE,
        quiet=[{'logwatch_state_durable{instance="a"}': "1x10"}],
    ),
    Case(
        "LogwatchNotReady",
        "16m",
        {'logwatch_ready{instance="a"}': "0x20"},
        NODE,
        quiet=[{'logwatch_ready{instance="a"}': "0x10 1x10"}],
    ),
    Case(
        "LogwatchCertificateExpires",
        "62m",
        {EXPIRES: f"{7 * 86_400}x90"},
        NODE,
        quiet=[{EXPIRES: f"{8 * 86_400}x90"}],
    ),
    Case(
        "LogwatchReportsFail",
        "50m",
        {REPORTS % "forbidden": "0+1x60", REPORTS % "written": "9x60"},
        NODE,
        quiet=[
            {REPORTS % "unreachable": "0+1x60", REPORTS % "repeated": "0x35 1x20"},
            {REPORTS % "forbidden": "9x60", REPORTS % "written": "9x60"},
        ],
    ),
    Case(
        "LogwatchNoLeader",
        "20m",
        {LEADER % "x": "0x30", LEADER % "y": "0x30"},
        quiet=[
            {LEADER % "x": "0x30", LEADER % "y": "1x30"},
            {LEADER % "x": "1x10 stale", LEADER % "y": "0x11 1x30"},  # it was taken over
            {DENIED: "0x30"},  # an agent on its own
        ],
    ),
    Case(
        "LogwatchNoLeader",
        "20m",
        {LEADER % "x": "1x10 stale", LEADER % "y": "0x10 stale"},  # none is left
        quiet=[{LEADER % "x": "1x19 stale"}],  # for a minute
    ),
    Case(
        "LogwatchSeveralLeaders",
        "4m",
        {LEADER % "x": "1x10", LEADER % "y": "1x10"},
        quiet=[{LEADER % "x": "1x10", LEADER % "y": "0x10"}],
    ),
    Case(
        "LogwatchNotEnforced",
        "6m",
        {NETWORKS % "decided": "3x10", NETWORKS % "enforced": "2x10", MODE % "enforce": "1x10"},
        NODE,
        quiet=[
            {NETWORKS % "decided": "3x10", NETWORKS % "enforced": "3x10", MODE % "enforce": "1x10"},
            {NETWORKS % "decided": "3x10", NETWORKS % "enforced": "0x10", MODE % "observe": "1x10"},
        ],
    ),
    Case(
        "LogwatchFrozen",
        "1m",
        {'logwatch_frozen{instance="a"}': "1x10"},
        NODE,
        quiet=[{'logwatch_frozen{instance="a"}': "0x10"}],
    ),
    Case(
        "LogwatchNeverBanRefused",
        "40m",
        {REFUSED % "node": "0x9 1x9 2x9 3x20"},
        {"reason": "node"},
        quiet=[{REFUSED % "node": "0x9 1x9 2x20"}, {REFUSED % "rate": "0+5x50"}],
    ),
]


def rules() -> list[dict]:
    groups = YAML(typ="safe").load(RULES)["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> dict[str, dict]:
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def needed(alert: str) -> list[dict]:
    """Give the groups with an alert alone, and with the records if it is made of them."""
    groups = YAML(typ="safe").load(RULES)["groups"]
    for group in groups:
        group["rules"] = [rule for rule in group["rules"] if rule.get("alert", alert) == alert]
    is_of_records = ":logwatch_" in alerts()[alert]["expr"]
    return [
        group
        for group in groups
        if any("alert" in rule or is_of_records for rule in group["rules"])
    ]


def evaluated(
    directory: Path, series: Series, at: str, alert: str, expected: dict[str, str] | None
) -> None:
    """Have promtool evaluate an alert; compare its labels when it fires, None when it must not."""
    rules_file = directory / "rules.yaml"
    rules_file.write_text(json.dumps({"groups": needed(alert)}))
    is_long = int(at.removesuffix("m")) > 600
    fires = [] if expected is None else [fired(alert, expected)]
    test = {
        "rule_files": [str(rules_file)],
        "evaluation_interval": "5m" if is_long else "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": key, "values": x} for key, x in series.items()],
                "promql_expr_test": [
                    {
                        "expr": f'ALERTS{{alertname="{alert}",alertstate="firing"}}',
                        "eval_time": at,
                        "exp_samples": [{"labels": each, "value": 1} for each in fires],
                    }
                ],
            }
        ],
    }
    path = directory / "test.yaml"
    path.write_text(json.dumps(test))
    run("promtool", "test", "rules", str(path))


def fired(alert: str, labels: dict[str, str]) -> str:
    """Give the series by which Prometheus shows a firing alert."""
    severity = alerts()[alert]["labels"]["severity"]
    every = {"alertname": alert, "alertstate": "firing", "severity": severity, **labels}
    pairs = ",".join(f'{key}="{value}"' for key, value in every.items())
    return f"ALERTS{{{pairs}}}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.alert}-{case.at}")
def test_an_alert_fires(case: Case, tmp_path: Path) -> None:
    evaluated(tmp_path, case.fires, case.at, case.alert, case.labels)


@pytest.mark.parametrize(
    ("case", "series"),
    [
        pytest.param(case, series, id=f"{case.alert}-{number}")
        for case in CASES
        for number, series in enumerate(case.quiet)
    ],
)
def test_an_alert_does_not_fire(case: Case, series: Series, tmp_path: Path) -> None:
    evaluated(tmp_path, series, case.at, case.alert, None)


def test_every_alert_is_tried_both_ways() -> None:
    assert alerts().keys() == {case.alert for case in CASES}
    assert [] == [case.alert for case in CASES if not case.quiet]


def test_the_rules_are_sound() -> None:
    assert "FAILED" not in run("promtool", "check", "rules", str(RULES))


def test_every_alert_has_its_section_in_the_runbook() -> None:
    """The address leads to a heading, and the section says what to do."""
    sections = re.findall(
        r"^### (\w+)\n(.*?)(?=^##|\Z)", RUNBOOK.read_text(), re.MULTILINE | re.DOTALL
    )
    assert list(alerts()) == [name for name, _ in sections]
    for name, text in sections:
        address = alerts()[name]["annotations"]["runbook_url"]
        assert f"docs/operations.md#{name.lower()}" == address
        assert "\n- " in text, f"{name}: no step"


def test_a_new_source_is_told_for_a_quarter_of_an_hour(tmp_path: Path) -> None:
    series = {DENIED: "0+66x1600", BY_SOURCE % 2: "_x1500 0+60x100"}
    evaluated(tmp_path, series, "1530m", "LogwatchNewSource", None)
