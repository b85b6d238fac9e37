"""An explanation covers the whole line, says what it counts as, and why."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from packets.lines import damaged, thorough

from logwatch.packets.explain import (
    Explanation,
    explain_line,
    printable,
    render_json,
    render_text,
)
from logwatch.packets.reading import Reading, read_line

HEADER = b"Sep  5 14:34:40 worker-1 kernel: [158271.044316] "
DEVICES = b"calico-packet: IN=eth1 OUT= MAC=08:00:27:01:02:03:0a:00:27:00:00:01:08:00 "
IP = b"SRC=203.0.113.7 DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=52866 "
SYN = b"PROTO=TCP SPT=42962 DPT=22 WINDOW=29200 RES=0x00 SYN URGP=0 "
NESTED = b"PROTO=ICMP TYPE=3 CODE=4 [" + IP + b"PROTO=TCP INCOMPLETE [8 bytes] ] MTU=1400 "


def explain(line: bytes) -> Explanation:
    return explain_line(line, ["calico-packet"], read_line)


@settings(thorough, max_examples=500)
@given(damaged())
def test_the_parts_cover_any_line_without_gaps_and_are_printable(
    case: tuple[bytes, tuple[str, ...]],
) -> None:
    line, prefixes = case
    explanation = explain_line(line, prefixes, read_line)
    places = [0, *(part.end for part in explanation.parts)]
    assert places == [*(part.start for part in explanation.parts), len(line)]
    assert all(part.text.isprintable() and part.value.isprintable() for part in explanation.parts)
    assert all(part.meaning or part.name == "not read" for part in explanation.parts)
    assert all((part.use == "used") == (part.why == "") for part in explanation.parts)
    assert all(text.isprintable() for text in render_text(explanation).splitlines())
    assert render_text(explanation).endswith("\nboth readers agree\n")
    shown = json.loads(render_json(explanation))
    assert len(explanation.parts) == len(shown["parts"])
    assert shown["readings"]["grammar"] == shown["readings"]["fast"]


def test_a_packet_is_shown_with_every_part() -> None:
    """The whole text: the line, the table, what was skipped and why, the verdict, the agreement."""
    line = HEADER + DEVICES + IP + b"DF " + SYN
    assert (
        render_text(explain(line))
        == f"""{line.decode()}

  place  field   value                                      use      meaning
   0-16  stamp   Sep  5 14:34:40                            used     when syslog got the line
  16-25  host    worker-1                                   skipped  host that wrote the log
  25-32  tag     kernel:                                    used     the kernel's tag: nothing \
else may stand in front of the message
  32-33  blanks                                             skipped  blank
  33-49  uptime  [158271.044316]                            skipped  seconds since the host booted
  49-64  prefix  calico-packet:                             used     prefix of the Log rule, in \
its place
  64-72  IN      eth1                                       used     interface it came in by
  72-77  OUT                                                used     to this host, or not routed yet
 77-123  MAC     08:00:27:01:02:03:0a:00:27:00:00:01:08:00  skipped  to 08:00:27:01:02:03 from \
0a:00:27:00:00:01, type 0800
123-139  SRC     203.0.113.7                                used     source
139-156  DST     198.51.100.9                               used     destination
156-163  LEN     60                                         used     bytes of the whole packet
163-172  TOS     00                                         skipped  type of service
172-182  PREC    00                                         skipped  precedence
182-189  TTL     64                                         skipped  routers that it may still pass
189-198  ID      52866                                      skipped  number of the packet
198-201  DF      DF                                         skipped  don't fragment
201-211  PROTO   TCP                                        used     protocol
211-221  SPT     42962                                      used     source port
221-228  DPT     22                                         used     destination port
228-241  WINDOW  29200                                      skipped  TCP window
241-250  RES     00                                         skipped  reserved TCP bits
250-254  flag    SYN                                        used     TCP flag
254-261  URGP    0                                          used     TCP urgent pointer; no more \
flags

host, blanks, uptime: of syslog's header only time and tag are needed
MAC: hardware addresses are not counted
TOS, PREC, TTL, ID, DF: of the IP header only addresses, length and protocol are needed
WINDOW, RES: of the TCP header only ports and flags are needed

