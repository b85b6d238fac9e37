"""What the chart draws of the steps that it is told."""

import json
from collections.abc import Callable

from lab.agent import RunningAgent
from page.browsing import Browsing
from playwright.sync_api import Route, expect

STEPS = 360

COLOURED = """
(chart) => {
  const canvas = chart.querySelector("canvas");
  const area = chart.querySelector(".u-over").getBoundingClientRect();
  const scale = devicePixelRatio;
  const left = (area.left - canvas.getBoundingClientRect().left) * scale;
  const row = canvas.getContext("2d").getImageData(left, 60 * scale, area.width * scale, 1).data;
  const columns = Array.from({ length: row.length / 4 }, (_, index) => {
    const [red, green, blue, opacity] = row.slice(4 * index, 4 * index + 4);
    return opacity > 200 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60;
  });
  return [columns.indexOf(true), columns.lastIndexOf(true)].map((at) => at / columns.length);
}
"""
"""From where to where, as shares of the chart's width, there is colour in its upper half."""


def test_the_first_step_is_drawn_while_it_runs(
    start_agent: Callable[..., RunningAgent], browse: Callable[..., Browsing]
) -> None:
    """A sixtieth of the width: ten minutes are shown as long as no more is known."""

    def begun(route: Route) -> None:
        told = route.fetch().json()
        packets = [*[None] * (STEPS - 1), 7]
        told["history"]["series"] = [{"policy": "deny", "action": "denied", "packets": packets}]
        route.fulfill(body=json.dumps(told), content_type="application/json")

    shown = browse(start_agent().url)
    shown.page.route("**/api/summary**", begun)
    shown.page.reload()
    expect(shown.page.locator("#history-span")).to_have_text("the last 10 minutes, by policy")
    expect(shown.figure("Denied, last hour")).to_have_text("7")
    first, last = shown.page.locator("#history .chart").evaluate(COLOURED)
    assert (59, 60) == (round(60 * first), round(60 * last))
