"""The live page: its files, and the two answers that it is made of.

What is answered is asked of whoever serves; here are addresses, their arguments, and the files of
the package, which are read once. No part of a request is ever a path of the disk.
"""

import contextlib
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal, Protocol

from logwatch.errors import LogwatchError

Sort = Literal["packets", "recent", "last"]

SORTS: tuple[Sort, ...] = ("packets", "recent", "last")

TOP = 50
"""Sources and ports on one page, unless others are asked for."""

MOST = 1000
"""More are for Prometheus."""

QUERY_MOST = 100
"""Characters: longer than any address, port or policy."""

FILES = Path(__file__).parent / "static"

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}

INDEX = "index.html"

CHARTS = ("vendor/uPlot.esm.js", "vendor/uPlot.min.css")
"""The chart library, which is not in the repository: without it the page stays empty."""


class StaticError(LogwatchError):
    """A file of the page is missing."""


class BadRequestError(Exception):
    """What was asked for makes no sense; the text is for people."""


class NotHereError(Exception):
    """Another server knows what was asked for; the text is for people."""


class BusyError(Exception):
    """No answer in time; the text is for people."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the summary is wanted."""

    top: int = TOP
    """Lines of each table."""
    sort: Sort = SORTS[0]
    query: str = ""
    """In lower case; only what holds it is shown."""


class Page(Protocol):
    """Who knows what the page shows; called on worker threads."""

    def summary(self, asked: Asked) -> bytes:
        """Give the JSON of the summary. Raises BusyError."""

    def source(self, address: str) -> bytes | None:
        """Give the JSON of a source; None where nothing is known.

        Raises BadRequestError, NotHereError, BusyError.
        """


@dataclass(frozen=True, slots=True)
class File:
    """One file of the page."""

    packed: bytes
    """By gzip; what all browsers take is all that is kept, a third of the files."""
    content_type: str
    tag: str
    """Of the content, for `ETag`; a weak one, for it is that of the packed body as well."""

    @property
    def body(self) -> bytes:
        """As it is in the package."""
        return gzip.decompress(self.packed)

    def is_held(self, tags: str) -> bool:
        """Whether a client has it by the tags of `If-None-Match`."""
        held = {tag.strip() for tag in tags.split(",")}
        return not held.isdisjoint({self.tag, self.tag.removeprefix("W/"), "*"})


def read_files(folder: Path = FILES) -> Mapping[str, File]:
    """Read what the page is made of, by the names under `/static/`. Raises StaticError."""
    files = {}
    try:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and (content_type := TYPES.get(path.suffix)) is not None:
                files[str(path.relative_to(folder))] = _file(path.read_bytes(), content_type)
    except OSError as error:
        raise StaticError(f"the live page can't be read ({error}): install logwatch anew") from None
    if INDEX not in files:
        raise StaticError(f"the live page is missing from {folder}: install logwatch anew")
    if missing := [name for name in CHARTS if name not in files]:
        raise StaticError(
            f"the live page lacks {', '.join(missing)} in {folder}: the package was built without"
            " its chart library, which web/install.sh gets; build it by `make install` or"
            " deploy/Dockerfile"
        )
    return files


def _file(body: bytes, content_type: str) -> File:
    tag = f'W/"{sha256(body).hexdigest()[:32]}"'
    return File(gzip.compress(body, mtime=0), content_type, tag)


def asked_for(arguments: Mapping[str, str]) -> Asked:
    """Read the arguments of a request. Raises BadRequestError."""
    top = arguments.get("top", str(TOP))
    number = 0
    with contextlib.suppress(ValueError):  # also of more digits than Python reads
        number = int(top) if top.isascii() and top.isdecimal() else 0
    if not 1 <= number <= MOST:
        raise BadRequestError(f"top is a number from 1 to {MOST}")
    sort = arguments.get("sort", SORTS[0])
    if sort not in SORTS:
        raise BadRequestError(f"sort is one of {', '.join(SORTS)}")
    query = arguments.get("query", "")
    if len(query) > QUERY_MOST:
        raise BadRequestError(f"query has {QUERY_MOST} characters at the most")
    return Asked(number, sort, query.strip().lower())
