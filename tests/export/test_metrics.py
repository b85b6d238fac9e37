"""The page of metrics: what a parser makes of it, and what is shown when; `test_golden` has all."""

import dataclasses

import pytest
from export.views import SYSLOG, counted_view
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from logwatch.export import InputView, Metrics, ReportView, View, escalation_counts
from logwatch.ledger import Family, Snapshot

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def rendered(view: View, accept: str = "") -> str:
    return Metrics(lambda: view, version="1.2.3").render(accept)[0].decode("utf-8")


def test_openmetrics_says_the_same() -> None:
    """The client library's own strict parser reads it, and finds what the text format shows."""
    text = rendered(counted_view(), OPENMETRICS)
    samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            samples[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    assert text.endswith("# EOF\n")
    source = (("source", "203.0.113.7"),)
    assert samples["logwatch_denied_packets_by_source_total", source] == 1200
    hostile = (
        ("family", "6"),
        ("interface", r"\x00\udcff\n"),
        ("policy", 'quo"ted\\\\'),
        ("protocol", "udp"),
    )
    assert samples["logwatch_denied_bytes_total", hostile] == 2400
    lines = rendered(counted_view()).splitlines()
    assert len(samples) == sum(not line.startswith("#") for line in lines)


def test_an_age_that_nobody_knows_is_not_shown() -> None:
    view = View(Snapshot(), inputs=(InputView(SYSLOG, 42, behind_seconds=None),))
    lines = rendered(view).splitlines()
    assert f'logwatch_behind_bytes{{input="{SYSLOG}"}} 42.0' in lines
    assert not any(line.startswith("logwatch_behind_seconds{") for line in lines)


def test_the_process_is_shown() -> None:
    text = rendered(counted_view())
    assert "\nprocess_resident_memory_bytes " in text
    assert "\nprocess_open_fds " in text


def test_what_is_known_but_never_happened_is_zero() -> None:
    """A new daemon shows its series at once, so that the first event is an increase."""
    view = View(
        Snapshot(),
        ready=False,
        inputs=(InputView(SYSLOG),),
        rules=("ports",),
        bans=(("ports", "observe"),),
        refusals=("protected",),
    )
    lines = rendered(view).splitlines()
    for expected in (
        "logwatch_ready 0.0",
        'logwatch_lines_total{kind="repeated"} 0.0',
        f'logwatch_read_bytes_total{{input="{SYSLOG}"}} 0.0',
        f'logwatch_rotations_total{{input="{SYSLOG}"}} 0.0',
        f'logwatch_truncations_total{{input="{SYSLOG}"}} 0.0',
        f'logwatch_destroyed_bytes_total{{input="{SYSLOG}"}} 0.0',
        f'logwatch_lost_files_total{{input="{SYSLOG}"}} 0.0',
        f'logwatch_lost_messages_total{{by="kernel",input="{SYSLOG}"}} 0.0',
        f'logwatch_lost_messages_total{{by="journald",input="{SYSLOG}"}} 0.0',
        f'logwatch_lost_messages_total{{by="rsyslog",input="{SYSLOG}"}} 0.0',
        f'logwatch_loss_reports_total{{by="rsyslog",input="{SYSLOG}"}} 0.0',
        f'logwatch_overlong_lines_total{{input="{SYSLOG}"}} 0.0',
        f'logwatch_behind_seconds{{input="{SYSLOG}"}} 0.0',
        'logwatch_offences_total{rule="ports"} 0.0',
        'logwatch_bans_total{mode="observe",rule="ports"} 0.0',
        'logwatch_bans_refused_total{reason="protected"} 0.0',
        "logwatch_dropped_audit_lines_total 0.0",
        'logwatch_denied_packets_by_flow_total{port="other",protocol="other",source="other"} 0',
        'logwatch_escalation_seconds_bucket{le="+Inf"} 0.0',
    ):
        assert expected in lines
    assert not any(line.startswith("logwatch_last_packet_timestamp_seconds{") for line in lines)


def test_what_nobody_can_know_is_not_shown_as_zero() -> None:
    view = View(Snapshot(), inputs=(InputView("/dev/kmsg", behind_bytes=None),))
    lines = rendered(view).splitlines()
    assert not any(line.startswith("logwatch_behind_bytes{") for line in lines)
    assert 'logwatch_read_bytes_total{input="/dev/kmsg"} 0.0' in lines


@settings(deadline=None)
@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=8))
def test_no_label_can_break_the_page(text: str) -> None:
    """Any text at all, in any place, is one sample that a parser reads."""
    counters = {("read_bytes", (text,)): 5, ("offences", (text,)): 5}
    families = {"denied": Family({(text, text, text, text): (7, 7)})}
    view = View(
        Snapshot(counters, families),
        inputs=(InputView(text),),
        rules=(text,),
        entries={text: 1},
        networks={text: 1},
    )
    for accept in ("", OPENMETRICS):
        assert rendered(view, accept)
    parsed = text_string_to_metric_families(rendered(view, OPENMETRICS))
    ours = [family for family in parsed if family.name.startswith("logwatch_")]
    values = [sample.value for family in ours for sample in family.samples]
    assert (2, 2) == (values.count(7), values.count(5))


