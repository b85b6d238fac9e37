"""Debian's Chromium, driven by Playwright, and what a page did in it that it should not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from lab.namespace import LabError
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"

FLAGS = (
    "--no-sandbox",  # tests run as root
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


expect.set_options(timeout=30_000)  # milliseconds: a machine at work fails no test


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser."""
    if not CHROMIUM.exists():
        raise LabError(f"{CHROMIUM} is missing; tests/lab/install.sh installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def serious(page: Page) -> list[str]:
    """What axe finds that keeps people out."""
    if not AXE.exists():
        raise LabError("axe-core is missing: `make .venv/.web-tools` gets it")
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run()")
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


class Visit:
    """A page that was opened; `complaints` are errors, violations of its policy, requests."""

    def __init__(
        self,
        browser: Browser,
        address: str,
        *,
        width: int = 1200,
        scheme: Literal["light", "dark"] = "light",
    ) -> None:
        self.complaints: list[str] = []
        self.page: Page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "request",
            lambda request: self.complaints.append(request.url) if request.url != address else None,
        )
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.goto(address)
