"""The page of a report in a real browser: it asks for nothing, and its tables sort and filter."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import logwatch
from conftest import FIXTURES, unavailable
from lab.browser import Visit, chromium, serious
from lab.namespace import LabError
from playwright.sync_api import Browser, expect

from logwatch.report import Options, Report, compare, count
from logwatch.report.html import render_html

SCAN = FIXTURES / "scan" / "lines.log"
MIXED = FIXTURES / "mixed-syslog" / "lines.log"
HOSTILE = "</script><script>alert(1)</script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        with chromium() as started:
            yield started
    except LabError as error:
        raise unavailable(str(error)) from None


Show = Callable[..., Visit]


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Show:
    """Give a function that opens the page of a report on files, with options."""

    def opened(*arguments: str, width: int = 1200) -> Visit:
        path = tmp_path / "report.html"
        logwatch("report", *arguments, "--format", "html", "--output", str(path))
        return Visit(browser, path.as_uri(), width=width)

    return opened


def shown(visit: Visit, table: str) -> list[str]:
    """The first cells of the rows that are seen of the table below a heading."""
    return (
        visit.page.locator(f"#{table} ~ .scroller")
        .first.locator("tbody tr:visible th")
        .all_inner_texts()
    )


def test_a_page_shows_the_report_and_asks_for_nothing(show: Show) -> None:
    visit = show(str(SCAN))
    assert visit.page.locator(".figures dd").all_inner_texts()[:3] == ["144", "4", "121"]
    assert ["203.0.113.66", "192.0.2.10", "192.0.2.11", "192.0.2.12"] == shown(visit, "sources")
    assert 25 == len(shown(visit, "ports"))
    assert "144" in visit.page.locator("svg .hover title").first.text_content()
    assert [] == visit.complaints


def test_a_table_sorts_by_each_column_both_ways(show: Show) -> None:
    visit = show(str(SCAN))
    port = visit.page.locator("#ports ~ .scroller").first.get_by_role("button", name="port")
    port.click()
    up = shown(visit, "ports")
    assert ["1/tcp", "48/tcp", "84/tcp", "131/tcp"] == up[:4], "numbers, not text"
    port.click()
    assert "descending" == port.locator("..").get_attribute("aria-sort")
    visit.page.get_by_text("Show all 121 rows").click()
    down = shown(visit, "ports")
    assert up == down[::-1][: len(up)]
    packets = visit.page.locator("#sources ~ .scroller").first.get_by_role("button", name="packets")
    packets.click()
    packets.click()
    assert "203.0.113.66" == shown(visit, "sources")[-1]
    assert [] == visit.complaints


def test_the_filter_leaves_what_holds_the_text_in_every_table(show: Show) -> None:
    visit = show(str(SCAN))
    box = visit.page.get_by_role("searchbox")
    box.fill("192.0.2.1")
    assert ["192.0.2.10", "192.0.2.11", "192.0.2.12"] == shown(visit, "sources")
    assert 3 == len(shown(visit, "flows"))
    assert [] == shown(visit, "ports")
    assert "6 rows" == visit.page.get_by_role("status").inner_text()
    box.fill("")
    assert 4 == len(shown(visit, "sources"))


def test_keys_lead_to_the_filter_and_sort(show: Show) -> None:
    """As on the live page: `/` to the filter, where it is text, and Escape empties it."""
    visit = show(str(SCAN))
    keyboard = visit.page.keyboard
    keyboard.press("/")
    keyboard.type("30080/")
    box = visit.page.get_by_role("searchbox")
    expect(box).to_have_value("30080/")
    assert ["30080/tcp"] == shown(visit, "ports")
    keyboard.press("Escape")
    expect(box).to_have_value("")
    visit.page.locator("#sources ~ .scroller").first.get_by_role("button", name="source").focus()
    keyboard.press("Enter")
    assert "192.0.2.10" == shown(visit, "sources")[0]


def test_what_came_from_a_log_stays_text(browser: Browser, tmp_path: Path) -> None:
    """Even a prefix, which the command refuses, and the name of a file, that would be scripts."""
    path = tmp_path / '"><img src=x onerror="alert(1)">.log'
    path.write_bytes(SCAN.read_bytes().replace(b"calico-packet", HOSTILE.encode()))
    prefixes = [HOSTILE]
    counted = count([str(path), f"{path}.1"], prefixes, Options(timeline=True))
    earlier = count([str(SCAN)], prefixes, Options())
    report = Report.of(counted.summary, prefixes, counted.inputs, 0)
    page = tmp_path / "report.html"
    compared = compare(counted, earlier, prefixes, 0)
    page.write_text(render_html(report, counted.summary, prefixes, compared))
    visit = Visit(browser, page.as_uri())
    assert [HOSTILE] == shown(visit, "policies")
    assert HOSTILE == visit.page.locator(".legend").inner_text()
    assert HOSTILE in visit.page.locator(".hover title").first.text_content()
    assert [str(path), f"{path}.1"] == shown(visit, "inputs")
    assert f"{path}.1 does not exist" in visit.page.locator(".health").inner_text()
    assert (0, 1) == (visit.page.locator("img").count(), visit.page.locator("script").count())
    assert [] == visit.complaints


def test_a_comparison_tells_what_is_new_and_what_is_gone(show: Show, tmp_path: Path) -> None:
    lines = SCAN.read_bytes().splitlines(keepends=True)
    now, before = tmp_path / "now", tmp_path / "before"
    now.write_bytes(b"".join(line for line in lines if b"SRC=192.0.2.10 " not in line))
    before.write_bytes(b"".join(line for line in lines if b"SRC=203.0.113.66 " not in line))
    visit = show(str(now), "--compare", str(before))
    rows = visit.page.get_by_role("region", name="Sources that changed").locator("tbody tr")
    assert ["203.0.113.66\tnew\t120\t0", "192.0.2.10\tgone\t0\t8"] == rows.all_inner_texts()
    assert [] == visit.complaints


def test_a_narrow_screen_scrolls_tables_and_nothing_else(show: Show) -> None:
    visit = show(str(SCAN), width=360)
    assert 360 == visit.page.evaluate("document.documentElement.scrollWidth")
    assert not visit.page.get_by_role("columnheader", name="first").first.is_visible()
    cells = visit.page.locator(".heat tbody tr").first.locator("td").all()
    assert 1 == len({(cell.bounding_box() or {})["y"] for cell in cells}), "a row is one line"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
def test_axe_finds_nothing_serious(browser: Browser, show: Show, width: int, scheme: str) -> None:
    address = show(str(SCAN), str(SCAN.parent), "--compare", str(MIXED)).page.url
    assert [] == serious(Visit(browser, address, width=width, scheme=scheme).page)


def test_without_its_script_the_tables_are_complete(browser: Browser, show: Show) -> None:
    address = show(str(SCAN)).page.url
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(address)
    assert 121 == page.locator("#ports ~ .scroller").first.locator("tbody tr:visible").count()
    assert not page.get_by_role("searchbox").is_visible()
