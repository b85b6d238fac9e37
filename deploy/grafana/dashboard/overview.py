"""The first rows: how much is denied now, by what, and whether anything is wrong."""

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Panel
from panels import Query, chosen, graph, grown, number, rate

DENIED = "logwatch_denied_packets_total"
BYTES = "logwatch_denied_bytes_total"
POLICY = 'policy=~"$policy"'
LOWER_BOUND = "What the log holds: a lower bound where lines are limited by a rate or lost."

ENFORCED = 'state="enforced"'
A_DAY_BEFORE = f"sum (rate({chosen(DENIED, POLICY)}[$__rate_interval] offset 1d))"
PORTS = rate("logwatch_denied_packets_by_port_total", "protocol, port", 'port!="other"')


def overview() -> list[Builder[Panel]]:
    """Give the panels."""
    return [
        number("Denied now", LOWER_BOUND, "pps", rate(DENIED, more=POLICY)),
        number(
            "Denied in this time",
            "Packets in the time that is shown.",
            "short",
            grown(DENIED, more=POLICY),
        ),
        number(
            "Sources",
            "Distinct source addresses of the last five minutes on the node that has most of "
            "them, estimated. Nodes must not be added up: they see the same ones.",
            "short",
            f"max ({chosen('logwatch_sources')})",
        ),
        number(
            "Banned",
            "Networks that the written policies deny.",
            "short",
            f"sum ({chosen('logwatch_blacklist_networks', ENFORCED)})",
        ),
        number(
            "Blind",
            "Inputs that are missing or can't be read. Nobody counts what is denied there.",
            "short",
            f"sum (1 - {chosen('logwatch_input_readable')})",
            red_from=1,
        ),
        number(
            "Alerts",
            "Alerts of logwatch that fire now; each has its section in docs/operations.md.",
            "short",
            'count (ALERTS{alertname=~"Logwatch.*",alertstate="firing"}) or vector(0)',
            red_from=1,
        ),
        graph(
            "Denied packets",
            f"{LOWER_BOUND} The line of the day before is for comparison.",
            "pps",
            Query(rate(DENIED, more=POLICY), "now"),
            Query(A_DAY_BEFORE, "a day before"),
        ),
        graph(
            "By policy",
            "Which policy denies them.",
            "pps",
            Query(rate(DENIED, "policy", POLICY), "{{policy}}"),
            stacked=True,
        ),
        graph(
            "By port",
            "The ten ports that are tried most. The variable Policy has no effect here.",
            "pps",
            Query(f"topk (10, {PORTS})", "{{protocol}} {{port}}"),
        ),
        graph(
            "By protocol",
            "TCP, UDP, ICMP and others, of IPv4 and IPv6.",
            "pps",
            Query(rate(DENIED, "protocol, family", POLICY), "{{protocol}}, IPv{{family}}"),
            stacked=True,
        ),
        graph(
            "By interface",
            "Where they came in.",
            "pps",
            Query(rate(DENIED, "interface", POLICY), "{{interface}}"),
            stacked=True,
        ),
        graph(
            "Denied bytes",
            "By the lengths in their IP headers.",
            "Bps",
            Query(rate(BYTES, "policy", POLICY), "{{policy}}"),
            stacked=True,
        ),
    ]
