"""Every expression of the dashboard and of the rules, asked of a real Prometheus."""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from lab.namespace import run
from lab.rsyslog import eventually
from monitoring.conftest import RULES, SECONDS, Watched
from ruamel.yaml import YAML

DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana" / "logwatch.json"
GOLDEN = Path(__file__).parents[1] / "export" / "golden"
"""The pages with all families."""

CHOSEN = {
    "$cluster": ".*",
    "$instance": ".*",
    "$policy": ".*",
    "$__rate_interval": "1m",
    "$__range": "5m",
}
"""What Grafana puts in place of variables when all is chosen."""

A_DAY = "there is no day before"
WELL = "nothing is wrong here"

EMPTY_PANELS = {("Denied packets", "B"): A_DAY}
EMPTY_RULES = {
    "cluster:logwatch_denied_packets:usual1d": A_DAY,
    "LogwatchDeniedJump": A_DAY,
    "LogwatchNewSource": A_DAY,
    "LogwatchDown": WELL,
    "LogwatchLinesUnread": WELL,
    "LogwatchPacketsStopped": WELL,
    "LogwatchLogSilent": WELL,
    "LogwatchLinesDestroyed": WELL,
    "LogwatchReaderBehind": WELL,
    "LogwatchStateNotDurable": WELL,
    "LogwatchCertificateExpires": WELL,
    "LogwatchReportsFail": WELL,
    "LogwatchNoLeader": WELL,
    "LogwatchSeveralLeaders": WELL,
    "LogwatchNotEnforced": WELL,
    "LogwatchFrozen": WELL,
    "LogwatchNeverBanRefused": "one refusal is not yet several",
}

SELECTOR = re.compile(r"\b(?:(?:logwatch_|cluster\w*:)[\w:]+|up)(?:\{[^}]*\})?")


@dataclass(frozen=True, slots=True)
class Asked:
    """One query of the dashboard, and the labels that are shown of its answer."""

    title: str
    name: str
    expression: str
    labels: frozenset[str]


def dashboard() -> list[Asked]:
    """Give every query."""
    board = json.loads(DASHBOARD.read_text())
    panels = [inner for panel in board["panels"] for inner in [panel, *panel.get("panels", [])]]
    return [
        Asked(panel["title"], target["refId"], replaced(target["expr"]), shown(panel, target))
        for panel in panels
        for target in panel.get("targets", [])
    ]


def shown(panel: dict, target: dict) -> frozenset[str]:
    """Give the labels in a legend, or those that are columns of a table."""
    legend = re.findall(r"{{(\w+)}}", target["legendFormat"])
    columns = [
        name
        for step in panel.get("transformations", [])
        for name in step["options"].get("indexByName", ())
        if not name.startswith("Value")
    ]
    return frozenset([*legend, *columns])


def replaced(expression: str) -> str:
    for variable, value in CHOSEN.items():
        expression = expression.replace(variable, value)
    assert "$" not in expression
    return expression


def expression(title: str) -> str:
    """Give that of a panel that has one; all of what is there, where the panel shows the top."""
    [asked] = [each for each in dashboard() if each.title == title]
    return re.sub(r"topk \(\d+,", "topk (999,", asked.expression)


def rules() -> dict[str, str]:
    """Give the expressions of the rules by name."""
    groups = YAML(typ="safe").load(RULES)["groups"]
    every = [rule for group in groups for rule in group["rules"]]
    return {rule.get("alert") or rule["record"]: rule["expr"] for rule in every}


@pytest.mark.parametrize("asked", dashboard(), ids=lambda asked: f"{asked.title}-{asked.name}")
def test_a_panel_has_data(watched: Watched, asked: Asked) -> None:
    """Numbers, and every label that the panel shows of them."""
    result = watched.prometheus.query(asked.expression)
    assert ((asked.title, asked.name) in EMPTY_PANELS) == (not result)
    assert not any(math.isnan(float(each["value"][1])) for each in result)
    assert [] == [each["metric"] for each in result if not asked.labels <= each["metric"].keys()]


@pytest.mark.parametrize("name", rules())
def test_a_rule_finds_what_it_should(watched: Watched, name: str) -> None:
    """Data where something is to be found; and in any case the series that it is made of."""
    result = watched.prometheus.query(rules()[name])
    assert (name in EMPTY_RULES) == (not result)
    selectors = SELECTOR.findall(rules()[name])
    assert selectors
    for selector in selectors:
        assert selector in EMPTY_RULES or watched.prometheus.query(selector), selector


@pytest.mark.parametrize(
    ("panel", "labels"),
    [
        ("By port", ("port", "protocol")),
        ("Top sources", ("source",)),
        ("By interface", ("interface",)),
    ],
)
def test_a_graph_has_a_line_for_each_that_sent(
    watched: Watched, panel: str, labels: tuple[str, ...]
) -> None:
    """And for nobody else."""
    lines = watched.prometheus.values(f"{expression(panel)} > 0")
    assert watched.counted(*labels).keys() == lines.keys()


@pytest.mark.parametrize(
    ("panel", "labels"),
    [
        ("Denied in this time", ()),
        ("Top sources in this time", ("source",)),
        ("New today", ("source",)),
        ("Top flows in this time", ("port", "protocol", "source")),
    ],
)
def test_a_panel_shows_how_many_were_sent(
    watched: Watched, panel: str, labels: tuple[str, ...]
) -> None:
    """Exactly, and also of series that were not there when the time began."""
    assert watched.counted(*labels) == watched.prometheus.values(expression(panel))


def test_the_counters_in_prometheus_are_what_was_sent(watched: Watched) -> None:
    values = watched.prometheus.values
    by_policy = values("sum by (policy) (logwatch_denied_packets_total) > 0")
    assert {("deny-lb-port-80",): 80, ("deny-nodeports",): 20} == by_policy
    assert {(): 122} == values("sum (logwatch_lost_messages_total)")


def test_a_ban_is_seen_from_the_line_to_the_policy(watched: Watched) -> None:
    values = watched.prometheus.values
    assert {("decided",): 1, ("enforced",): 1} == values(expression("Decided and enforced"))
    assert {("enforce", "many-ports"): 1} == values("sum by (mode, rule) (logwatch_bans_total) > 0")
    assert {("operator",): 1} == values("sum by (reason) (logwatch_bans_refused_total) > 0")


def test_an_alert_arrives_with_its_runbook(watched: Watched) -> None:
    """From a line in the log, over the agent, Prometheus and Alertmanager, to a receiver."""
    alerts = watched.alertmanager.alerts
    assert eventually(lambda: bool(alerts("LogwatchMessagesLost")), SECONDS)
    alert = alerts("LogwatchMessagesLost")[0]
    address = watched.agent.url.removeprefix("http://")
    assert "firing" == alert["status"]
    assert f"rsyslog lost messages on {address}" == alert["annotations"]["summary"]
    assert alert["annotations"]["runbook_url"].endswith("#logwatchmessageslost")


def test_promtool_finds_nothing_wrong_with_the_metrics(watched: Watched) -> None:
    """No name or help text that Prometheus's own rules speak against, of any family there is."""
    promised = [path.read_text() for path in sorted(GOLDEN.glob("*.txt"))]
    assert 2 == len(promised)
    for page in (watched.agent.get("/metrics"), watched.escalator_page(), *promised):
        assert "" == run("promtool", "check", "metrics", text=page)


def test_the_node_without_a_log_is_the_one_without_data(watched: Watched) -> None:
    address = watched.blind.url.removeprefix("http://")
    assert {(address,): 0} == watched.prometheus.values(expression("Agents without data"))
