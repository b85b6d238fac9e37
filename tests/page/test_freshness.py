"""The page says whether it is of now, and asks only while somebody looks."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from lab.agent import RunningAgent
from page.browsing import Browsing
from page.lines import packet, write
from playwright.sync_api import expect

Browse = Callable[..., Browsing]

HIDE = """
hidden => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}
"""


@pytest.fixture
def agent(start_agent: Callable[..., RunningAgent]) -> RunningAgent:
    return start_agent()


def test_before_the_first_packet_it_says_what_to_do(agent: RunningAgent, browse: Browse) -> None:
    shown = browse(agent.url)
    expect(shown.page.locator("#sources .empty")).to_contain_text("No packet denied since ")
    expect(shown.page.locator("#sources .empty code")).to_have_text(
        "logwatch policy render deny-nodeports --log"
    )
    expect(shown.page.locator("#history .empty")).to_contain_text(
        "No packet was denied since the start, "
    )
    expect(shown.page.locator("#blacklist .empty")).to_contain_text("Nobody is on the list.")
    expect(shown.page.locator("#offenders .empty")).to_contain_text("No source comes near a rule.")


def test_a_server_that_hangs_makes_it_stale_until_it_answers_again(
    agent: RunningAgent, browse: Browse
) -> None:
    shown = browse(agent.url)
    expect(shown.page.locator("#fresh")).to_have_text("Live")
    agent.send_signal(signal.SIGSTOP)
    banner = shown.page.get_by_role("alert")
    expect(banner).to_contain_text("The server has not answered for")
    expect(banner).to_contain_text("What you see is of ")
    expect(shown.page.locator("#fresh")).to_have_text("No answer")
    agent.send_signal(signal.SIGCONT)
    expect(banner).to_be_hidden()
    expect(shown.page.locator("#fresh")).to_have_text("Live")


def test_a_hidden_tab_asks_nothing_and_a_seen_one_at_once(
    agent: RunningAgent, browse: Browse
) -> None:
    shown = browse(agent.url)
    shown.page.clock.install()
    shown.page.reload()
    expect(shown.page.locator("#fresh")).to_have_text("Live")
    shown.page.evaluate(HIDE, True)
    before = len(shown.asked())
    shown.page.clock.run_for(60_000)
    assert before == len(shown.asked())
    with shown.page.expect_request("**/api/summary**"):
        shown.page.evaluate(HIDE, False)


def test_paused_it_stays_as_it_is(agent: RunningAgent, browse: Browse, log: Path) -> None:
    shown = browse(agent.url)
    expect(shown.figure("Denied, last hour")).to_have_text("0")
    shown.page.get_by_role("button", name="Pause").click()
    expect(shown.page.locator("#fresh")).to_have_text("Paused")
    write(log, packet())
    agent.wait_for(lambda: agent.total("logwatch_denied_packets_total") == 1, "packet")
    shown.page.clock.install()
    before = len(shown.asked())
    shown.page.clock.run_for(60_000)
    assert before == len(shown.asked())
    shown.page.get_by_role("button", name="Resume").click()
    expect(shown.figure("Denied, last hour")).to_have_text("1")


def test_what_is_wrong_stands_at_the_top(agent: RunningAgent, browse: Browse, log: Path) -> None:
    log.rename(log.with_name("elsewhere"))
    shown = browse(agent.url)
    health = shown.page.locator("#health")
    expect(health).to_have_attribute("data-level", "problem")
    expect(health.locator(".findings li").first).to_contain_text(str(log))
    assert shown.page.title().startswith("✕ ")


def test_a_file_that_does_not_come_is_told(agent: RunningAgent, browse: Browse) -> None:
    """Else the page would stay at Loading for ever."""
    shown = browse(agent.url)
    shown.page.route("**/static/chart.js", lambda route: route.abort())
    shown.page.reload()
    expect(shown.page.get_by_role("alert")).to_contain_text("A file of this page did not come")
