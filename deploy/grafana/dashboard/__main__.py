"""Writes the dashboard as Grafana imports it, to standard output."""

import json
import sys
from itertools import count

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    VariableOption,
    VariableRefresh,
    VariableSort,
)
from health import cluster, health
from offenders import offenders
from overview import overview
from panels import CHOSEN, SOURCE
from sources import sources

ABOUT = """\
What Calico denies, who sends it, what was decided about it, and whether anything was missed. \
docs/metrics.md of logwatch tells of each metric, docs/operations.md what to do about alerts."""

ROWS = (
    ("What is denied", overview),
    ("Sources", sources),
    ("Offenders and blacklist", offenders),
    ("Health", health),
)


def chosen_of(name: str, label: str, text: str, query: str) -> build.QueryVariable:
    """Make a variable that is all values of a label, or some of them."""
    return (
        build.QueryVariable(name)
        .label(label)
        .description(text)
        .datasource(SOURCE)
        .query({"query": query, "refId": name})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".*")
        .current(VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def link(title: str, text: str, url: str) -> build.DashboardLink:
    """Make a link at the top."""
    made = build.DashboardLink(title).type(DashboardLinkType.LINK).tooltip(text).url(url)
    return made.icon("external link").target_blank(target_blank=True)


def dashboard() -> build.Dashboard:
    """Put everything together."""
    denied = "logwatch_denied_packets_total"
    made = (
        build.Dashboard("logwatch: what Calico denies")
        .uid("calico-logwatch")
        .description(ABOUT)
        .tags(["calico", "logwatch"])
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .time("now-6h", "now")
        .refresh("1m")
        .timezone("browser")
        .with_variable(
            build.DatasourceVariable("datasource").label("Data source").type("prometheus")
        )
        .with_variable(
            chosen_of(
                *("cluster", "Cluster", "Empty where Prometheus adds no such label."),
                "label_values(logwatch_build_info, cluster)",
            )
        )
        .with_variable(
            chosen_of(
                *("instance", "Node", "A node's agent, or the pod of an escalator."),
                'label_values(logwatch_build_info{cluster=~"$cluster"}, instance)',
            )
        )
        .with_variable(
            chosen_of(
                *("policy", "Policy", "Holds for the first row, where it is not said otherwise."),
                f"label_values({denied}{{{CHOSEN}}}, policy)",
            )
        )
        .with_variable(
            build.TextBoxVariable("page")
            .label("Live page")
            .description(
                "Where links lead: an agent's or escalator's port 9137, with / at its end."
            )
            .default_value("http://localhost:9137/")
        )
        .link(link("Live page", "What is denied at this moment", "${page}"))
        .link(link("State", "What does not work, line by line", "${page}readyz"))
    )
    numbers = count(1)
    for title, panels in ROWS:
        made = made.with_row(build.Row(title).id(next(numbers)))
        for panel in panels():
            made = made.with_panel(panel.id(next(numbers)))
    # Closed, since an agent on its own has no data for it.
    row = build.Row("Cluster").id(next(numbers)).collapsed(collapsed=True)
    for panel in cluster():
        row = row.with_panel(panel.id(next(numbers)))
    return made.with_row(row)


def main() -> None:
    """Write it."""
    made = json.dumps(dashboard().build(), cls=JSONEncoder, indent=1, sort_keys=True)
    sys.stdout.write(made + "\n")


if __name__ == "__main__":
    main()
