"""Who sends what is denied. A sender can forge its address."""

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Panel
from panels import LINKED, Column, Query, chosen, graph, grown, listing, rate

BY_SOURCE = "logwatch_denied_packets_by_source_total"
BY_FLOW = "logwatch_denied_packets_by_flow_total"
NAMED = 'source!="other"'
SOURCE = Column("Source", look=LINKED)
FORGEABLE = "A sender can forge its address. The variable Policy has no effect here."


def sources() -> list[Builder[Panel]]:
    """Give the panels."""
    new = (
        f"topk (20, sum by (source) ({chosen(BY_SOURCE, NAMED)}) "
        f"unless on (source) sum by (source) ({chosen(BY_SOURCE, NAMED)} offset 1d))"
    )
    return [
        graph(
            "Top sources",
            f"The ten that send most. {FORGEABLE}",
            "pps",
            Query(f"topk (10, {rate(BY_SOURCE, 'source', NAMED)})", "{{source}}"),
        ),
        graph(
            "Distinct sources",
            "Of the last five minutes, on each node: an estimate with an error of 1.6 %.",
            "short",
            Query(chosen("logwatch_sources"), "{{instance}}"),
        ),
        listing(
            "Top sources in this time",
            f"Packets in the time that is shown. {FORGEABLE}",
            {"source": SOURCE, "Value": Column("Packets", "short")},
            f"topk (20, {grown(BY_SOURCE, 'source', NAMED)})",
        ),
        listing(
            "New today",
            "Sources that had no series of their own a day ago, and how many packets they sent "
            f"since. {FORGEABLE}",
            {"source": SOURCE, "Value": Column("Packets", "short")},
            new,
        ),
        listing(
            "Top flows in this time",
            f"Who wanted what. {FORGEABLE}",
            {
                "source": SOURCE,
                "protocol": Column("Protocol"),
                "port": Column("Port"),
                "Value": Column("Packets", "short"),
            },
            f"topk (20, {grown(BY_FLOW, 'source, protocol, port', NAMED)})",
        ),
        graph(
            "Without a series of their own",
            "Packets of sources beyond the number that has series: many in a flood of forged "
            "sources. It also jumps when a silent source gives up its place.",
            "pps",
            Query(rate(BY_SOURCE, more='source="other"'), "other"),
        ),
    ]