counted as 1 packet from 203.0.113.7 to port 22/tcp
both readers agree
"""
    )


def test_a_nested_packet_is_named_but_not_used() -> None:
    explanation = explain(HEADER + DEVICES + IP + NESTED)
    parts = {part.name: part for part in explanation.parts}
    reason = "belongs to the packet inside the ICMP error, not to this one"
    assert "used" == parts["SRC"].use
    for name in ("[", "[SRC]", "[INCOMPLETE]", "]"):
        assert ("skipped", reason) == (parts[name].use, parts[name].why)
    assert "of ICMP only type and code are needed" == parts["MTU"].why
    assert f"\n[ ... ]: {reason}\n" in render_text(explanation)
    assert parts["[INCOMPLETE]"].value == "8"
    assert parts["MTU"].value == "1400"
    assert explanation.verdict == "counted as 1 packet from 203.0.113.7 by icmp type 3 code 4"
    assert explanation.stop_reason is None


VERDICTS = {
    b"": "not counted (other): no prefix with IN= behind it stands in the line",
    b"x"
    * 65537: "not counted (other): the line has 65537 bytes, and above 65536 none is looked into",
    HEADER + b"message repeated 3 times: [ " + DEVICES + IP + SYN + b"]": (
        "counted as 3 packets from 203.0.113.7 to port 22/tcp: the line stands for repetitions"
    ),
    HEADER + b"message repeated 1 times: [ " + DEVICES + IP + SYN + b"]": (
        "counted as 1 packet from 203.0.113.7 to port 22/tcp: the line stands for repetitions"
    ),
    HEADER + DEVICES + IP: "counted as 1 packet from 203.0.113.7 with no protocol in the line",
    HEADER + DEVICES + IP + b"PROTO=132 ": (
        "counted as 1 packet from 203.0.113.7 by sctp, with no port in the line"
    ),
    HEADER + DEVICES + IP + b"PROTO=ICMP TYPE=8 CODE=": (
        "counted as 1 packet from 203.0.113.7 by icmp type 8"
    ),
    HEADER + DEVICES + b"SRC=203.0.113.7 ": (
        "not counted as a packet (odd): the prefix is in place, but no source and destination could"
        " be read behind it"
    ),
    HEADER + b"x: " + DEVICES + IP + SYN: (
        "not counted (forged): the prefix stands in the line, but not directly after the kernel's"
        " tag, so anybody could have written it"
    ),
    b"Sep  5 14:34:40 worker-1 sshd[7]: " + DEVICES + IP + SYN: (
        "not counted (forged): the prefix stands in the line, but at byte 34, without the kernel's"
        " tag in front of it, so anybody could have written it"
    ),
}


@pytest.mark.parametrize(("line", "verdict"), VERDICTS.items(), ids=range(len(VERDICTS)))
def test_the_verdict_says_what_the_line_counts_as_and_why(line: bytes, verdict: str) -> None:
    assert verdict == explain(line).verdict
    assert f"\n{verdict}\n" in render_text(explain(line))


STOPS = {
    HEADER + DEVICES + IP + b"PROTO=UDP SPT=1 DPT=2": (
        "reading stopped at byte 214: DPT=2 is cut: no blank follows it"
    ),
    HEADER + DEVICES + IP + b"PROTO=UDP SPT=1 DPT=99999 LEN=8 ": (
        "reading stopped at byte 214: DPT=99999 has no value that fits"
    ),
    HEADER + DEVICES + IP + b"PROTO=UDP SPT=1 ": (
        "reading stopped at the line's end, where the grammar wants DPT="
    ),
    HEADER + b"\x1b[31m": (
        'reading stopped at byte 49, in front of "\\x1b[31m": the grammar wants prefix or message'
        " repeated"
    ),
    HEADER + b"calico-packet: IN=et": (
        "reading stopped at byte 64: IN=et is cut: no blank follows it"
    ),
    b"Sep  5 14:34:40 worker-1 sshd: x": (
        'reading stopped at byte 25, in front of "sshd: x": the grammar wants kernel: or'
        " kernel - - -"
    ),
    HEADER + b"calico-packet is a word": (
        'reading stopped at byte 62, in front of " is a word": the grammar wants the rest of the'
        " prefix with IN= behind it"
    ),
}


@pytest.mark.parametrize(("line", "reason"), STOPS.items(), ids=range(len(STOPS)))
def test_it_says_where_reading_stopped_and_what_was_expected(line: bytes, reason: str) -> None:
    explanation = explain(line)
    assert reason == explanation.stop_reason
    assert f"\n{reason}\n" in render_text(explanation)


def test_the_place_of_the_stop_is_an_offset_in_the_line() -> None:
    line = b"\0\0" + HEADER + DEVICES + IP + b"PROTO=UDP SPT=1 DPT=2\r"
    assert line.index(b"DPT") == explain(line).stop_place


def test_a_difference_between_the_readers_is_shown() -> None:
    def wrong(line: bytes, prefixes: Sequence[str]) -> Reading:
        return replace(read_line(line, prefixes), port=23, flags=None)

    explanation = explain_line(HEADER + DEVICES + IP + SYN, ["calico-packet"], wrong)
    assert [("port", "22", "23"), ("flags", "('syn',)", "None")] == [
        (each.field, each.grammar, each.fast) for each in explanation.differences
    ]
    assert render_text(explanation).endswith(
        "\nthe two readers differ:\n"
        "  port is 22 by the grammar, 23 by the fast path\n"
        "  flags is ('syn',) by the grammar, None by the fast path\n"
    )
    assert ["port", "flags"] == json.loads(render_json(explanation))["differences"]


def test_a_caret_marks_where_reading_stopped_if_the_line_is_short_enough() -> None:
    line = b"Sep  5 14:34:40 w\xc3\xbcrker-1 \x1bsshd[7]: x"
    text = render_text(explain(line)).splitlines()
    assert text[0].index(r"\x1bsshd") == text[1].index("^")
    assert "^" not in render_text(explain(HEADER + DEVICES + IP + b"PROTO=UDP SPT=1 DPT=2"))


def test_the_names_in_a_prefix_are_shown_with_their_places() -> None:
    line = HEADER + b"cp np default/web: " + DEVICES.removeprefix(b"calico-packet: ") + IP + SYN
    explanation = explain_line(line, ["cp %k %p"], read_line)
    shown = {part.name: (part.value, part.start, part.end) for part in explanation.parts}
    assert ("np", 52, 54) == shown["kind"]
    assert ("default", 55, 62) == shown["namespace"]
    assert ("web", 63, 66) == shown["policy"]
    assert explanation.verdict.endswith("to port 22/tcp, by policy default/web")
    assert explanation.cut is None


def test_of_equal_names_the_first_is_used() -> None:
    line = HEADER + b"cp web web: " + DEVICES.removeprefix(b"calico-packet: ") + IP + SYN
    parts = explain_line(line, ["cp %n %n"], read_line).parts
    uses = [(part.use, part.why) for part in parts if part.name == "policy"]
    assert [("used", ""), ("skipped", "the first of equal names counts")] == uses


CUTS = {
    ("calico-packet %k %p", "calico-packet gnp log-denied-"): (
        "iptables prints 29 bytes of a prefix, all used here: the policy may be longer"
    ),
    ("calico-packet %k %p", "calico-packet np kube-system/"): (
        "iptables prints 29 bytes of a prefix, all used here: its rest is missing"
    ),
    ("cp %n", f"cp {'n' * 124}"): (
        "nftables prints 127 bytes of a prefix, all used here: the policy may be longer"
    ),
    ("cp %n", "cp web: "): None,
}


@pytest.mark.parametrize(("case", "note"), CUTS.items(), ids=range(len(CUTS)))
def test_a_prefix_that_the_kernel_may_have_cut_is_named(
    case: tuple[str, str], note: str | None
) -> None:
    prefix, printed = case
    line = HEADER + printed.encode() + DEVICES.removeprefix(b"calico-packet: ") + IP + SYN
    explanation = explain_line(line, [prefix], read_line)
    assert note == explanation.cut
    assert note is None or f"\n{note}\n" in render_text(explanation)


def test_json_is_one_line_with_all_that_is_known() -> None:
    text = render_json(explain(HEADER + b"calico-packet: IN=\xff"))
    assert 1 == text.count("\n") == text.endswith("\n")
    shown = json.loads(text)
    assert [
        *("line", "kind", "verdict", "parts", "stop", "cut", "readings", "differences"),
    ] == list(shown)
    assert "odd" == shown["kind"] == shown["readings"]["fast"]["kind"]
    assert "Sep  5 14:34:40" == shown["readings"]["grammar"]["stamp"]
    assert 64 == shown["stop"]["place"]
    assert {
        "name": "not read",
        "text": "IN=\\xff",
        "value": "IN=\\xff",
        "start": 64,
        "end": 68,
        "meaning": "",
        "used": False,
        "why": "reading stopped in front of it",
    } == shown["parts"][-1]


def test_prefixes_that_the_fast_path_refuses_are_refused() -> None:
    with pytest.raises(ValueError, match="prefix 0 is empty"):
        explain_line(HEADER, [""], read_line)


@pytest.mark.parametrize(
    ("expected", "data"),
    [
        ("w\u00fcrker", "w\u00fcrker".encode()),
        ("\\xff\\x1b[2J\\x00\\u202e", b"\xff\x1b[2J\x00\xe2\x80\xae"),
    ],
)
def test_nothing_that_acts_on_a_terminal_is_shown(expected: str, data: bytes) -> None:
    assert expected == printable(data)


def test_a_meaning_made_of_a_value_is_printable() -> None:
    line = HEADER + DEVICES.replace(b"MAC=08", b"MAC=\x1b") + IP
    assert r"to \x1b:00:27:01:02:03 from" in render_text(explain(line))


def test_long_values_and_lines_are_shown_in_part() -> None:
    text = render_text(explain(HEADER + b"calico-packet: IN=" + b"x" * 50000))
    assert max(map(len, text.splitlines())) <= 4096
