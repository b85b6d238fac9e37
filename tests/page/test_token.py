"""Behind a token the page works as without one; the browser sends it as a password."""

from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from export.serving import Files
from lab.agent import RunningAgent
from page.browsing import Browsing
from page.lines import packet, write
from playwright.sync_api import expect

Browse = Callable[..., Browsing]

TOKEN = "a-secret-of-some-length"
KNOWING = {"http_credentials": {"username": "anybody", "password": TOKEN}}
SOURCE = "203.0.113.9"


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


@pytest.fixture
def start(
    start_agent: Callable[..., RunningAgent], token: Path, log: Path, tmp_path: Path
) -> Callable[..., RunningAgent]:
    """Give a function that starts an agent with a token, and with the settings of `web`."""

    def started(**web: str) -> RunningAgent:
        config = tmp_path / "agent.yaml"
        settings = {"token_file": str(token)} | web
        config.write_text("web:\n" + "".join(f"  {key}: {settings[key]}\n" for key in settings))
        write(log, *(packet(SOURCE, port) for port in range(1, 8)))
        return start_agent("--config", str(config), "--from", "start")

    return started


def look_around(shown: Browsing, log: Path) -> None:
    """Live updates, the page of a source and back, and the links of the foot."""
    row = shown.page.locator("#sources tbody tr", has_text=SOURCE)
    expect(row.locator("td").nth(1)).to_have_text("7")
    write(log, packet(SOURCE, 8))
    expect(row.locator("td").nth(1)).to_have_text("8")
    row.get_by_role("link").click()
    expect(shown.page.locator("#source .samples li")).to_have_count(5)
    shown.page.get_by_role("link", name="metrics").click()
    expect(shown.page.locator("body")).to_contain_text("logwatch_denied_packets_total")
    shown.page.go_back()
    expect(shown.page.locator("#source .samples li")).to_have_count(5)
    shown.page.get_by_role("link", name="this page as JSON").click()
    expect(shown.page.locator("body")).to_contain_text('"schema":1')
    shown.page.go_back()
    expect(shown.page.locator("#fresh")).to_have_text("Live")


def test_who_gives_it_sees_all_and_is_told_that_it_goes_in_the_clear(
    start: Callable[..., RunningAgent], browse: Browse, log: Path
) -> None:
    shown = browse(start().url, **KNOWING)
    expect(shown.page.locator("#health")).to_contain_text("is sent in the clear")
    look_around(shown, log)


def test_over_tls_all_is_well(
    start: Callable[..., RunningAgent], browse: Browse, log: Path, tmp_path: Path
) -> None:
    files = Files(tmp_path / "tls", trustme.CA())
    files.issue()
    agent = start(certificate_file=files.path("tls.crt"), key_file=files.path("tls.key"))
    assert agent.url.startswith("https://")
    shown = browse(agent.url, ignore_https_errors=True, **KNOWING)
    expect(shown.page.locator("#health")).to_have_attribute("data-level", "ok")
    look_around(shown, log)


def test_it_may_stand_in_the_address(
    start: Callable[..., RunningAgent], browse: Browse, log: Path
) -> None:
    """As in a bookmark; no address that the page asks may hold it then."""
    shown = browse(start().url.replace("://", f"://anybody:{TOKEN}@"))
    look_around(shown, log)


def test_who_gives_another_one_is_told_what_is_needed(
    start: Callable[..., RunningAgent], browse: Browse
) -> None:
    wrong = {"username": "anybody", "password": "another"}
    shown = browse(start().url, http_credentials=wrong)
    expect(shown.page.locator("body")).to_have_text("A token is needed (web.token_file).")


def test_one_that_holds_no_more_is_asked_for_once(
    start: Callable[..., RunningAgent], browse: Browse, token: Path
) -> None:
    """And not with each question, where each makes the browser ask the reader."""
    shown = browse(start().url, **KNOWING)
    expect(shown.page.locator("#fresh")).to_have_text("Live")
    shown.page.clock.install()
    token.write_text("another")
    banner = shown.page.get_by_role("alert")
    shown.page.clock.run_for(4_000)
    expect(banner).to_contain_text("The server asks for a token again. What you see is of ")
    before = len(shown.asked())
    shown.page.clock.run_for(60_000)
    assert before == len(shown.asked())
    expect(shown.page.locator("#fresh")).to_have_text("No answer")
