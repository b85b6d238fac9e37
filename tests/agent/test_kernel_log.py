"""`--input kmsg`: from a packet on the wire to a metric without any syslog, on the real device."""

import ctypes
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from lab.agent import RunningAgent
from lab.network import Network, Rule
from lab.packet import Packet, ip4, ip6, tcp, udp
from lab.rsyslog import Rsyslog
from lab.sender import Sender
from tail.recorder import LineSink

from logwatch.agent import boot_id
from logwatch.agent.intake import Intake
from logwatch.config import Config
from logwatch.tail import KERNEL_LOG, KernelLog, ReadableWaiter

SIZE_BUFFER = 10  # syslog(2), SYSLOG_ACTION_SIZE_BUFFER
NODE4, NODE6 = "198.51.100.2", "2001:db8:1::2"
FORGED = b"calico-packet: IN=eth1 OUT= MAC= SRC=203.0.113.9 DST=198.51.100.9 LEN=40 "


def visitors() -> list[Packet]:
    return [
        *(ip4(f"192.0.2.{host}", NODE4, tcp(40000 + host, 22)) for host in range(1, 30)),
        *(ip4("192.0.2.9", NODE4, udp(5000, port)) for port in (53, 123, 53)),
        *(ip6("2001:db8::7", NODE6, tcp(40000, port)) for port in (22, 80, 22)),
    ]


def say(*records: bytes) -> None:
    """Write records as a process. Opened for each: a descriptor may write ten in five seconds."""
    for record in records:
        kmsg = os.open("/dev/kmsg", os.O_WRONLY)
        os.write(kmsg, record + b"\n")
        os.close(kmsg)


def overwrite() -> int:
    """Write the kernel's ring twice over; the number of records, which tell theirs."""
    number = 2 * ctypes.CDLL(None).klogctl(SIZE_BUFFER, None, 0) // 200
    say(*(b"logwatch was here: %d" % each + b"." * 200 for each in range(number)))
    return number


def wait_for_packets(agent: RunningAgent, number: int) -> None:
    agent.wait_for(lambda: agent.total("logwatch_denied_packets_total") >= number, "packets")


def test_packets_sent_are_packets_counted_over_kill_and_restart(
    network: Network, sender: Sender, start_agent: Callable[..., RunningAgent]
) -> None:
    """Each once: before the kill, while nothing runs, and after it; forged ones never."""
    network.log(Rule(prefix="calico-packet: "))
    sender.send(visitors())
    agent = start_agent(log=None)
    sent = []
    for _ in range(2):
        for _ in range(3):
            say(FORGED, b"<0>" + FORGED, b"<5>kernel: " + FORGED)
            sent += sender.send(visitors())
            wait_for_packets(agent, len(sent))
        agent.kill()
        sent += sender.send(visitors())
        say(FORGED)
        agent.start()
    wait_for_packets(agent, len(sent))
    flows = Counter((str(one.port), str(one.protocol), str(one.source)) for one in sent)
    assert flows == agent.metrics("logwatch_denied_packets_by_flow_total")
    lines = agent.metrics("logwatch_lines_total")
    assert (len(sent), 2 * (3 * 3 + 1)) == (lines["packet",], lines["forged",])
    assert {("/dev/kmsg",)} == set(agent.metrics("logwatch_read_bytes_total"))
    assert {} == agent.metrics("logwatch_behind_bytes")
    assert "ok\n" == agent.get("/readyz")
    assert 0 == agent.stop()


def test_a_change_of_the_input_counts_no_packet_twice(
    network: Network,
    sender: Sender,
    rsyslog: Rsyslog,
    start_agent: Callable[..., RunningAgent],
) -> None:
    """From kmsg to the file and back: what the other one has counted is not read again."""
    network.log(Rule(prefix="calico-packet: "))
    sent = []
    for log in (None, rsyslog.path, None, rsyslog.path):
        agent = start_agent(log=log)
        sent += sender.send(visitors())
        wait_for_packets(agent, len(sent))
        rsyslog.wait_for(len(sent), containing=b"calico-packet: ")
        agent.stop()
    agent = start_agent(log=rsyslog.path)
    flows = Counter((str(one.port), str(one.protocol), str(one.source)) for one in sent)
    assert flows == agent.metrics("logwatch_denied_packets_by_flow_total")


