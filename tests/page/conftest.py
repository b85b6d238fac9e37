"""The live page in Debian's Chromium, served by a real agent that reads what a test writes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import unavailable
from lab.agent import RunningAgent
from lab.browser import chromium as started
from lab.namespace import LabError
from page.browsing import Browsing
from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Give a browser; a module's own, since Playwright keeps an event loop while it is open."""
    try:
        with started() as browser:
            yield browser
    except LabError as error:
        raise unavailable(str(error)) from None


@pytest.fixture
def browse(chromium: Browser) -> Iterator[Callable[..., Browsing]]:
    """Give a function that opens an address with settings of a context.

    When the test ends: nothing was thrown, refused by the policy, or asked of another server.
    """
    with ExitStack() as stack:
        yield lambda url, **settings: stack.enter_context(Browsing(chromium, url, **settings))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Give the log that the agent follows."""
    path = tmp_path / "syslog"
    path.touch()
    return path


@pytest.fixture
def start_agent(tmp_path: Path, log: Path) -> Iterator[Callable[..., RunningAgent]]:
    """Give a function that starts an agent with options; all of them end with the test."""
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(
            RunningAgent(tmp_path / "agent", *options, log=log)
        )
