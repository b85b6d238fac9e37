"""What syslog makes of the lines: repetition, length, other programs, forgery."""

import itertools
import random
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lab.case import Case, Recording
from lab.network import Network, Rule
from lab.packet import FRAGMENT, Packet, Sent, fragment, icmp, ip4, ip6, tcp, udp
from lab.rsyslog import Syslog

NODE4, NODE6 = "198.51.100.2", "2001:db8:1::2"
USER_NOTICE: Syslog = (1, 5)
MIXED_LINES = 1000


def chained(headers: int, port: int = 22, source: str = "2001:db8::7") -> Packet:
    """Return a packet behind so many fragment headers, each 27 characters of a line with options.

    25 make a line of about 950 characters, 45 one that the kernel cuts at 1019, long before PROTO.
    """
    one = (FRAGMENT, fragment(0, more=False, identifier=1))
    packet = ip6(source, NODE6, tcp(40000, port), extensions=[one] * headers, logs_options=True)
    return replace(packet, sent=unread(packet.sent)) if headers > 30 else packet


def unread(sent: Sent) -> Sent:
    """Return the truth of a line that is cut before PROTO."""
    return replace(sent, protocol=None, source_port=None, port=None, flags=None)


def long_lines_once(network: Network) -> None:
    """Have the kernel say `please increase S_SIZE` before anything is recorded: it says it once."""
    network.log(Rule(families=(6,), flags=("ip-options",)))
    with network.sender() as sender:
        sender.send([chained(45)])
    network.clear()


def long_lines(lab: Recording) -> None:
    lab.network.log(Rule(families=(6,), flags=("ip-options",)))
    lab.send(
        chained(headers, port, f"2001:db8::{headers:x}")
        for headers, port in itertools.product((1, 5, 10, 20, 25, 45, 60, 80), (22, 443))
    )


def repeated_messages(lab: Recording) -> None:
    lab.network.log(Rule(flags=("ip-options",)))
    scan = ip4("192.0.2.7", NODE4, tcp(42962, 22), dont_fragment=True)
    query = ip4("192.0.2.8", NODE4, udp(40000, 53, b"x" * 20))
    six = ip6("2001:db8::7", NODE6, tcp(42962, 22))
    inner = ip4(NODE4, "192.0.2.9", tcp(1, 443)).data[:28]
    # its line ends in `[...] MTU=1400 `, another in `] `: the bracket is not the wrapper's
    nested = ip4("192.0.2.9", NODE4, icmp(3, 4, struct.pack("!HH", 0, 1400), inner))
    closing = ip4("192.0.2.9", NODE4, icmp(11, 0, payload=inner))
    runs = [
        (scan, 1),
        (query, 2),
        (scan, 3),
        (query, 4),
        (six, 10),
        (nested, 5),
        (closing, 6),
        (scan, 1),
        (query, 1),
        (scan, 1),
        (query, 1),
        (six, 200),
        (scan, 60),
        (nested, 2),
        (closing, 3),
        (query, 17),
    ]
    for packet, count in runs:
        lab.repeated(lab.sender.send([packet] * count, per_second=5000))
    # The wrapper holds 800 bytes of the text: port and protocol of a longer line are gone in it.
    for packet, count in ((chained(25), 5), (chained(45), 3), (chained(25, 443), 2)):
        first, *copies = lab.sender.send([packet] * count)
        if count > 2:
            lab.lines("packet")
            lab.lines("repeated")
            lab.sent += [first, *(unread(copy) for copy in copies)]
        else:
            lab.repeated([first, *copies])
    # The last run is written only when rsyslogd stops: nothing different follows it.
    lab.repeated(lab.sender.send([scan] * 9))


def text(packet: Packet) -> str:
    """Return a TCP SYN's line as somebody would write it who wants to be taken for the kernel."""
    sent = packet.sent
    return (
        f"calico-packet: IN=eth1 OUT= MAC= SRC={sent.source} DST={sent.destination}"
        f" LEN={sent.length} TOS=0x00 PREC=0x00 TTL=64 ID=0 PROTO=TCP SPT={sent.source_port}"
        f" DPT={sent.port} WINDOW=64240 RES=0x00 SYN URGP=0 "
    )


