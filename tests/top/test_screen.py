"""The live screen against a server that answers as an agent does."""

import pytest
from top import served
from top.served import Served
from top.watching import Watching, watch

from logwatch.top import Server
from logwatch.top.summary import Summary

SCANNER = "203.0.113.7"

BUSY = served.summary(
    history=served.history(blacklist=[30, 20, 12], nodeports=[0, 0, 8]),
    totals={"packets": 1_234_567, "bytes": 1, "logged": 3, "sources": 42},
    sources=[
        served.source(SCANNER, 2000, phase="enforce", rule="many-ports"),
        *(served.source(f"192.0.2.{host}", 1000 - host) for host in range(1, 60)),
    ],
    other_sources={"packets": 77},
    ports=[served.port(22, "tcp", 900, "ssh"), served.port(None, "icmp", 5)],
    offenders=[served.offender("198.51.100.9", 12, 15)],
    blacklist=[served.ban(f"{SCANNER}/32")],
    networks={"decided": 2, "enforced": 1},
)


def test_the_screen_of_80_columns_holds_all_that_matters() -> None:
    async def look(seen: Watching) -> None:
        await seen.until_shown(SCANNER, "2.5 denied/s", "22/tcp ssh", f"{SCANNER}/32")
        assert 24 == len(seen.lines())
        assert "worker-1" in seen.lines()[0]
        assert "1,234,567 denied, 3 logged" in seen.lines()[0]
        assert "● reads /var/log/syslog, last packet 3s ago" in seen.lines()[1]
        assert "42 in 5 min, 77 packets of others" in seen.text()
        assert [SCANNER, "2,000", "2,000"] == seen.row(SCANNER)[:3]
        assert ["1s", "enforced", "many-ports"] == seen.row(SCANNER)[-3:]
        assert "900" in seen.line("22/tcp ssh")
        assert "-/icmp" in seen.text()
        assert "80%  12/15 ports" in seen.line("198.51.100.9")
        assert "2 decided, 1 enforced" in seen.text()
        assert "59m  enforced" in seen.line(f"{SCANNER}/32")
        assert "q quit" in seen.lines()[-1]

    with Served(BUSY) as server:
        watch(Server(server.url), look)


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (120, 40), (200, 60)])
def test_it_fits_any_size_and_another_one_at_once(size: tuple[int, int]) -> None:
    async def look(seen: Watching) -> None:
        await seen.until_shown(SCANNER)
        assert {80} == {len(line) for line in seen.lines()}
        await seen.pilot.resize_terminal(*size)
        await seen.until(lambda: len(seen.lines()) == size[1])
        await seen.until_shown(SCANNER, "Ports", "Blacklist")
        assert {size[0]} == {len(line) for line in seen.lines()}
        assert "q quit" in seen.lines()[-1]

    with Served(BUSY) as server:
        watch(Server(server.url), look)


def test_a_wide_screen_shows_more_of_it_side_by_side() -> None:
    async def look(seen: Watching) -> None:
        await seen.until_shown("2.0 blacklist", "0.5 nodeports", "192.0.2.15")
        await seen.until(lambda: "Ports" in seen.line("Blacklist"))
        assert "Near a rule" in seen.line("Blacklist")
        assert "many-ports  15 dist" in seen.line(f"{SCANNER}/32")

    with Served(BUSY) as server:
        watch(Server(server.url), look, size=(170, 50))


def test_keys_sort_and_filter_by_asking_the_server() -> None:
    async def look(seen: Watching) -> None:
        await seen.until_shown("packets ▼")
        await seen.press("s")
        await seen.until_shown("5 min ▼")
        await seen.press("s")
        await seen.until_shown("last ▼")
        await seen.press("slash", *"30080")
        await seen.until(lambda: server.asked[-1].get("query") == "30080")
        assert "last" == server.asked[-1]["sort"]
        await seen.press("enter")
        await seen.until_shown("filter: 30080")
        await seen.press("escape")
        await seen.until(lambda: "query" not in server.asked[-1])
        await seen.until_gone("filter: 30080")

    with Served(BUSY) as server:
        watch(Server(server.url), look)


