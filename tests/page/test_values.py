"""What the live page shows is what was written to the log."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from lab.agent import RunningAgent
from page.browsing import Browsing
from page.lines import packet, write
from playwright.sync_api import expect

Start = Callable[..., RunningAgent]
Browse = Callable[..., Browsing]

BANNED = "203.0.113.66"


@pytest.fixture
def agent(start_agent: Start, log: Path, tmp_path: Path) -> RunningAgent:
    """Enforces; has read a scan, two who tried one port each, and a packet of IPv6."""
    agent = start_agent("--mode", "enforce", "--policy-file", str(tmp_path / "blacklist.yaml"))
    write(
        log,
        *(packet(BANNED, port, interface="eth0") for port in range(1001, 1021)),
        *(packet("203.0.113.9", 443) for _ in range(7)),
        *(packet("203.0.113.10", 22) for _ in range(5)),
        packet("2001:db8::7", 22),
    )
    networks = "logwatch_blacklist_networks"
    agent.wait_for(lambda: agent.metrics(networks).get(("enforced",)), "ban in the policy")
    agent.wait_for(lambda: agent.total("logwatch_denied_packets_total") == 33, "packets")
    return agent


@pytest.fixture
def shown(agent: RunningAgent, browse: Browse) -> Browsing:
    return browse(agent.url)


def test_the_figures_are_those_of_the_log(shown: Browsing) -> None:
    expect(shown.figure("Denied, last hour")).to_have_text("33")
    expect(shown.figure("Sources, 5 minutes")).to_have_text("4")
    expect(shown.figure("Networks banned")).to_have_text("1")
    expect(shown.page.locator("#health")).to_have_attribute("data-level", "ok")
    expect(shown.page.locator("#mode")).to_have_text("enforce")


def test_the_tables_show_who_was_denied_and_where(shown: Browsing) -> None:
    expect(shown.page.locator("#sources tbody tr")).to_have_count(4)
    assert [
        [f"{BANNED} enforced", "20", "20"],
        ["203.0.113.9", "7", "7"],
        ["203.0.113.10", "5", "5"],
        ["2001:db8::7", "1", "1"],
    ] == [row[:3] for row in shown.rows("sources")]
    assert [["443/tcp https", "7", "7"], ["22/tcp ssh", "6", "6"]] == shown.rows("ports")[:2]
    expect(shown.page.locator("#interfaces .pairs > div")).to_have_text(["eth0 20", "eth1 13"])


def test_the_chart_and_its_legend_tell_the_policies(shown: Browsing) -> None:
    expect(shown.page.locator(".legend-name")).to_have_text(["calico-packet"])
    expect(shown.page.locator(".legend-entry")).to_have_attribute(
        "title", "33 packets in the last hour"
    )
    chart = shown.page.get_by_role("slider", name="Denied packets per second")
    chart.focus()
    rates = []
    for key in ("End", *["ArrowLeft"] * 12):
        chart.press(key)
        told = re.search(
            "calico-packet ([0-9.]+) per second", chart.get_attribute("aria-valuetext") or ""
        )
        rates.append(float(told[1]) if told else 0.0)
    assert 33 == round(10 * sum(rates)), rates  # of steps of ten seconds, in one or in two of them
    chart.press("Home")
    expect(chart).to_have_attribute("aria-valuetext", re.compile(": not running$"))


def test_a_ban_is_shown_with_its_reason_its_end_and_the_undo(shown: Browsing) -> None:
    row = shown.page.locator("#blacklist tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(BANNED)
    expect(row).to_contain_text("20 distinct ports within 1m (rule many-ports: 15)")
    expect(row).to_contain_text("in 59 min")
    expect(
        row.get_by_role("button", name=f"Copy: logwatch blacklist remove {BANNED}")
    ).to_be_visible()


def test_who_comes_near_a_rule_is_shown_with_a_bar(shown: Browsing, log: Path) -> None:
    write(log, *(packet("203.0.113.77", port) for port in range(1, 13)))
    row = shown.page.locator("#offenders tbody tr", has_text="203.0.113.77")
    expect(row).to_contain_text("12 of 15 ports in 1 min")
    expect(row).to_contain_text("80 %")
    width = row.locator(".meter-fill").evaluate("bar => bar.style.width")
    assert "80%" == width


def test_new_packets_appear_without_a_touch_and_what_the_reader_does_stays(
    shown: Browsing, log: Path
) -> None:
    """Focus, the selected text and the order of rows survive a renewal."""
    shown.sort("sources", "Source")
    link = shown.page.locator("#sources").get_by_role("link", name="203.0.113.10", exact=True)
    link.focus()
    shown.page.evaluate("document.getSelection().selectAllChildren(document.activeElement)")
    write(log, *(packet("203.0.113.10", 22) for _ in range(100)))
    expect(shown.page.locator("#sources tbody tr", has_text="203.0.113.10")).to_contain_text("105")
    assert "203.0.113.10" == shown.page.evaluate("document.activeElement.textContent")
    assert "203.0.113.10" == shown.page.evaluate("document.getSelection().toString()")
    assert ["203.0.113.9", "203.0.113.10", f"{BANNED} enforced", "2001:db8::7"] == [
        row[0] for row in shown.rows("sources")
    ]


def test_rows_change_places_but_not_under_the_pointer(shown: Browsing, log: Path) -> None:
    first = shown.page.locator("#sources tbody tr").first
    expect(first).to_contain_text(BANNED)
    first.hover()
    write(log, *(packet("203.0.113.9", 443) for _ in range(100)))
    expect(shown.page.locator("#sources tbody tr", has_text="203.0.113.9")).to_contain_text("107")
    expect(first).to_contain_text(BANNED)
    shown.page.mouse.move(0, 0)
    expect(first).to_contain_text("203.0.113.9")


def test_a_head_sorts_and_sorts_the_other_way(shown: Browsing) -> None:
    expect(shown.page.locator("#sources tbody tr")).to_have_count(4)
    shown.sort("sources", "Packets")
    assert ["1", "5", "7", "20"] == [row[1] for row in shown.rows("sources")]
    head = shown.page.locator("#sources th", has_text="Packets")
    expect(head).to_have_attribute("aria-sort", "ascending")
    shown.sort("sources", "Packets")
    assert ["20", "7", "5", "1"] == [row[1] for row in shown.rows("sources")]
    shown.sort("sources", "Last hour")
    expect(head).not_to_have_attribute("aria-sort", "ascending")
    assert any("sort=recent" in asked for asked in shown.asked())


def test_a_filter_is_of_addresses_and_ports_and_can_be_taken_back(shown: Browsing) -> None:
    shown.page.keyboard.press("/")
    shown.page.keyboard.type("113.9")
    expect(shown.page.locator("#sources tbody tr")).to_have_count(1)
    expect(shown.page.locator("#ports .empty")).to_contain_text("Nothing here matches “113.9”")
    expect(shown.page.locator("#blacklist .empty")).to_have_text("No ban matches “113.9”.")
    shown.page.keyboard.press("Escape")
    expect(shown.page.locator("#sources tbody tr")).to_have_count(4)


def test_a_source_has_a_page(shown: Browsing) -> None:
    shown.page.get_by_role("link", name=BANNED, exact=True).first.click()
    page = shown.page.locator("#source")
    expect(page.get_by_role("heading", level=1)).to_have_text(BANNED)
    expect(page.locator(".verdict-text")).to_contain_text("is banned until")
    expect(page.locator(".samples li")).to_have_count(5)
    expect(page.locator(".samples li").first).to_contain_text(f"SRC={BANNED} DST=198.51.100.1")
    expect(page.locator(".rules li", has_text="many-ports")).to_contain_text("of 15 ports in 1 min")
    expect(page.locator("tbody tr")).to_have_count(12)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("tbody tr")).to_have_count(20)
    expect(page.locator(".pairs").first).to_contain_text("20 packets")
    assert f"{shown.page.url.split('#')[0]}#/source/{BANNED}" == shown.page.url
    shown.page.go_back()
    expect(shown.page.locator("#sources tbody tr")).to_have_count(4)


def test_the_undo_is_copied(agent: RunningAgent, browse: Browse) -> None:
    shown = browse(f"{agent.url}/#/source/{BANNED}")
    shown.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    row = shown.page.locator(".command", has_text="Undo the ban")
    row.get_by_role("button", name=f"Copy: logwatch blacklist remove {BANNED}").click()
    expect(row.get_by_role("button")).to_have_text("Copied")
    assert f"logwatch blacklist remove {BANNED}" == shown.page.evaluate(
        "navigator.clipboard.readText()"
    )


def test_without_a_clipboard_the_older_way_copies(agent: RunningAgent, browse: Browse) -> None:
    """As over plain HTTP from another machine."""
    shown = browse(f"{agent.url}/#/source/{BANNED}")
    shown.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    shown.page.evaluate(
        "document.addEventListener('copy', () => { window.copied = document.activeElement.value; })"
    )
    row = shown.page.locator(".command", has_text="See why")
    row.get_by_role("button").click()
    expect(row.get_by_role("button")).to_have_text("Copied")
    assert f"logwatch blacklist why {BANNED}" == shown.page.evaluate("window.copied")


def test_an_address_is_looked_up_by_enter_and_the_unknown_is_told(shown: Browsing) -> None:
    search = shown.page.get_by_role("searchbox")
    search.fill("192.0.2.1")
    search.press("Enter")
    expect(shown.page.locator("#source .empty").first).to_have_text(
        "Nothing is known of this source."
    )
    expect(shown.page.locator("#fresh")).to_have_text("Live")


def test_ages_are_by_the_clock_of_the_server(agent: RunningAgent, browse: Browse) -> None:
    """A browser whose clock is years off tells them right."""
    shown = browse(f"{agent.url}/#/source/{BANNED}")
    shown.page.clock.install(time="2031-01-01")
    shown.page.reload()
    facts = shown.page.locator("#source .pairs").first
    expect(facts.locator("time").first).to_have_text(re.compile(r"^\d+ s ago$"))
    expect(shown.page.locator(".verdict-more")).to_contain_text("Ends in 59 min")