def forged(lab: Recording) -> None:
    lab.network.log(Rule(families=(4,)))
    lab.send(ip4(f"192.0.2.{place}", NODE4, tcp(40000, 22)) for place in range(1, 11))
    victim = ip4("203.0.113.66", NODE4, tcp(40000, 22))
    line = text(victim)
    say = lab.rsyslog.log
    # Not in the place of the kernel's message: forged.
    for tag, words in (
        ("sshd[4242]", f"kernel: {line}"),
        ("sshd[4242]", f"Invalid user {line} from 203.0.113.9 port 40000"),
        ("nginx", f'203.0.113.9 - - "GET /?{line} HTTP/1.1" 404'),
        ("kernel[1]", line),
        ("kernel2", line),
        ("x kernel", line),
        ("Kernel", line),
        ("kernel", f"audit: {line}"),
        ("kernel", f"[  1.5] {line}"),
        ("kernel", f"[{line}]"),
        ("kernel", f"message repeated 0 times: [ {line}]"),
        ("kernel", f"message repeated 5000000000 times: [ {line}]"),
        ("sshd[4242]", f"message repeated 9 times: [ {line}]"),
        ("sshd[4242]", f"x\nNov 24 11:00:00 worker-1 kernel: {line}"),  # rsyslogd writes #012
        ("sshd[4242]", f"calico-packetIN=eth1 OUT= SRC={victim.sent.source} "),
    ):
        say(words, tag=tag, facility=USER_NOTICE)
        lab.lines("forged")
    # The prefix alone, or cut: not even that.
    for words in ("calico-packet: no interface", "calico-packet", "calico-packet: in=eth1", "IN="):
        say(words, tag="sshd[4242]", facility=USER_NOTICE)
        lab.lines("other")
    # The tag `kernel:` on the socket is written as the kernel's own: nothing in the file tells.
    say(line, tag="kernel", facility=USER_NOTICE)
    lab.made([replace(victim.sent)])
    say(f"message repeated 4 times: [ {line}]", tag="kernel", facility=USER_NOTICE)
    lab.sent += [victim.sent] * 4
    lab.lines("repeated")
    # What root writes to /dev/kmsg imklog takes as the kernel's (permitNonKernelFacility).
    root = ip4("203.0.113.67", NODE4, tcp(40000, 23))
    lab.made([root.sent])
    lab.lines("odd")
    lab.lines("forged")
    # Without its LF a record waits for the next one, since more text could follow.
    for words in (
        text(root),
        "calico-packet: nothing that the kernel would say",
        "somebody: calico-packet: IN=eth1 OUT= ",
    ):
        Path("/dev/kmsg").write_text(f"{words}\n")


def programs(source: random.Random) -> Iterator[tuple[str, str]]:
    """Yield tags and messages of other programs, no two the same."""
    users = ("root", "admin", "oracle", "test", "ubuntu")
    for number in itertools.count():
        address = f"203.0.113.{source.randrange(1, 255)}"
        process, port = source.randrange(500, 99999), source.randrange(1024, 65536)
        call = f"I1124 11:00:00.{number:06} 1 kubelet.go:2421]"
        said = f"IN={number} OUT={port}"
        yield source.choice(
            (
                (f"sshd[{process}]", f"Failed password for {users[number % 5]} from {address}"),
                (f"sshd[{process}]", f"Connection closed by {address} port {port} {number}"),
                (f"CRON[{process}]", f"(root) CMD (test -x /usr/sbin/anacron # {number})"),
                ("systemd[1]", f"Started session-{number}.scope - Session {number} of user root."),
                (f"kubelet[{process}]", f'{call} "SyncLoop UPDATE" pods=["kube-system/{number}"]'),
                (f"containerd[{process}]", f'level=info msg="{said} SRC={address} DPT={port} "'),
                (f"calico-node[{process}]", f"calico-packet logging is on for policy {number}"),
                (f"named[{process}]", f"client {address}#{port}: query: x{number}.example IN A"),
                ("kernel-installer", f"checked {number} packages; caf\u00e9 \u2713"),
            )
        )


