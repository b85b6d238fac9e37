"""The summary and the page of a source, of values that no log of a test would hold."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from logwatch.control import Explained
from logwatch.export import Asked, InputView, View
from logwatch.export.site import Sort
from logwatch.ledger import Family, Snapshot
from logwatch.live import (
    Decided,
    History,
    Host,
    Known,
    commands_of,
    findings_of,
    source_page,
    summary_page,
)

HOSTILE = "<img src=x onerror=alert(1)>\udc80\x1b[2J"
SHOWN = r"<img src=x onerror=alert(1)>\udc80\x1b[2J"
SOURCES = {(f"203.0.113.{number}",): (number, 60 * number) for number in range(1, 10)}
UNKNOWN = Known(Explained("192.0.2.1/32", "nothing", (), (), ()), None, False, None, (), ())


def snapshot(
    sources: Mapping[tuple[str, ...], tuple[int, int]] = SOURCES, **counters: int
) -> Snapshot:
    families = {
        "denied": Family({(HOSTILE, HOSTILE, "tcp", "4"): (45, 2700)}),
        "source": Family(sources, (7, 0)),
        "port": Family({("tcp", "22"): (40, 0), ("icmp", ""): (5, 0), ("tcp", "30080"): (1, 0)}),
        "flow": Family({("203.0.113.9", "tcp", "22"): (8, 0), ("203.0.113.9", "tcp", "9"): (1, 0)}),
    }
    made = {tuple(name.split("__")): number for name, number in counters.items()}
    return Snapshot({(name, tuple(labels)): n for (name, *labels), n in made.items()}, families)


def told(
    shown: Snapshot, asked: Asked, history: History | None = None, **view: object
) -> dict[str, Any]:
    made = View(shown, **view)  # type: ignore[arg-type]  # of a test
    history = history or History(Snapshot(), 0.0)
    answer = summary_page(
        Host("agent", "1", 0.0),
        made,
        history,
        asked,
        decide=lambda _: Decided(),
        findings=findings_of(made, history, {"state": HOSTILE}, {"waker": "polls"}),
        undo=lambda _: "",
    )
    return json.loads(answer)


def test_text_of_a_log_is_printable_and_stays_text() -> None:
    page = told(snapshot({(HOSTILE,): (1, 0)}), Asked(), inputs=(InputView(HOSTILE),))
    assert [SHOWN] == [each["source"] for each in page["sources"]]
    assert [SHOWN] == [each["interface"] for each in page["interfaces"]]
    assert [SHOWN] == [each["path"] for each in page["inputs"]]
    assert [SHOWN] == [each["policy"] for each in page["history"]["series"]]
    assert SHOWN in [each["what"] for each in page["health"]["findings"]]


def test_what_has_no_line_of_its_own_is_told() -> None:
    page = told(snapshot(), Asked(top=2))
    assert ["203.0.113.9", "203.0.113.8"] == [each["source"] for each in page["sources"]]
    assert {"packets": 7} == page["other_sources"]


def test_a_port_has_its_service_and_icmp_has_none() -> None:
    ports = {
        (each["protocol"], each["port"]): each["service"]
        for each in told(snapshot(), Asked())["ports"]
    }
    assert {("tcp", 22): "ssh", ("icmp", None): None, ("tcp", 30080): "node port"} == ports


def test_ports_with_as_many_packets_stand_by_their_numbers() -> None:
    ports = {("tcp", port): (3, 0) for port in ("443", "80", "8080", "22")} | {
        ("udp", "53"): (9, 0)
    }
    shown = Snapshot({}, {"port": Family(ports)})
    assert [53, 22, 80, 443, 8080] == [each["port"] for each in told(shown, Asked())["ports"]]


@pytest.mark.parametrize(
    ("sort", "first"),
    [("packets", "203.0.113.9"), ("recent", "203.0.113.2"), ("last", "203.0.113.3")],
)
def test_sources_are_sorted_as_asked(sort: Sort, first: str) -> None:
    """By packets, by packets of the last hour, and by the last minute in which there were any."""
    history = History(snapshot(), 0.0)
    grown = SOURCES | {("203.0.113.2",): (90, 0)}
    history.see(snapshot(grown), 60.0)
    later = grown | {("203.0.113.3",): (4, 0)}
    history.see(snapshot(later), 120.0)
    page = told(snapshot(later if sort != "packets" else SOURCES), Asked(top=1, sort=sort), history)
    assert [first] == [each["source"] for each in page["sources"]]


def test_the_worst_finding_is_the_level_and_comes_first() -> None:
    health = told(snapshot(), Asked())["health"]
    assert "problem" == health["level"]
    assert ["problem", "warning"] == [each["level"] for each in health["findings"]]


@pytest.mark.parametrize(
    ("counters", "view", "check", "text"),
    [
        ({"lines__odd": 3}, {}, "blind", "none can be read"),
        ({"lines__other": 5000}, {}, "blind", "action Log"),
        ({"lines__packet": 1, "lost_messages__kernel__x": 4}, {}, "lost", "at least 4 messages"),
        ({"lines__packet": 1, "loss_reports__kernel__x": 1}, {}, "lost", "nobody knows how many"),
        ({"lines__packet": 1, "destroyed_bytes__x": 4096}, {}, "lost", "4,096 bytes"),
        ({"lines__packet": 1, "lost_files__x": 2}, {}, "lost", "2 files"),
        (
            {"lines__packet": 1},
            {"inputs": (InputView("x", 9000, behind_seconds=75.0),)},
            "behind",
            "75 s late (9,000 bytes)",
        ),
        ({"lines__packet": 1}, {"frozen": True, "held": 9}, "frozen", "may be forged"),
        ({"lines__packet": 1}, {"held": 1234}, "held", "1,234 offenders"),
    ],
)
def test_what_is_wrong_is_found(
    counters: dict[str, int], view: dict[str, Any], check: str, text: str
) -> None:
    made = View(snapshot(**counters), **view)
    [finding] = findings_of(made, History(Snapshot(), 0.0), {}, {})
    assert check == finding.check
    assert text in finding.what


def test_a_finding_is_named_by_its_part() -> None:
    made = View(snapshot(lines__packet=1))
    problems = {"input /var/log/syslog": "missing", "policy": "in use"}
    found = findings_of(made, History(Snapshot(), 0.0), problems, {"node report": "late"})
    assert ["reading", "policy", "reports"] == [finding.check for finding in found]


def test_nothing_is_wrong_with_a_quiet_log() -> None:
    made = View(snapshot(lines__packet=1, lines__other=5000), inputs=(InputView("x"),))
    assert [] == [*findings_of(made, History(Snapshot(), 0.0), {}, {})]


def test_the_ports_of_a_source_are_those_of_its_flows() -> None:
    commands = commands_of("203.0.113.9/32", is_banned=False)
    page = source_page("203.0.113.9", View(snapshot()), History(Snapshot(), 0.0), UNKNOWN, commands)
    assert page is not None
    found = json.loads(page)
    assert [(22, 8), (9, 1)] == [(each["port"], each["packets"]) for each in found["ports"]]
    assert 2 == found["ports_counted"]
    assert 9 == found["timeline"]["packets"][-1]


def test_ports_that_were_not_counted_are_those_of_the_evidence() -> None:
    commands = commands_of("203.0.113.8/32", is_banned=False)
    known = replace(UNKNOWN, ports=(22, 4242))
    page = source_page("203.0.113.8", View(snapshot()), History(Snapshot(), 0.0), known, commands)
    assert page is not None
    found, unknown = json.loads(page), {"protocol": None, "packets": None}
    assert [
        {"port": 22, "service": "ssh", **unknown},
        {"port": 4242, "service": None, **unknown},
    ] == found["ports"]
    assert found["ports_counted"] is None


def test_of_nobody_there_is_no_page() -> None:
    commands = commands_of("192.0.2.1/32", is_banned=False)
    history = History(Snapshot(), 0.0)
    assert source_page("192.0.2.1", View(snapshot()), history, UNKNOWN, commands) is None