def test_from_start_counts_what_the_kernel_holds_by_its_stamps(
    network: Network, sender: Sender, start_agent: Callable[..., RunningAgent], tmp_path: Path
) -> None:
    """They came before the agent did: the latest packet is not of now.

    With a prefix of its own, since the kernel still holds what other tests have sent.
    """
    config = tmp_path / "config.yaml"
    config.write_text("input: kmsg\nstart: start\nprefixes: [{text: from-start}]\n")
    network.log(Rule(prefix="from-start: "))
    before = time.time()
    sent = sender.send(visitors())
    after = time.time()
    time.sleep(2.1)  # so that the stamps, which are whole seconds, are told from now
    agent = start_agent("--config", str(config), log=None)
    wait_for_packets(agent, len(sent))
    came = agent.total("logwatch_last_packet_timestamp_seconds")
    assert before - 1.1 <= came <= after + 0.1
    assert len(sent) == agent.total("logwatch_denied_packets_total")


def test_a_scanner_lands_in_the_policy_file(
    network: Network, sender: Sender, start_agent: Callable[..., RunningAgent], tmp_path: Path
) -> None:
    network.log(Rule(prefix="calico-packet: "))
    policy = tmp_path / "blacklist.yaml"
    agent = start_agent("--mode", "enforce", "--policy-file", str(policy), log=None)
    sender.send(ip4("203.0.113.66", NODE4, tcp(40000, port)) for port in range(1, 16))
    agent.wait_for(policy.exists, "policy file", 5)
    assert "203.0.113.66/32" in policy.read_text()


@pytest.mark.usefixtures("network")
def test_what_the_kernel_overwrote_is_known_to_the_record() -> None:
    """The ring is written full while the reader pauses: read(2) says EPIPE, the numbers how many.

    Nobody else holds the lab's network meanwhile, so that most records are ours.
    """
    lines: list[bytes] = []
    reader = KernelLog(lambda: LineSink(lines), boot_id=boot_id())
    waiter = ReadableWaiter([reader.fileno])
    first = reader.checkpoint().sequence
    said = overwrite()
    assert waiter.wait(0.0)
    while reader.poll():
        pass
    ours = [int(line.split(b": ")[2].rstrip(b".")) for line in lines if b"was here" in line]
    last = reader.checkpoint().sequence
    assert list(range(ours[0], said)) == ours
    assert reader.status.lost_records >= ours[0] > 0
    assert first is not None
    assert last == first + reader.status.lost_records + len(lines)
    assert "reading" == reader.status.state
    waiter.close()
    reader.close()


@pytest.mark.usefixtures("network")
def test_overwritten_records_are_counted_as_lost_by_the_kernel() -> None:
    intake = Intake(KERNEL_LOG, Config(input="kmsg"), None, lambda _: None, boot_id=boot_id())
    intake.read(time.time())
    assert "lost_messages" not in [name for name, _, _ in intake.take_counts()]
    said = overwrite()
    intake.read(time.time())
    counts = {(name, labels): amount for name, labels, amount in intake.take_counts()}
    assert said <= counts["lost_messages", ("kernel", "/dev/kmsg")] + counts["lines", ("other",)]
    assert [] == list(intake.take_counts())
    intake.close()


@pytest.mark.usefixtures("network")
def test_without_the_right_to_read_it_says_which_one_is_missing(
    start_agent: Callable[..., RunningAgent],
) -> None:
    """Root without CAP_SYSLOG where dmesg_restrict is 1, as most distributions have it."""
    restricted = Path("/proc/sys/kernel/dmesg_restrict")
    before = restricted.read_text()
    restricted.write_text("1")
    try:
        dropping = ("setpriv", "--bounding-set", "-syslog,-sys_admin")
        agent = start_agent(log=None, through=dropping)
        agent.wait_for(lambda: "CAP_SYSLOG" in agent.get("/readyz"), "reason")
        restricted.write_text("0")
        agent.wait_for(lambda: "ok\n" == agent.get("/readyz"), "readiness", 5)
    finally:
        restricted.write_text(before)