def test_the_cursor_stays_with_its_source_when_the_order_changes() -> None:
    async def look(seen: Watching) -> None:
        await seen.until_shown(SCANNER)
        await seen.press("down", "down")
        first, *others = BUSY["sources"]
        server.summary = {**BUSY, "sources": [*reversed(others), first], "name": "turned"}
        await seen.until_shown("turned")
        server.sources["192.0.2.2"] = {"schema": 1, "source": "192.0.2.2", "verdict": "not banned"}
        await seen.press("enter")
        await seen.until_shown("192.0.2.2", "not banned")

    with Served(BUSY) as server:
        watch(Server(server.url), look)


def test_one_table_can_have_the_screen_for_itself() -> None:
    async def look(seen: Watching) -> None:
        await seen.until_shown("192.0.2.6")
        assert "192.0.2.12" not in seen.text()
        await seen.press("z")
        await seen.until_shown("192.0.2.12")
        assert "Ports" not in seen.text()
        await seen.press("end")
        await seen.until_shown("192.0.2.59", "of 60")
        await seen.press("escape")
        await seen.until_shown("Ports", "denied/s")

    with Served(BUSY) as server:
        watch(Server(server.url), look)


DETAILS = {
    "schema": 1,
    "source": SCANNER,
    "packets": 2000,
    "bytes": 80_000,
    "first": served.NOW - 7200.0,
    "last": served.NOW - 60.0,
    "timeline": {"start": served.NOW - 3600.0, "step": 60.0, "packets": [0] * 59 + [7]},
    "ports": [
        {"protocol": "tcp", "port": 22, "service": "ssh", "packets": 1900},
        {"protocol": None, "port": 4242, "service": None, "packets": None},
    ],
    "nodes": [{"node": "worker-2", "packets": 2000}],
    "rules": [
        {
            "rule": "many-ports",
            "measure": "distinct ports",
            "has": 7,
            "needs": 15,
            "window": 60,
            "share": 0.5,
            "hindrance": "it is banned already",
        }
    ],
    "verdict": "banned for another 59 minutes",
    "protected": None,
    "ban": served.ban(f"{SCANNER}/32"),
    "samples": ["Nov 24 11:48:17 worker-1 kernel: calico-packet: IN=\x1b[2Jeth1"],
    "commands": {
        "ban": "logwatch blacklist add 203.0.113.7/32",
        "undo": "logwatch blacklist remove 203.0.113.7/32",
        "why": "logwatch blacklist why 203.0.113.7",
    },
}


def test_enter_tells_all_of_a_source() -> None:
    async def look(seen: Watching) -> None:
        await seen.until_shown(SCANNER)
        await seen.press("enter")
        await seen.until_shown(
            "banned for another 59 minutes",
            "ends in 59m, offence 1, rule many-ports",
            "logwatch blacklist remove 203.0.113.7/32",
            "2,000 packets, the first 2h ago, the last 1m ago",
            "7 of 15 distinct ports within 1m: many-ports (it is banned already)",
            "ssh",
            "1,900",
            "4242",
            "worker-2",
            r"IN=\x1b[2Jeth1",
        )
        await seen.press("escape")
        await seen.until_shown("Ports", "Blacklist")

    with Served(BUSY) as server:
        server.sources[SCANNER] = DETAILS
        watch(Server(server.url), look, size=(100, 40))


def test_an_escalator_shows_its_nodes_too() -> None:
    """In 80 columns as well; a filter is one of their names."""

    async def look(seen: Watching) -> None:
        await seen.until_shown("Nodes", "3 nodes", "reports of 2 nodes")
        assert ["worker-2", "25m", "silent"] == seen.row("worker-2")[:3]
        assert ["worker-1", "7s", "reporting"] == seen.row("worker-1")[:3]
        await seen.press("tab", "tab", "z", "enter")
        await seen.until_gone("Blacklist")
        assert ["worker-9", "1d", "3", "0", "gone"] == seen.row("worker-9")
        await seen.press("slash", *"er-1")
        await seen.until_gone("worker-2")
        assert "worker-1" in seen.text()

    states = {"worker-2": "silent", "worker-1": "reporting", "worker-3": "reporting"}
    with Served(served.escalator(**states, **{"worker-9": "gone"})) as server:
        watch(Server(server.url), look)


