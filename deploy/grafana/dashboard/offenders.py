"""What is decided about sources, and what became of it."""

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Panel
from panels import Query, chosen, graph, rate

ESCALATION = chosen("logwatch_escalation_seconds_bucket")


def offenders() -> list[Builder[Panel]]:
    """Give the panels."""
    return [
        graph(
            "Decided and enforced",
            "Networks to be denied, and those that the written policies hold. In mode enforce "
            "both are the same within seconds; in the others decided ones are only shown.",
            "short",
            Query(f"sum by (state) ({chosen('logwatch_blacklist_networks')})", "{{state}}"),
        ),
        graph(
            "Time to enforcement",
            "From reading a line to the policy written because of it, in the last hour.",
            "s",
            *(Query(_quantile(share), f"{share:.0%}") for share in (0.5, 0.95, 0.99)),
        ),
        graph(
            "Bans decided",
            "By a rule or by hand; only those of mode enforce are written to the policy.",
            "cpm",
            Query(f"60 * {rate('logwatch_bans_total', 'rule, mode')}", "{{rule}}, {{mode}}"),
            stacked=True,
        ),
        graph(
            "Offences by rule",
            "How often a source met a rule: on a node, and in a cluster as the escalator sees it.",
            "cpm",
            Query(f"60 * {rate('logwatch_offences_total', 'rule')}", "{{rule}}"),
            stacked=True,
        ),
        graph(
            "Refused",
            "Bans that were not decided, by reason: never banned, or held back by a brake.",
            "cpm",
            Query(f"60 * {rate('logwatch_bans_refused_total', 'reason')}", "{{reason}}"),
            stacked=True,
        ),
        graph(
            "Freezes and brakes",
            "1 while rules decide nothing since too many offend at once; and the offenders that "
            "a brake holds back.",
            "short",
            Query(f"max ({chosen('logwatch_frozen')})", "frozen"),
            Query(f"sum ({chosen('logwatch_bans_held')})", "held back"),
        ),
        graph(
            "Entries",
            "Entries of the blacklist by phase.",
            "short",
            Query(f"sum by (phase) ({chosen('logwatch_blacklist_entries')})", "{{phase}}"),
            stacked=True,
        ),
        graph(
            "Evidence",
            "Sources with evidence, and how many a minute gave up their place to others.",
            "short",
            Query(f"sum ({chosen('logwatch_tracked_sources')})", "tracked"),
            Query(f"60 * {rate('logwatch_evicted_sources_total')}", "evicted a minute"),
        ),
    ]


def _quantile(share: float) -> str:
    return f"histogram_quantile ({share}, sum by (le) (rate({ESCALATION}[1h])))"
