"""The lab itself: what is sent the kernel logs, rsyslogd writes and logrotate rotates."""

import gzip
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from lab.case import expected
from lab.cases import CASES
from lab.kernel_log import KernelLog, Record, parse, proc_kmsg
from lab.namespace import LabError, Namespace, remove_stale, run
from lab.network import ALL_NETNS, Network, Rule
from lab.packet import Sent, ip4, ip6, tcp, udp
from lab.rsyslog import Rsyslog, eventually
from lab.sender import Sender

NODE = "198.51.100.2"
SCAN = ip4("192.0.2.7", NODE, tcp(40000, 22))


@pytest.mark.parametrize("dataplane", ["iptables", "nftables", "inet"])
def test_a_packet_that_was_sent_appears_in_the_kernel_log(
    dataplane: str, network: Network, sender: Sender, kernel_log: KernelLog
) -> None:
    network.log(dataplane=dataplane)
    six = ip6("2001:db8::7", "2001:db8:1::2", udp(1, 53))
    assert [SCAN.sent, six.sent] == sender.send([SCAN, six])
    first, second = kernel_log.collect(2)
    assert first.text.startswith(b"calico-packet: IN=eth1 OUT= MAC=")
    assert b" SRC=192.0.2.7 DST=198.51.100.2 LEN=40 " in first.text
    assert second.text.endswith(b" PROTO=UDP SPT=1 DPT=53 LEN=8 ")


def test_nothing_speaks_in_the_network_unasked(network: Network, kernel_log: KernelLog) -> None:
    network.log()
    network.log(chain="OUTPUT")
    assert [] == kernel_log.collect(1, containing=b"calico-packet", seconds=1.5)


def test_the_kernel_log_says_what_it_has_lost(
    network: Network, sender: Sender, kernel_log: KernelLog
) -> None:
    network.log()
    sender.flood([SCAN], 5000)
    read = len(list(kernel_log.read()))
    assert kernel_log.gaps > 0
    assert read + kernel_log.lost >= 5000  # the kernel may have said something else, too


def test_twenty_thousand_packets_a_second_reach_rsyslogs_file(
    network: Network, sender: Sender, rsyslog: Rsyslog
) -> None:
    network.log()
    sender.flood([SCAN], 20_000, per_second=20_000)
    rsyslog.wait_for(20_000 - rsyslog.lost, containing=b"calico-packet")
    rsyslog.stop()
    assert rsyslog.relayed + rsyslog.lost >= 20_000
    assert rsyslog.relayed == len(rsyslog.lines())


@pytest.mark.parametrize("copytruncate", [False, True])
def test_logrotate_rotates_while_rsyslogd_writes(
    copytruncate: bool, network: Network, sender: Sender, rsyslog: Rsyslog
) -> None:
    network.log()
    flood = threading.Thread(target=sender.flood, args=([SCAN], 3000), kwargs={"per_second": 3000})
    flood.start()
    for number in range(3):
        assert rsyslog.wait_for(100)
        rsyslog.rotate(copytruncate=copytruncate)
        assert rsyslog.path.with_name("syslog.1").exists(), f"rotation {number}"
    flood.join()
    rsyslog.stop()
    files = sorted(rsyslog.path.parent.glob("syslog*"))
    assert ["syslog", "syslog.1", "syslog.2.gz", "syslog.3.gz"] == [path.name for path in files]
    data = b"".join(
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in files
    )
    written = data.count(b"calico-packet: ")
    if copytruncate:  # what is written between the copy and the cut is gone by definition
        assert written <= rsyslog.relayed
    else:
        assert rsyslog.relayed == written


def test_rsyslogd_writes_to_the_renamed_file_until_it_gets_its_hup(rsyslog: Rsyslog) -> None:
    old, path = rsyslog.path.with_name("syslog.1"), rsyslog.path
    rsyslog.log("before")
    assert rsyslog.wait_for(1)
    rsyslog.rotate(hup=False)
    rsyslog.log("late")
    assert eventually(lambda: old.read_bytes().endswith(b"late\n"), 5)
    assert not path.exists()
    rsyslog.hup()
    assert eventually(lambda: path.exists() or rsyslog.log("new") is not None, 5)
    assert path.read_bytes().endswith(b"sshd[4242]: new\n")


