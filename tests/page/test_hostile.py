"""Whatever stands in a log or in a policy's name is text on the page, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from lab.agent import RunningAgent
from page.browsing import Browsing
from page.lines import packet, write
from playwright.sync_api import expect

POLICY = "<img src=x onerror=window.hit=1>"
INTERFACE = "<b/id=hit>"
HOST = "<svg/onload=window.hit=1>"


@pytest.fixture
def agent(start_agent: Callable[..., RunningAgent], log: Path, tmp_path: Path) -> RunningAgent:
    """Has read lines with markup wherever a line has room for it."""
    config = tmp_path / "agent.yaml"
    config.write_text(f"prefixes:\n  - text: calico-packet\n    policy: {POLICY!r}\n")
    agent = start_agent("--config", str(config))
    write(log, *(packet(port=port, interface=INTERFACE, host=HOST) for port in range(1, 21)))
    agent.wait_for(lambda: agent.total("logwatch_denied_packets_total") == 20, "packets")
    return agent


def test_markup_from_a_log_or_the_configuration_stays_text(
    agent: RunningAgent, browse: Callable[..., Browsing]
) -> None:
    shown = browse(agent.url)
    expect(shown.page.locator(".legend-name")).to_have_text([POLICY])
    expect(shown.page.locator("#interfaces .pair-name")).to_have_text([INTERFACE])
    shown.page.locator("#history .u-over").hover()
    expect(shown.page.locator(".tip")).to_be_visible()
    shown.page.goto(f"{agent.url}/#/source/203.0.113.7")
    expect(shown.page.locator(".samples li").first).to_contain_text(HOST)
    assert "undefined" == shown.page.evaluate("typeof window.hit")
    assert 0 == shown.page.locator("main img, main b, main svg[onload], #hit").count()


def test_a_long_name_makes_no_narrow_page_wider(
    agent: RunningAgent, browse: Callable[..., Browsing]
) -> None:
    shown = browse(agent.url, viewport={"width": 320, "height": 640})
    expect(shown.page.locator(".legend-name")).to_be_visible()
    assert 320 == shown.page.evaluate("document.documentElement.scrollWidth")


@pytest.mark.parametrize(
    "address", ["<img src=x onerror=window.hit=1>", "../../metrics", "%zz", "javascript:alert(1)"]
)
def test_an_address_bar_with_markup_is_only_told_that_it_is_no_address(
    agent: RunningAgent, browse: Callable[..., Browsing], address: str
) -> None:
    shown = browse(f"{agent.url}/#/source/{address}")
    expect(shown.page.locator("#fresh")).to_have_text("Live")
    assert "undefined" == shown.page.evaluate("typeof window.hit")
    assert 0 == shown.page.locator("main img").count()


def test_a_filter_with_markup_stays_text(
    agent: RunningAgent, browse: Callable[..., Browsing]
) -> None:
    shown = browse(agent.url)
    shown.page.get_by_role("searchbox").fill("<img src=x onerror=window.hit=1>`")
    expect(shown.page.locator("#sources .empty")).to_contain_text(
        "<img src=x onerror=window.hit=1>"
    )
    assert 0 == shown.page.locator("main img").count()


def test_the_policy_of_the_page_stops_a_script_that_got_in(
    agent: RunningAgent, browse: Callable[..., Browsing]
) -> None:
    """The second wall, were text ever written as markup."""
    shown = browse(agent.url)
    shown.page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=hit=1>')"
    )
    shown.page.wait_for_function("window.violations.length > 0")
    assert "undefined" == shown.page.evaluate("typeof window.hit")
    shown.page.evaluate("window.violations = []")
