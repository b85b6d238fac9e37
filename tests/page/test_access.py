"""For everybody: by keyboard, in light and dark, on wide and narrow screens, without motion."""

from collections.abc import Callable
from pathlib import Path

import pytest
from lab.agent import RunningAgent
from lab.browser import serious
from page.browsing import Browsing
from page.lines import packet, write
from playwright.sync_api import expect

Browse = Callable[..., Browsing]

CUT_OFF = """
[...document.querySelectorAll(".scroller")].filter((box) => box.scrollWidth > box.clientWidth)
  .map((box) => box.querySelector("caption").textContent)
"""
"""Tables that have to be scrolled to see a row's end."""

WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 320, "height": 640}


@pytest.fixture
def agent(start_agent: Callable[..., RunningAgent], log: Path) -> RunningAgent:
    """Has something to show in every table."""
    agent = start_agent()
    write(
        log,
        *(packet("203.0.113.66", port) for port in range(1, 21)),
        *(packet("203.0.113.9", port) for port in range(1, 13)),
        packet("2001:db8:1234:5678:9abc:def0:1234:5678"),
    )
    agent.wait_for(lambda: agent.total("logwatch_denied_packets_total") == 33, "packets")
    return agent


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("path", ["/", "/#/source/203.0.113.66"])
def test_axe_finds_nothing_serious_and_nothing_is_cut_off(
    agent: RunningAgent, browse: Browse, path: str, size: dict[str, int], colours: str
) -> None:
    shown = browse(f"{agent.url}{path}", viewport=size, color_scheme=colours)
    expect(shown.page.locator("tbody tr:visible").first).to_be_visible()
    assert [] == serious(shown.page)
    assert size["width"] == shown.page.evaluate("document.documentElement.scrollWidth")
    assert [] == shown.page.evaluate(CUT_OFF)


def test_axe_finds_nothing_serious_in_the_empty_page(
    start_agent: Callable[..., RunningAgent], browse: Browse
) -> None:
    shown = browse(start_agent().url)
    expect(shown.page.locator("#sources .empty")).to_be_visible()
    assert [] == serious(shown.page)


def test_everything_is_reached_by_keyboard(agent: RunningAgent, browse: Browse) -> None:
    """Skip link, sorting, the page of a source, and back."""
    shown = browse(agent.url)
    expect(shown.page.locator("#history .legend-entry")).to_be_visible()
    shown.page.keyboard.press("Tab")
    expect(shown.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    shown.page.keyboard.press("Enter")
    expect(shown.page.locator("#main")).to_be_focused()
    for name in ("chart", "legend-entry", "sort"):
        shown.page.keyboard.press("Tab")
        assert name in shown.page.evaluate("document.activeElement.className")
    shown.page.keyboard.press("Enter")
    expect(shown.page.locator("#sources th").first).to_have_attribute("aria-sort", "ascending")
    for _ in range(4):
        shown.page.keyboard.press("Tab")
    shown.page.keyboard.press("Enter")
    heading = shown.page.get_by_role("heading", level=1)
    expect(heading).to_have_text("203.0.113.9")
    expect(heading).to_be_focused()
    shown.page.keyboard.press("Shift+Tab")
    shown.page.keyboard.press("Enter")
    expect(shown.page.locator("#sources tbody tr")).to_have_count(3)


def test_the_focus_is_seen(agent: RunningAgent, browse: Browse) -> None:
    shown = browse(agent.url)
    for _ in range(3):
        shown.page.keyboard.press("Tab")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert "solid" == shown.page.evaluate(outline)


def test_a_theme_is_chosen_and_kept(agent: RunningAgent, browse: Browse) -> None:
    shown = browse(agent.url, color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = shown.page.evaluate(ground)
    button = shown.page.get_by_role("button", name="Theme")
    button.click()
    button.click()
    expect(button).to_have_text("Theme: dark")
    dark = shown.page.evaluate(ground)
    assert light != dark
    shown.page.reload()
    assert dark == shown.page.evaluate(ground)


def test_who_wants_no_motion_gets_none(agent: RunningAgent, browse: Browse) -> None:
    shown = browse(agent.url, reduced_motion="reduce")
    expect(shown.page.locator("#fresh")).to_have_text("Live")
    assert 0 == shown.page.evaluate("document.getAnimations().length")
