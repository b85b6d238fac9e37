"""`logwatch blacklist`: what the agent has decided, and decisions by hand.

All go to the running agent, by the socket in its state directory. Without one `list` shows what was
saved last.
"""

import io
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from logwatch.cli.output import is_on_terminal, write_out
from logwatch.config import Config
from logwatch.control import (
    Add,
    Answer,
    Approve,
    Done,
    Entries,
    Entry,
    Explained,
    List,
    NotRunningError,
    Proof,
    Refused,
    Remove,
    Request,
    Why,
    ask,
    entries_of,
)
from logwatch.errors import LogwatchError, UsageError
from logwatch.ledger import saved_documents
from logwatch.offenders import (
    BANS,
    TargetError,
    check_request,
    open_bans,
    read_target,
    sent_in_words,
)
from logwatch.offenders.language import BAN_MOST, Wrong, duration, format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Format = Literal["table", "json"]

WIDTH = 80
"""Where no terminal has more."""


class RefusedError(LogwatchError):
    """The agent did not do it."""


class RefusedUsageError(UsageError):
    """The agent says that it was asked in a wrong way."""


def run(
    command: str,
    *,
    state: str | None,
    config: str | None,
    format: Format,  # noqa: A002 - the option's name
    target: str = "",
    **options: Any,  # noqa: ANN401 - those of add
) -> None:
    """Ask the agent, and show its answer."""
    request = _request(command, target, options)
    directory = _directory(state, config)
    try:
        answer = ask(directory, request)
    except NotRunningError as error:
        if not isinstance(request, List):
            raise
        answer = _saved(directory, error)
    _show(answer, format)


def _request(command: str, target: str, options: dict[str, Any]) -> Request:
    """Make the request; what is wrong with it is told without asking."""
    if command == "list":
        return List()
    network = str(read_target(target))
    if command == "add":
        try:
            seconds = duration(options["duration"], BAN_MOST)
        except Wrong as wrong:
            raise TargetError(f"--for: {wrong.what}; {wrong.remedy}") from None
        check_request(seconds, options["reason"])
        return Add(network, seconds, options["reason"], options["force"])
    requests: dict[str, Callable[[str], Request]] = {
        "remove": Remove,
        "approve": Approve,
        "why": Why,
    }
    return requests[command](network)


def _directory(state: str | None, config: str | None) -> Path:
    """Name the state directory as the agent does."""
    if state is not None:
        return Path(state)
    if config is None:
        return Path(Config().state)
    from logwatch.config.file import load

    return Path(load(Path(config)).state)


def _saved(directory: Path, error: NotRunningError) -> Entries:
    """Read what the last agent has saved; one that never ran there leaves the error."""
    documents = saved_documents(directory, BANS)
    if documents is None:
        raise error
    sys.stderr.write(f"logwatch: {error}\nlogwatch: this is what was saved last:\n")
    return Entries(entries_of(open_bans(documents, time.time())))


def _show(answer: Answer, output_format: Format) -> None:
    match answer:
        case Refused(text, kind):
            raise RefusedUsageError(text) if kind == "usage" else RefusedError(text)
        case Entries(entries):
            if output_format == "json":
                _write_json({"entries": entries})
            else:
                _print(_table(entries) if entries else Text("nobody is banned"))
        case Done(text, entry, notes):
            if output_format == "json":
                _write_json({"entry": entry, "notes": notes})
            else:
                write_out("".join(f"{line}\n" for line in (text, *notes)))
        case Explained():
            if output_format == "json":
                body = msgspec.to_builtins(answer)
                del body["type"]  # which answers go over the socket is told apart by
                _write_json(body)
            else:
                write_out("".join(f"{line}\n" for line in _explained(answer)))


def _explained(answer: Explained) -> "Iterator[str]":
    yield answer.verdict
    for entry in answer.entries:
        forced = ", forced" if entry.forced else ""
        yield f"  entry   {entry.cidr}, {entry.rule}{forced}: {entry.reason or '-'}"
        if entry.evidence is not None:
            yield from _evidence(entry.evidence)
    if answer.ended is not None:
        yield (
            f"  before  {answer.ended.rule}, until {answer.ended.expires}:"
            f" {answer.ended.reason or '-'}; its next ban is no. {answer.next_offence}"
        )
    for stop in answer.stops:
        yield f"  stops   {stop}"
    for near in answer.rules:
        yield (
            f"  near    {near.rule}: {near.reached} of {near.threshold} {near.measure} within"
            f" {format_duration(near.within)}"
        )


def _evidence(evidence: Proof) -> "Iterator[str]":
    yield f"  sent    {sent_in_words(evidence)}"
    yield f"  seen    {evidence.first} to {evidence.last}"
    if evidence.samples:
        from logwatch.packets.explain import printable  # with a grammar, which takes a while

        for line in evidence.samples:
            yield f"  line    {printable(line.encode())}"


def _table(entries: tuple[Entry, ...]) -> Table:
    """One row an entry; only a rule's name is folded: 203.0.113.7/3 above 2 would be misread."""
    table = Table(box=SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    for column in ("network", "phase", "rule", "by", "no.", "expires (UTC)"):
        table.add_column(column, overflow="fold", no_wrap=column != "rule")
    for entry in entries:
        table.add_row(
            Text(entry.cidr),
            entry.phase,
            Text(entry.rule),
            "forced" if entry.forced else entry.by,
            str(entry.offence),
            entry.expires.replace("T", " ").removesuffix("Z"),
        )
    return table


def _print(shown: Table | Text) -> None:
    if is_on_terminal():
        # A narrower terminal wraps by itself; a table made for it would cut networks.
        Console(width=max(WIDTH, Console().width)).print(shown)
        return
    written = io.StringIO()
    Console(width=WIDTH, file=written).print(shown)
    write_out("".join(f"{line.rstrip()}\n" for line in written.getvalue().splitlines()))


def _write_json(body: dict[str, Any]) -> None:
    text = json.dumps({"schema": 1, **msgspec.to_builtins(body)}, indent=2)
    write_out(f"{text}\n")
