"""What is wrong with the parts of a daemon now: told in the log when it comes, changes or goes."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import structlog


class Problems:
    """Written by one thread, read by any."""

    def __init__(self, log: structlog.typing.FilteringBoundLogger) -> None:
        self._log = log
        self._now: dict[str, str] = {}

    @property
    def now(self) -> Mapping[str, str]:
        """In a sentence each, by part; it does not change any more."""
        return MappingProxyType(self._now)

    def tell(self, part: str, problem: str | None, *, again: str = "") -> None:
        """Take note of what is wrong with a part; of None, when nothing is, `again` is the line."""
        if self._now.get(part, "") == (problem or ""):
            return
        others = {name: text for name, text in self._now.items() if name != part}
        if problem:
            self._now = {**others, part: problem}
            self._log.warning("degraded", part=part, problem=problem)
        else:
            self._now = others
            self._log.info(again or f"{part} works again", part=part)

    def forget(self, parts: Iterable[str]) -> None:
        """Drop what is known of parts that are not at work any more, without a word."""
        self._now = {name: text for name, text in self._now.items() if name not in {*parts}}
