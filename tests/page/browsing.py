"""A page that is open in a browser, and all that went wrong in it."""

from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, Page

VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective}: ${event.blockedURI}`));
"""


class Browsing:
    """A tab of its own; a context manager that in the end asserts that nothing went wrong."""

    def __init__(self, browser: Browser, url: str, **settings: Any) -> None:  # noqa: ANN401
        self._context = browser.new_context(**({"timezone_id": "Asia/Tokyo"} | settings))
        self._context.set_default_timeout(15_000)
        self._server = _server(url)
        self.page: Page = self._context.new_page()
        self.page.add_init_script(VIOLATIONS)
        self.requests: list[str] = []
        self.thrown: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.thrown.append(str(error)))
        self.page.goto(url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                assert [] == self.thrown
                assert [] == self.page.evaluate("window.violations")
                assert {self._server} == {_server(url) for url in self.requests}
        finally:
            self._context.close()

    def rows(self, table: str) -> list[list[str]]:
        """Give the text of each cell of a table, by the id of its card."""
        return [
            [" ".join(cell.split()) for cell in row.locator("td").all_inner_texts()]
            for row in self.page.locator(f"#{table} tbody tr").all()
        ]

    def figure(self, name: str) -> Locator:
        """Give the number on a tile."""
        return self.page.locator(".figure", has_text=name).locator(".figure-number")

    def sort(self, table: str, column: str) -> None:
        """Press a table's head."""
        self.page.locator(f"#{table} thead").get_by_role("button", name=column).click()
        self.page.mouse.move(0, 0)

    def asked(self) -> list[str]:
        """Give the paths and arguments of what was asked of the API."""
        return [url.partition("/api/")[2] for url in self.requests if "/api/" in url]


def _server(url: str) -> str:
    """Give host and port of an address, without a password."""
    return urlsplit(url).netloc.rpartition("@")[2]
