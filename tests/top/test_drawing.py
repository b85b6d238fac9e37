"""What is drawn of numbers, times and texts, without a terminal."""

import msgspec
import pytest
from rich.text import Text
from top import served

from logwatch.top.chart import chart, flows
from logwatch.top.head import health
from logwatch.top.lists import sources
from logwatch.top.summary import Summary
from logwatch.top.table import Column, Listing, Row, draw
from logwatch.top.words import age, fold, port, rate, size, spelled, trend


def read(**parts: object) -> Summary:
    return msgspec.convert(served.summary(**parts), Summary)


@pytest.mark.parametrize(
    ("expected", "protocol", "number"),
    [
        ("22/tcp ssh", "tcp", 22),
        ("22 ssh", None, 22),
        ("-/icmp ssh", "icmp", None),
        ("-/- ssh", None, None),
    ],
)
def test_a_port_is_told_with_what_is_known_of_it(
    expected: str, protocol: str | None, number: int | None
) -> None:
    assert expected == port(protocol, number, "ssh")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(None, "-"), (0.2, "0s"), (59.4, "59s"), (60, "1m"), (7199, "1h"), (172_800, "2d")],
)
def test_an_age_is_told_by_its_largest_unit(seconds: float | None, expected: str) -> None:
    assert expected == age(seconds)


def test_numbers_are_as_exact_as_they_are_worth() -> None:
    assert ["0.3", "99.9", "1,234"] == [rate(0.3), rate(99.9), rate(1234.4)]
    assert ["512 B", "1.5 KiB", "3.0 GiB"] == [size(512), size(1536), size(3 << 30)]


def test_a_text_from_outside_does_nothing_to_a_terminal() -> None:
    r"""What a server spelled out already stays as it is."""
    assert r"a\x1b[31m\x07\u202eb" == spelled("a\x1b[31m\x07\u202eb")
    assert r"a\x1b" == spelled(r"a\x1b")


def test_a_trend_ends_with_what_is_latest() -> None:
    assert "   ▁▅█" == trend((1, 5, 8), 6)
    assert "    ██" == trend((None, None, 0, 0, 3, 3), 6)
    assert "      " == trend((), 6)


def test_columns_are_sums_of_as_many_numbers_each() -> None:
    """The latest are never left out."""
    assert (9, 18) == fold((1, 2, 3, 4, 5, 6, 7), 3)
    assert (None, 3) == fold((None, None, 1, 2), 2)
    assert () == fold((1, 2), 0)


def test_what_is_denied_now_is_of_the_last_ten_to_twenty_seconds() -> None:
    """Of a step that goes on, six seconds are over."""
    shown = flows(read(history=served.history(blacklist=[900, 20, 12], nodeports=[0, 0, 8])))
    assert [("blacklist", 2.0), ("nodeports", 0.5)] == [(each.policy, each.now) for each in shown]


def test_the_chart_shows_the_highest_step_and_fills_its_lines_with_it() -> None:
    """An hour in columns of a minute: 600 packets in one step are 10 a second over that minute."""
    summary = read(history=served.history(blacklist=[600, 0, 0, 0, 0, 0, 5]))
    lines = [line.plain for line in chart(summary, 80, 3, is_short=False)]
    assert ["0.3 denied/s", "peak 60.0", "of 59 minutes"] == [line[:18].strip() for line in lines]
    assert {80} == {len(line) for line in lines}
    assert ["█", "█", "█"] == [line[-1] for line in lines]
    assert {" "} == {letter for line in lines for letter in line[20:-1]}


def test_a_last_step_that_is_over_is_drawn() -> None:
    """As a server tells it that leaves out the running one."""
    past = served.history(blacklist=[600])
    over = read(history={**past, "start": past["start"] - 4.0})
    lines = [line.plain for line in chart(over, 80, 2, is_short=True)]
    assert ["█", "█"] == [line[-1] for line in lines]


def test_a_running_step_is_drawn_where_nothing_else_is_known() -> None:
    first = read(history=served.history(blacklist=[*[None] * 359, 600]))
    lines = [line.plain for line in chart(first, 80, 2, is_short=True)]
    assert ["█", "█"] == [line[-1] for line in lines]


def test_time_of_which_nothing_is_known_is_not_quiet_time() -> None:
    known = [0] * 5 + [10, 0]
    lines = chart(
        read(history=served.history(blacklist=[None] * 353 + known)), 80, 2, is_short=True
    )
    assert "·" in lines[-1].plain
    assert " " == lines[-1].plain[-2]


def listing(*columns: Column, cells: tuple[Text | tuple[float, ...], ...]) -> Listing:
    return Listing("Sources", Text(), columns, (Row("key", cells),), "none")


def test_columns_give_way_by_rank_and_texts_before_that() -> None:
    """Of a number a part would mislead: it stays whole, or goes as a whole."""
    columns = (Column("source"), Column("packets", right=True, rank=1), Column("rule", least=4))
    cells = (Text("203.0.113.7"), Text("1,234,567"), Text("a-long-name"))
    shown = [draw(listing(*columns, cells=cells), width).lines[0].plain for width in (35, 30, 20)]
    assert "203.0.113.7  1,234,567  a-long-name" == shown[0]
    assert "203.0.113.7  1,234,567  a-lon…" == shown[1]
    assert "203.0.113.7  a-long…" == shown[2]


def test_an_address_is_never_cut_while_anything_else_can_go() -> None:
    """Half of it would be another one."""
    address = "2001:db8:1234:5678:9abc:def0:1234:5678"
    summary = read(sources=[served.source(address, 12_345_678, phase="enforce", rule="many-ports")])
    line = draw(sources(summary, "packets"), 80).lines[0].plain
    assert [address, "12,345,678"] == line.split()[:2]
    assert "enforced" in line


def test_a_trend_takes_what_is_left() -> None:
    columns = (Column("port"), Column("last hour", is_trend=True, rank=1))
    cells = (Text("22/tcp"), tuple(float(n % 2) for n in range(60)))
    assert [68, 30, 6] == [
        draw(listing(*columns, cells=cells), width).lines[0].cell_len for width in (100, 30, 10)
    ]


def test_wide_letters_do_not_push_the_next_column() -> None:
    columns = (Column("policy", most=8), Column("packets", right=True))
    drawn = draw(listing(*columns, cells=(Text("日本語日本語"), Text("7"))), 40)
    assert [drawn.head.cell_len] == [line.cell_len for line in drawn.lines]


def test_the_column_by_which_is_sorted_is_marked() -> None:
    summary = read(sources=[served.source("203.0.113.7", 5)])
    for order, title in (("packets", "packets ▼"), ("recent", "5 min ▼"), ("last", "last ▼")):
        assert title in draw(sources(summary, order), 120).head.plain


def test_problems_come_before_warnings_and_none_is_dropped_silently() -> None:
    findings = [
        {"level": "warning", "what": "messages were lost", "check": "lost"},
        {"level": "problem", "what": "the log is missing", "check": "reading"},
    ]
    summary = read(health={"level": "problem", "findings": findings})
    assert ["● the log is missing  (and 1 more)"] == [line.plain for line in health(summary, 1)]
    assert 2 == len(health(summary, 3))