def test_counts_beyond_64_bits_are_shown() -> None:
    families = {"source": Family({("203.0.113.7",): (2**70, 2**70)})}
    text = rendered(View(Snapshot({}, families)))
    assert f'by_source_total{{source="203.0.113.7"}} {2**70}' in text


PLAIN = "text/plain; version=0.0.4; charset=utf-8"
PLAIN_1 = "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"


@pytest.mark.parametrize(
    ("content_type", "accept"),
    [
        (PLAIN, ""),
        (PLAIN, ";;;q=x,,"),
        (PLAIN, "text/html, */*;q=0.8"),
        (PLAIN, "application/openmetrics-text; version=x"),
        (PLAIN, "application/openmetrics-text; version=2.0.0"),
        (PLAIN, "application/openmetrics-text; version=0.0.1, text/plain; q=0.1"),
        (PLAIN, 'text/plain; version="1.0.0"'),
        (PLAIN, "application/openmetrics-text; q=0"),
        (PLAIN, "application/openmetrics-text; q=0.1, text/plain; q=0.9"),
        (PLAIN, "application/openmetrics-text; version=1.0.0; q=0.1, */*"),
        (PLAIN_1, "text/plain; version=1.0.0; escaping=allow-utf-8; q=0.4, */*; q=0.2"),
        (OPEN, "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"),
        (OPEN, "text/plain;q=0.5, Application/OpenMetrics-Text; Version=1.0.0; q=0.75"),
        (OPEN, "text/plain, application/openmetrics-text; version=1.0.0"),
    ],
)
def test_the_format_is_what_the_scraper_wants_most(content_type: str, accept: str) -> None:
    """Of the same weight OpenMetrics, else the plain format; nonsense is no error."""
    assert content_type == Metrics(counted_view, version="1").render(accept)[1]


@pytest.mark.parametrize(("bound", "seconds"), [("0.05", -1), ("0.05", 0.05), ("1.0", 0.51)])
def test_an_escalation_is_counted_under_the_next_bound(bound: str, seconds: float) -> None:
    """A clock that was set back counts as no time at all."""
    expected = [("escalation_bucket", (bound,), 1)]
    expected += [("escalation_microseconds", (), round(max(0, seconds) * 1e6))]
    assert expected == escalation_counts(seconds)


def test_buckets_of_another_version_are_kept() -> None:
    """A number saved under a bound that is gone moves to the next one."""
    counters = {("escalation_bucket", ("0.7",)): 3, ("escalation_bucket", ("inf",)): 1}
    lines = rendered(View(Snapshot(counters))).splitlines()
    assert 'logwatch_escalation_seconds_bucket{le="0.5"} 0.0' in lines
    assert 'logwatch_escalation_seconds_bucket{le="1.0"} 3.0' in lines
    assert "logwatch_escalation_seconds_count 4.0" in lines


def test_a_report_is_shown_in_a_cluster_alone() -> None:
    """Its size only once there is one."""
    view = View(Snapshot({("report_writes", ("written",)): 3}), report=ReportView(("written", "x")))
    text = rendered(view)
    assert 'logwatch_report_writes_total{result="written"} 3.0' in text
    assert 'logwatch_report_writes_total{result="x"} 0.0' in text
    assert "logwatch_report_bytes" not in text
    text = rendered(dataclasses.replace(view, report=ReportView(("written",), 4096, 7)))
    assert "logwatch_report_bytes 4096.0" in text
    assert "logwatch_report_cut_sources 7.0" in text
    assert "logwatch_report" not in rendered(View(Snapshot()))
