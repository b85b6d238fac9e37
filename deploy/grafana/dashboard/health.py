"""Whether everything is seen: zero denials and a blind node must not look the same."""

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Panel
from panels import YES_OR_NO, Column, Query, chosen, graph, listing, rate

OF = "cluster, instance"
DESTROYED = "logwatch_destroyed_bytes_total"


def health() -> list[Builder[Panel]]:
    """Give the panels that every installation has data for."""
    last = chosen("logwatch_last_packet_timestamp_seconds")
    ours = f"and on (cluster, job, instance) {chosen('logwatch_build_info')}"
    return [
        listing(
            "Nodes",
            "Time since the last packet, or nothing where none was ever seen. /readyz of the node "
            "tells what is not well.",
            {
                "instance": Column("Node"),
                "Value #A": Column("Since last packet", "s"),
                "Value #B": Column("Behind", "s"),
                "Value #C": Column("Readable", "short", YES_OR_NO),
                "Value #D": Column("Durable", "short", YES_OR_NO),
                "Value #E": Column("Ready", "short", YES_OR_NO),
            },
            f"time() - max by ({OF}) ({last})",
            f"max by ({OF}) ({chosen('logwatch_behind_seconds')})",
            f"min by ({OF}) ({chosen('logwatch_input_readable')})",
            f"min by ({OF}) ({chosen('logwatch_state_durable')})",
            f"min by ({OF}) ({chosen('logwatch_ready')})",
        ),
        listing(
            "Agents without data",
            "No packet for an hour, or never one. Maybe nothing is denied there; the log, the "
            "policy's Log rule and the prefix are worth a look. Empty is good.",
            {"instance": Column("Node"), "Value": Column("Readable", "short", YES_OR_NO)},
            f"min by ({OF}) ({chosen('logwatch_input_readable')}) "
            f"unless on ({OF}) max by ({OF}) ({last}) > time() - 3600",
        ),
        graph(
            "Behind",
            "How old the oldest line is that is not read yet.",
            "s",
            Query(chosen("logwatch_behind_seconds"), "{{instance}} {{input}}"),
        ),
        graph(
            "Unread",
            "Written, but not read yet; a kernel log does not tell.",
            "bytes",
            Query(chosen("logwatch_behind_bytes"), "{{instance}} {{input}}"),
        ),
        graph(
            "Lost before the log",
            "Times that somebody said in the log that messages were lost, and how many they gave "
            "a number for.",
            "cpm",
            Query(f"60 * {rate('logwatch_loss_reports_total', 'by')}", "reports of {{by}}"),
            Query(f"60 * {rate('logwatch_lost_messages_total', 'by')}", "messages, {{by}}"),
        ),
        graph(
            "Lost from the log",
            "What was cut away before it was read. It should stay 0.",
            "Bps",
            Query(rate(DESTROYED, "instance"), "{{instance}}"),
        ),
        graph(
            "Rotations",
            "Files that took another one's place, files that were cut, and files that were gone "
            "before they were read to their end.",
            "cpm",
            Query(f"60 * {rate('logwatch_rotations_total')}", "rotated"),
            Query(f"60 * {rate('logwatch_truncations_total')}", "cut"),
            Query(f"60 * {rate('logwatch_lost_files_total')}", "gone unread"),
        ),
        graph(
            "Lines by kind",
            "odd: the prefix, but no source and destination. forged: the prefix where the kernel "
            "never puts it. other: not about packets.",
            "cps",
            Query(rate("logwatch_lines_total", "kind"), "{{kind}}"),
        ),
        graph(
            "Read",
            "How fast the log grows, as it is read.",
            "Bps",
            Query(rate("logwatch_read_bytes_total", "instance"), "{{instance}}"),
        ),
        graph(
            "Memory",
            "Resident, of each agent and escalator.",
            "bytes",
            Query(f"{chosen('process_resident_memory_bytes')} {ours}", "{{instance}}"),
        ),
        graph(
            "CPU",
            "Cores that each agent and escalator uses.",
            "short",
            Query(
                f"rate({chosen('process_cpu_seconds_total')}[$__rate_interval]) {ours}",
                "{{instance}}",
            ),
        ),
        graph(
            "Dropped audit lines",
            "Lines of the audit log that waited for its file in vain. It should stay 0.",
            "cpm",
            Query(f"60 * {rate('logwatch_dropped_audit_lines_total')}", "dropped"),
        ),
    ]


def cluster() -> list[Builder[Panel]]:
    """Give the panels that have data in a cluster alone."""
    reports = rate("logwatch_report_writes_total", "result")
    requests = rate("logwatch_api_requests_total", "verb, resource")
    return [
        graph(
            "Leader",
            "1 on the escalator that decides. There is one at a time.",
            "short",
            Query(chosen("logwatch_leader"), "{{instance}}"),
        ),
        graph(
            "Nodes that report",
            "Node reports that are there, however old.",
            "short",
            Query(f"max ({chosen('logwatch_node_reports')})", "reports"),
        ),
        graph(
            "Reports of nodes",
            "What became of the reports that agents write. written: with something new; repeated: "
            "sent again as it was; else why it was not written.",
            "cpm",
            Query(f"60 * {reports}", "{{result}}"),
            stacked=True,
        ),
        graph(
            "Cut from reports",
            "Sources that had no room in their node's report: those furthest from any rule.",
            "short",
            Query(chosen("logwatch_report_cut_sources"), "{{instance}}"),
        ),
        graph(
            "Requests to the API server",
            "By verb and resource.",
            "reqps",
            Query(requests, "{{verb}} {{resource}}"),
            stacked=True,
        ),
        graph(
            "Put right",
            "Changes that somebody else made to what logwatch keeps in Calico, and damaged "
            "reports that were left out.",
            "cpm",
            Query(f"60 * {rate('logwatch_drift_total')}", "drift"),
            Query(f"60 * {rate('logwatch_left_out_reports_total')}", "reports left out"),
        ),
    ]
