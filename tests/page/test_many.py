"""A flood of sources does not freeze the page: its size is bounded, whatever is counted."""

from collections.abc import Callable
from pathlib import Path

from lab.agent import RunningAgent
from page.browsing import Browsing
from page.lines import packet, write
from playwright.sync_api import expect

SOURCES = 100_000
MOST_ROWS = 200
"""The last step of "Show more"."""

LONGEST = """
() => {
  window.longest = 0;
  new PerformanceObserver((list) => {
    const durations = list.getEntries().map((entry) => entry.duration);
    window.longest = Math.max(window.longest, ...durations);
  }).observe({ type: "longtask", buffered: true });
}
"""


def test_100_000_sources_leave_the_page_small_and_quick(
    start_agent: Callable[..., RunningAgent],
    browse: Callable[..., Browsing],
    log: Path,
    tmp_path: Path,
) -> None:
    line = packet("192.0.2.99")
    write(
        log,
        *(
            line.replace("192.0.2.99", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
            for number in range(SOURCES)
        ),
    )
    config = tmp_path / "agent.yaml"
    config.write_text("series: {sources: 10000}\n")
    agent = start_agent("--config", str(config), "--from", "start")
    agent.wait_for(
        lambda: agent.total("logwatch_denied_packets_total") == SOURCES, "packets", seconds=60
    )
    shown = browse(agent.url)
    rows = shown.page.locator("#sources tbody tr")
    expect(rows).to_have_count(12)
    painted, drawn = shown.page.evaluate(
        "[performance.getEntriesByName('first-contentful-paint')[0].startTime, performance.now()]"
    )
    expect(shown.figure("Denied, last hour")).to_have_text(f"{SOURCES:,}")
    shown.page.evaluate(LONGEST)
    for _ in range(2):
        shown.page.locator("#sources").get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(MOST_ROWS)
    renewed = len(shown.asked())
    with shown.page.expect_request("**/api/summary**"):
        pass
    shown.page.get_by_role("searchbox").fill("10.0.1.")
    expect(shown.page.locator("#sources .note").first).to_have_text("matching “10.0.1.”")
    longest = shown.page.evaluate("window.longest")
    print(  # noqa: T201 - measured, not asserted: the machine is shared
        f"\n{SOURCES:,} sources: first paint {painted:.0f} ms, tables {drawn:.0f} ms,"
        f" longest task with {MOST_ROWS} rows {longest:.0f} ms"
    )
    assert len(shown.asked()) > renewed
    assert MOST_ROWS >= rows.count()
    assert 6000 > shown.page.locator("*").count()