def test_a_source_that_is_not_known_is_said_to_be() -> None:
    async def look(seen: Watching) -> None:
        await seen.until_shown(SCANNER)
        await seen.press("enter")
        await seen.until_shown(f"nothing is known of {SCANNER}")

    with Served(BUSY) as server:
        watch(Server(server.url), look)


def test_a_server_that_is_away_is_told_and_found_again() -> None:
    """What was shown stays, with the time from which on it is old."""

    async def look(seen: Watching) -> None:
        await seen.until_shown(SCANNER)
        server.stop()
        await seen.until_shown(f"{server.url} does not answer: connection refused")
        await seen.until_shown("what is shown is of before", SCANNER)
        server.summary = {**BUSY, "name": "back"}
        server.start()
        await seen.until_shown("back", "● reads /var/log/syslog")

    with Served(BUSY) as server:
        watch(Server(server.url), look, size=(140, 30))


def test_a_server_that_is_not_there_yet_is_waited_for() -> None:
    async def look(seen: Watching) -> None:
        await seen.until_shown("does not answer")
        server.start()
        await seen.until_shown(SCANNER)

    with Served(BUSY) as server:
        server.stop()
        watch(Server(server.url), look)


def test_texts_of_a_log_stay_texts() -> None:
    """Neither markup nor escapes, wherever a log's or a person's words are shown."""
    evil = "[red]x[/red]\x1b]0;owned\x07\u202e\r\n"
    shown = r"[red]x[/red]\x1b]0;owned\x07\u202e\r\n"
    answer = served.summary(
        name=evil,
        mode=evil,
        history=served.history(**{evil: [30, 20, 12]}),
        health={"level": "problem", "findings": [{"level": "problem", "what": evil}]},
        sources=[served.source("192.0.2.1", 5, phase=evil, rule=evil)],
        ports=[served.port(22, evil, 5, evil)],
        offenders=[{**served.offender("192.0.2.2", 1, 2), "rule": evil, "measure": evil}],
        blacklist=[served.ban("192.0.2.3/32", phase=evil, rule=evil, reason=evil)],
        frozen=evil,
    )

    async def look(seen: Watching) -> None:
        await seen.until(lambda: seen.text().count(shown) >= 5)
        assert not {"\x1b", "\x07", "\r", "\u202e"} & set(seen.text())
        assert {300} == {len(line) for line in seen.lines()}

    with Served(answer) as server:
        watch(Server(server.url), look, size=(300, 50))


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (500, 8)])
def test_no_size_is_too_odd(size: tuple[int, int]) -> None:
    async def look(seen: Watching) -> None:
        await seen.until(lambda: len(server.asked) > 1)
        await seen.press("z", "down", "enter", "escape", "slash", "1", "escape")
        assert size[1] == len(seen.lines())

    with Served(BUSY) as server:
        watch(Server(server.url), look, size=size)


def test_a_fault_is_told_and_the_page_goes_on() -> None:
    class Faulty(Server):
        def summary(self, **_asked: object) -> Summary:
            raise ZeroDivisionError("one of these days")

    async def look(seen: Watching) -> None:
        await seen.until_shown("ZeroDivisionError: one of these days; please report this")
        await seen.press("question_mark")
        await seen.until_shown("shift+tab")

    watch(Faulty("http://127.0.0.1:1"), look)


def test_nothing_at_all_is_not_an_empty_screen() -> None:
    async def look(seen: Watching) -> None:
        await seen.until_shown("nobody was denied", "no port was tried")
        await seen.until_shown("nobody is near to a rule", "nobody is banned", "0.0 denied/s")

    with Served(served.summary()) as server:
        watch(Server(server.url), look)


def test_help_tells_the_keys() -> None:
    async def look(seen: Watching) -> None:
        await seen.press("question_mark")
        await seen.until_shown("shift+tab", "ctrl+c", "it is only shown")
        await seen.press("escape")
        await seen.until_shown("Sources")

    with Served(BUSY) as server:
        watch(Server(server.url), look)
