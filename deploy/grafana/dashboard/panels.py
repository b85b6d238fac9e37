"""The kinds of panels: how each looks, of a title, what it tells, its unit and its queries."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import ascii_uppercase

from grafana_foundation_sdk.builders import common as part
from grafana_foundation_sdk.builders import prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    Panel,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")

CHOSEN = 'cluster=~"$cluster",instance=~"$instance"'
"""What the variables choose. All is `.*`, which also matches where there is no such label."""

WIDTH = 24
"""Of a dashboard, in Grafana's columns."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query, and how each of its series is called."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its title, a unit where it is a number, and how else it looks."""

    title: str
    unit: str = ""
    look: tuple[DynamicConfigValue, ...] = ()


LINKED = (
    DynamicConfigValue(
        "links",
        [
            {
                "title": "${__value.text} on the live page",
                "url": "${page}#/source/${__value.text}",
                "targetBlank": True,
            }
        ],
    ),
)
"""An address that leads to its own page."""

YES_OR_NO = (
    DynamicConfigValue(
        "mappings",
        [
            {
                "type": "value",
                "options": {
                    "1": {"text": "yes", "color": "green", "index": 0},
                    "0": {"text": "no", "color": "red", "index": 1},
                },
            }
        ],
    ),
    DynamicConfigValue("custom.cellOptions", {"type": "color-text"}),
)
"""What is 1 where all is well."""


def chosen(family: str, more: str = "") -> str:
    """Select a family's series that the variables choose."""
    return f"{family}{{{CHOSEN}{more and ','}{more}}}"


def rate(family: str, by: str = "", more: str = "") -> str:
    """Sum a counter's rates, by labels."""
    return f"sum{_by(by)} (rate({chosen(family, more)}[$__rate_interval]))"


def grown(family: str, by: str = "", more: str = "") -> str:
    """Sum, by labels, what a counter grew in the time that is shown.

    `increase` leaves out what a series begins with, which is all of a source that came once. Here a
    series that was not there, or was greater before a reboot, began with 0.
    """
    series = chosen(family, more)
    before = f"({series} offset $__range <= {series} or 0 * {series})"
    return f"sum{_by(by)} ({series} - {before})"


def graph(
    title: str, text: str, unit: str, *queries: Query, stacked: bool = False
) -> Builder[Panel]:
    """Draw lines over time, or areas on top of each other."""
    tooltip = part.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI)
    tooltip = tooltip.sort(common.SortOrder.DESCENDING).hide_zeros(hide_zeros=True)
    panel = (
        timeseries.Panel()
        .title(title)
        .description(text)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .span(WIDTH // 2)
        .height(8)
        .line_width(1)
        .fill_opacity(30 if stacked else 5)
        .show_points(common.VisibilityMode.NEVER)
        .tooltip(tooltip)
        .legend(_legend(are_many=any("{{" in query.legend for query in queries)))
    )
    if stacked:
        panel = panel.stacking(part.StackingConfig().mode(common.StackingMode.NORMAL))
    for name, query in zip(ascii_uppercase, queries, strict=False):
        panel = panel.with_target(_target(name, query.expression, query.legend).range())
    return panel


def number(
    title: str, text: str, unit: str, expression: str, *, red_from: float | None = None
) -> Builder[Panel]:
    """Show one number, which is red from a bound on."""
    steps = [Threshold(color="green")]
    if red_from is not None:
        steps.append(Threshold(value=red_from, color="red"))
    return (
        stat.Panel()
        .title(title)
        .description(text)
        .datasource(SOURCE)
        .unit(unit)
        .span(WIDTH // 6)
        .height(4)
        .graph_mode(common.BigValueGraphMode.NONE)
        .reduce_options(part.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        .with_target(_target("A", expression).instant())
    )


def listing(
    title: str, text: str, columns: Mapping[str, Column], *expressions: str
) -> Builder[Panel]:
    """List what queries give now, a row for each set of labels, greatest first.

    `columns` are by label, and `Value` or, of several queries, `Value #A` and so on.
    """
    first = next(each.title for each in columns.values() if each.unit)
    panel = (
        table.Panel()
        .title(title)
        .description(text)
        .datasource(SOURCE)
        .span(WIDTH // 2)
        .height(9)
        .sort_by([part.TableSortByFieldState().display_name(first).desc(desc=True)])
    )
    for transformation in _arranged(columns):
        panel = panel.with_transformation(transformation)
    for column in columns.values():
        unit = [DynamicConfigValue("unit", column.unit)] if column.unit else []
        if look := [*unit, *column.look]:
            panel = panel.override_by_name(column.title, look)
    for name, expression in zip(ascii_uppercase, expressions, strict=False):
        panel = panel.with_target(_target(name, expression).instant().format(PromQueryFormat.TABLE))
    return panel


def _legend(*, are_many: bool) -> Builder[common.VizLegendOptions]:
    """Name the lines; many of them greatest first, so that those that stay 0 are out of the way."""
    legend = part.VizLegendOptions().show_legend(show_legend=True)
    legend = legend.placement(common.LegendPlacement.BOTTOM)
    if not are_many:
        return legend.display_mode(common.LegendDisplayMode.LIST)
    legend = legend.display_mode(common.LegendDisplayMode.TABLE).calcs(["lastNotNull", "max"])
    return legend.sort_by("Max").sort_desc(sort_desc=True)


def _arranged(columns: Mapping[str, Column]) -> Iterator[DataTransformerConfig]:
    yield DataTransformerConfig("merge", options={})
    names = {"include": {"names": list(columns)}}
    yield DataTransformerConfig("filterFieldsByName", options=names)
    places = {name: place for place, name in enumerate(columns)}
    titles = {name: column.title for name, column in columns.items()}
    yield DataTransformerConfig("organize", options={"indexByName": places, "renameByName": titles})


def _target(name: str, expression: str, legend: str = "") -> prometheus.Dataquery:
    target = prometheus.Dataquery().ref_id(name).datasource(SOURCE).expr(expression)
    return target.legend_format(legend or "__auto")


def _by(labels: str) -> str:
    return f" by ({labels})" if labels else ""