def test_a_repetition_is_folded_where_it_is_asked_for(
    network: Network, sender: Sender, start_rsyslog: Callable[..., Rsyslog]
) -> None:
    rsyslog = start_rsyslog(template="file", repeated=True, uptime=False)
    network.log()
    sender.send([SCAN] * 5)
    assert rsyslog.wait_for(1)
    rsyslog.stop()
    first, second = rsyslog.lines()
    assert b" worker-1 kernel: calico-packet: IN=eth1 " in first
    assert b" worker-1 kernel: message repeated 4 times: [ calico-packet: IN=eth1 " in second


def test_a_killed_rsyslogd_can_be_started_again(rsyslog: Rsyslog) -> None:
    rsyslog.log("one")
    assert rsyslog.wait_for(1)
    rsyslog.kill()
    rsyslog.start()
    rsyslog.log("two")
    assert rsyslog.wait_for(2)


def test_the_kernel_logs_for_namespaces_only_as_long_as_the_lab_lives() -> None:
    before = ALL_NETNS.read_text()
    with Network():
        assert "1\n" == ALL_NETNS.read_text()
    assert before == ALL_NETNS.read_text()


def test_what_a_killed_run_left_is_removed() -> None:
    script = (
        "import os; from lab.namespace import Namespace; print(Namespace('lost').name, flush=True);"
        "os.kill(os.getpid(), 9)"
    )
    tests = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tests, capture_output=True, text=True, check=False
    )
    own = Namespace("kept")
    try:
        assert done.stdout.strip() in remove_stale()
        assert own.name in run("ip", "netns", "list")
    finally:
        own.remove()


def test_a_failing_command_is_told_with_its_reason(network: Network) -> None:
    with pytest.raises(LabError, match=r"iptables.*no-such-chain"):
        network.log(chain="no-such-chain")


def test_records_are_read_and_written_as_the_kernel_does() -> None:
    record = parse(b"5,17,12345678,-;calico-packet: \\x09\\xc3\\xa9 \\x5c \n SUBSYSTEM=x\n")
    assert Record(5, 17, 12345678, b"calico-packet: \t\xc3\xa9 \\ ") == record
    assert b"<5>[   12.345678][    C3] calico-packet: \t\xc3\xa9 \\ \n" == proc_kmsg(
        record, caller="C3"
    )


def test_the_expected_totals_are_sorted_as_the_report_is() -> None:
    six = ip6("2001:db8::1", "2001:db8::2", tcp(1, 22)).sent
    four = SCAN.sent
    bare = replace(four, port=None, protocol=None)
    nine = replace(four, source="192.0.2.9")
    got = expected([six, nine, nine, four, bare, Sent("odd", 0, None, None, 9)], Counter(packet=5))
    assert 5 == got["packets"]
    flows = got["flows"]
    assert isinstance(flows, list)
    assert [("192.0.2.9", 22, 2), ("192.0.2.7", None, 1), ("192.0.2.7", 22, 1)] == [
        (flow["source"], flow["port"], flow["packets"]) for flow in flows[:3]
    ]
    assert "2001:db8::1" == flows[3]["source"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_is_recorded_and_its_truth_adds_up(case: object) -> None:
    folder = Path(__file__).parents[1] / "fixtures" / case.name  # type: ignore[attr-defined]
    truth = [Sent(**values) for values in json.loads((folder / "sent.json").read_text())]
    totals = json.loads((folder / "expected.json").read_text())
    lines = (folder / "lines.log").read_bytes().count(b"\n")
    assert sum(totals["lines"].values()) == lines
    assert sum(one.kind == "packet" for one in truth) == totals["packets"]
    assert expected(truth, Counter(totals["lines"]), totals.get("lost")) == totals
    assert totals.get("lost", {}) == case.lost  # type: ignore[attr-defined]


def test_rules_default_to_calicos() -> None:
    assert ("calico-packet: ", "PREROUTING", ()) == (Rule().prefix, Rule().chain, Rule().flags)