def mixed_syslog(lab: Recording) -> None:
    """Fill a file as Ubuntu 24.04 writes it: packets of 60 sources, and everything else."""
    lab.network.log(Rule(prefix="[UFW BLOCK] ", families=(4,), match=("-s", "203.0.113.0/24")))
    lab.network.log(Rule())
    source = random.Random(1)  # the same file each time but for the stamps
    sequence: list[Packet] = []
    while len(sequence) < 600:
        host, port = source.randrange(1, 60), source.choice((22, 22, 23, 80, 443, 3389, 30080))
        kind = source.randrange(10)
        count = source.choice((1, 1, 1, 1, 2, 3, 8))
        identifier = source.randrange(65536)
        if kind < 5:
            flags = ("ack", "rst") if kind == 4 else ("syn",)
            made = ip4(
                f"192.0.2.{host}",
                NODE4,
                tcp(40000 + host, port, flags),
                identifier=identifier,
                dont_fragment=True,
            )
        elif kind < 7:
            made = ip4(
                f"192.0.2.{host}", NODE4, udp(40000 + host, 53, b"x" * host), identifier=identifier
            )
        elif kind == 7:
            made = ip4(f"192.0.2.{host}", NODE4, icmp(8, 0), identifier=identifier)
        elif kind == 8:
            made = ip6(f"2001:db8::{host:x}", NODE6, tcp(40000 + host, port), flow_label=identifier)
        else:
            made = ip4(f"203.0.113.{host}", NODE4, tcp(40000, port), identifier=identifier)
            count = 1
        sequence += [made] * count
    others = programs(source)
    for _, run in itertools.groupby(sequence):
        equal = list(run)
        sent = lab.sender.send(equal)
        if str(sent[0].source).startswith("203.0.113."):
            lab.lines("other", len(sent))  # the firewall's own rule, with its own prefix
        else:
            lab.repeated(sent)
        if source.randrange(3) == 0 and lab.kinds.total() < MIXED_LINES - 20:
            tag, words = next(others)
            lab.rsyslog.log(words, tag=tag)
            lab.lines("other")
    for tag, words in itertools.islice(others, MIXED_LINES - lab.kinds.total()):
        lab.rsyslog.log(words, tag=tag)
        lab.lines("other")


CASES = (
    Case(
        "long-lines",
        """By ip6tables with --log-ip-options: packets behind 1 to 80 fragment headers. The kernel
        cuts the text at 1019 bytes, here always before PROTO, so that those lines tell neither
        protocol nor port. It says `please increase S_SIZE` once per boot, which was provoked
        before. Header form A.""",
        long_lines,
        prepare=long_lines_once,
    ),
    Case(
        "repeated-messages",
        """Equal packets in a row under $RepeatedMsgReduction on, which Ubuntu ships, with the
        uptime stripped (rsyslog >= 8.2312 strips it by default; 8.2302 by parseKernelTimestamp=on):
        one packet is a line, two are two lines, more are a line and `message repeated N times: [
        ...]` with N less by one. The text in the wrapper is cut at 800 bytes: of long lines the
        copies have no protocol and no port. The last run was written when rsyslogd stopped. Header
        form E.""",
        repeated_messages,
        rsyslog={"template": "file", "uptime": False, "repeated": True},
        prepare=long_lines_once,
    ),
    Case(
        "forged",
        """Ten real packets, then lines of other processes with the same text, through rsyslogd's
        socket and through /dev/kmsg (taken because permitNonKernelFacility is on, as on Ubuntu).
        Where the kernel's message has no place they are `forged`. Three can't be told apart and are
        therefore counted, and in sent.json: the tag `kernel` on the socket, the same with `message
        repeated 4 times: [ ...]`, and what root wrote to /dev/kmsg. Header form A.""",
        forged,
        rsyslog={"user_records": True},
    ),
    Case(
        "mixed-syslog",
        """1000 lines as Ubuntu 24.04 writes them (RFC 3339, no uptime, $RepeatedMsgReduction on):
        packets of many sources and both families, another firewall's LOG lines, and other programs'
        messages, some of which speak of calico-packet or hold IN=, SRC= and DPT=. Header forms B
        and E.""",
        mixed_syslog,
        rsyslog={"template": "file", "uptime": False, "repeated": True},
    ),
)
