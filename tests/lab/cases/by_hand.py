"""Lines that no kernel or syslogd at hand writes, each with what is to be found in it.

Sources: Linux net/netfilter/nf_log_syslog.c; rsyslog's templates and runtime/ratelimit.c;
journalctl's short forms.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from lab.case import Case
from lab.packet import Sent

ADDRESSES = "SRC=203.0.113.7 DST=198.51.100.9 "
V4 = ADDRESSES + "LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=52866 DF "
PORTS = "PROTO=TCP SPT=42962 DPT=3389 "
TCP = PORTS + "WINDOW=29200 RES=0x00 SYN URGP=0 "
DEVICES = "IN=eth1 OUT= MAC=08:00:27:01:02:03:08:00:27:04:05:06:08:00 "
BODY = DEVICES + V4 + TCP
MESSAGE = "calico-packet: " + BODY
V6 = (
    "SRC=2001:0db8:0000:0000:0000:0000:0000:0007 DST=2001:0db8:0000:0000:0000:0000:0000:0009 "
    "LEN=80 TC=0 HOPLIMIT=64 FLOWLBL=0 "
)
HEADER = "Nov 22 07:08:09 worker-1 kernel: [   12.345678] "
SCAN = Sent(
    "packet", 4, "203.0.113.7", "198.51.100.9", 60, "tcp", 42962, 3389, ("syn",), None, None
)
SIX = replace(SCAN, family=6, source="2001:db8::7", destination="2001:db8::9", length=80)
NO_FLAGS = replace(SCAN, flags=None)
NO_PORT = replace(NO_FLAGS, port=None)
NO_PORTS = replace(NO_PORT, source_port=None)
NO_PROTOCOL = replace(NO_PORTS, protocol=None)
ADDRESSES_ONLY = replace(NO_PROTOCOL, length=None)

STAMPS = (
    "Nov  5 07:08:09", "Nov 5 07:08:09", "Sep 5 14:34:40", "Nov 05 07:08:09", "Jan  1 00:00:00",
    "Feb 29 12:00:00", "Dec 31 23:59:59", "Jun 30 23:59:60",
    "2026-11-22T07:08:09.123456+00:00", "2026-11-22T07:08:09.123456789Z", "2026-11-22T07:08:09Z",
    "2026-11-22T07:08:09-08:00", "2026-11-22T07:08:09.1+05:30", "2024-02-29T00:00:00Z",
    "2026-11-22T07:08:09+0000", "2026-11-22T07:08:09.123456-0930", "Nov 22 07:08:09.123456",
)  # fmt: skip
NO_STAMPS = (
    "Nov 32 07:08:09", "Nov  0 07:08:09", "nov 22 07:08:09", "Nov 22 24:00:00", "Nov 22 7:08:09",
    "Nov 22 07:60:09", "Nov 22 07:08:61", "Nov   5 07:08:09", "2026-13-22T07:08:09Z",
    "2026-11-22 07:08:09Z", "2026-11-22T07:08:09", "2026-11-22T07:08:09.Z",
    "2026-11-22T07:08:09.1234567890Z", "2026-11-22T07:08:09+00", "2026-11-22T07:08:09+24:00",
    "2026-11-22T07:08:09+0060", "Nov 22 07:08:09.", "1762000000", "",
)  # fmt: skip
PLACES = (
    "", " ", "   ", " [    0.000000] ", " [123456.789012] ", " [   12.345678]", " [    C0] ",
    " [   12.345678][    C3] ", " [   12.345678] [ T1234] ", " [    C3] ", "[1.000000]",
)  # fmt: skip


def headers() -> Iterator[tuple[str, str, Sent | None]]:
    """Yield kind, line and truth where only what stands before the message differs."""
    for stamp in STAMPS:
        yield "packet", f"{stamp} worker-1 kernel: {MESSAGE}", SCAN
    for stamp in NO_STAMPS:
        yield "forged", f"{stamp} worker-1 kernel: {MESSAGE}", None
    for place in PLACES:
        yield "packet", f"Nov 22 07:08:09 worker-1 kernel:{place}{MESSAGE}", SCAN
    stamp = "2026-11-22T07:08:09.123456+02:00"
    for header in (
        f"<5>1 {stamp} worker-1 kernel - - - [1154069.463446] ",  # RFC 5424
        f"1 {stamp} worker-1 kernel - - - ",  # without PRI
        f"{stamp} worker-1 kernel - - - ",
        "<5>Nov 22 07:08:09 worker-1 kernel: ",
        "<191>Nov 22 07:08:09 worker-1 kernel: ",
        "Nov 22 07:08:09 kernel: ",  # without a host
        f"<5>1 {stamp} kernel - - - ",
        "Nov 22 07:08:09 fe80::1%eth0 kernel: ",
        f"Nov 22 07:08:09 {'h' * 255} kernel: ",
    ):
        yield "packet", header + MESSAGE, SCAN
    for header in (
        "<5>1 2026-11-22T07:08:09Z worker-1 kernel 1 - - ",
        '<5>1 2026-11-22T07:08:09Z worker-1 kernel - - [x@1 y="z"] ',
        "<5>1 2026-11-22T07:08:09Z worker-1 sshd 4242 - - kernel: ",
        "<1234>Nov 22 07:08:09 worker-1 kernel: ",
        "<>Nov 22 07:08:09 worker-1 kernel: ",
        "Nov 22 07:08:09  worker-1 kernel: ",
        "Nov 22 07:08:09 worker-1  kernel: ",
        "Nov 22 07:08:09 worker-1 kernel : ",
        "Nov 22 07:08:09 worker-1 KERNEL: ",
        "Nov 22 07:08:09 a b kernel: ",
        "Nov 22 07:08:09 kernel: kernel: ",  # a host of that name is the tag
        f"Nov 22 07:08:09 {'h' * 256} kernel: ",
        "kernel: ",
        "[   12.345678] ",
        "",
        HEADER + "[x] ",
        HEADER + "[   12.3456] ",
        HEADER + "[   12.345678] [   12.345678] ",
        HEADER + "x",
    ):
        yield "forged", header + MESSAGE, None


def repeated() -> Iterator[tuple[str, str, Sent | None]]:
    """Yield wrappers; a good one stands for three packets."""
    where = "Nov 22 07:08:09 worker-1 kernel: "
    for wrapped in (
        f"message repeated 3 times: [ {MESSAGE}]",
        f"message repeated 3 times: [{MESSAGE}]",
        f"message repeated 3 times: [ [   12.345678] {MESSAGE}]",
        f"[   12.345678] message repeated 3 times: [ {MESSAGE}]",
        f"message repeated 3 times: [ {MESSAGE}",  # cut before the bracket
    ):
        yield "repeated", where + wrapped, SCAN
    cut = f"{DEVICES}{V4}PROTO=TCP SPT=42962 DPT=33"
    yield "repeated", f"{where}message repeated 3 times: [ calico-packet: {cut}]", NO_PORT
    for count in ("0", "03", "+3", "-3", "3.0", "", "4294967296", "x"):
        yield "forged", f"{where}message repeated {count} times: [ {MESSAGE}]", None
    twice = f"message repeated 2 times: [ message repeated 2 times: [ {MESSAGE}]]"
    yield "forged", where + twice, None
    yield "odd", f"{where}message repeated 3 times: [ calico-packet: IN=eth1 OUT=]", None
    yield "other", where + "last message repeated 3 times", None


def bodies() -> Iterator[tuple[str, str, Sent | None]]:
    """Yield messages of devices, kernels and lengths that are not at hand, and cut ones."""
    tunnel = "MAC=45:00:00:64:00:00:40:00:40:29:6b:4f:cb:00 TUNNEL=203.0.113.1->203.0.113.2 "
    sit = replace(SIX, interface="sit1")
    yield "packet", f"IN=sit1 OUT= {tunnel}{V6}{TCP}", sit
    yield "packet", f"IN=sit1 OUT= MAC= TUNNEL=203.0.113.1->203.0.113.2 {V6}{TCP}", sit
    yield "packet", f"IN= OUT= {V4}{TCP}", replace(SCAN, interface="")
    yield "packet", f"IN=eth1 OUT= {V4}{TCP}", SCAN
    yield "packet", f"IN=eth1 OUT= MAC= {V4}{TCP}", SCAN
    macs = "MACSRC=86:6c:92:ea:d6:73 MACDST=0e:3b:eb:86:73:76 "
    yield "packet", f"IN=eth1 OUT= {macs}VPROTO=88a8 VID=65535 MACPROTO=0800 {V4}{TCP}", SCAN
    yield "packet", f"IN=br0 OUT= PHYSIN=p1 PHYSOUT=p2 {V4}{TCP}", replace(SCAN, interface="br0")
    for name in ("a=b", "DST=1", "\u00e9th0", "[x]", "abcdefghijklmno"):
        yield "packet", f"IN={name} OUT= MAC= {V4}{TCP}", replace(SCAN, interface=name)
    big = replace(SCAN, length=4294967295)
    yield "packet", f"{DEVICES}{V4}{TCP}".replace("LEN=60", "LEN=4294967295"), big
    old = "WINDOW=29200 RES=0x0f CWR ECE SYN URGP=0 "  # before Linux 6.15 AE was part of RES
    yield "packet", f"{DEVICES}{V4}{PORTS}{old}", replace(SCAN, flags=("cwr", "ece", "syn"))
    every = "AE CWR ECE URG ACK PSH RST SYN FIN"
    all_nine = replace(SCAN, flags=tuple(every.lower().split()))
    yield "packet", f"{DEVICES}{V4}{PORTS}WINDOW=0 RES=0x0e {every} URGP=65535 MARK=0x1 ", all_nine
    number = V4 + TCP.replace("PROTO=TCP", "PROTO=6")
    yield "packet", f"{DEVICES}{number}", NO_PORTS
    for end in ("TRUNCATED", "OPT (TRUNCATED", "OPT (0102) ", "PROTO=", "PROTO=T", "PROTO=TCP",
                "PROTO=tcp ", "PROTO=06 ", "PROTO=256 ", "CE MF DF "):  # fmt: skip
        yield "packet", f"{DEVICES}{V4}{end}", NO_PROTOCOL
    yield "packet", f"{DEVICES}{V6}Unknown Ext Hdr 200", replace(NO_PROTOCOL, **six())
    yield "packet", f"{DEVICES}{V6}FRAG:TRUNCATED ", replace(NO_PROTOCOL, **six())
    for end in ("PROTO=TCP ", "PROTO=TCP INCOMPLETE [8 bytes] ", "PROTO=TCP SPT=42962",
                "PROTO=TCP SPT=65536 DPT=3389 ", "PROTO=TCP SPT=042962 DPT=3389 "):  # fmt: skip
        yield "packet", f"{DEVICES}{V4}{end}", NO_PORTS
    for end in ("", "DPT=3389", "DPT=338", "DPT=65536 ", "DPT=03389 ", "DPT=-1 ", "DPT= "):
        yield "packet", f"{DEVICES}{V4}PROTO=TCP SPT=42962 {end}", NO_PORT
    yield "packet", f"{DEVICES}{V4}{PORTS}", NO_FLAGS
    for end in (
        "",
        "RES=0x00 SYN",
        "RES=0x00 SYN ",
        "RES=0x00 SYN ACK URGP=0 ",
        "RES=0x00 X URGP=0 ",
    ):
        yield "packet", f"{DEVICES}{V4}{PORTS}WINDOW=29200 {end}", NO_FLAGS
    for end in ("", "LEN=", "LEN=60", "LEN=4294967296 ", "LEN=060 ", "TTL=64 "):
        yield "packet", f"{DEVICES}{ADDRESSES}{end}", ADDRESSES_ONLY
    for end in (
        "", "IN", "IN=", "IN=eth1", "IN=eth1 ", "IN=eth1 OUT=", "IN=eth1 OUT= ", "IN=eth1  OUT= ",
        f"OUT= IN=eth1 {V4}{TCP}", f"IN=abcdefghijklmnop OUT= {V4}{TCP}", DEVICES,
        f"{DEVICES}SRC=203.0.113.7 ", f"{DEVICES}SRC=203.0.113.7 DST=198.51.100.9",
        f"{DEVICES}SRC=203.0.113.07 DST=198.51.100.9 LEN=60 ",
        f"{DEVICES}SRC=203.0.113.256 DST=198.51.100.9 LEN=60 ",
        f"{DEVICES}SRC=203.0.113 DST=198.51.100.9 LEN=60 ",
        f"{DEVICES}SRC=2001:db8::7 DST=2001:db8::9 LEN=80 ",
        f"{DEVICES}{V6}".replace("0db8", "0DB8"),
        f"{DEVICES}SRC=203.0.113.7 DST=2001:0db8:0000:0000:0000:0000:0000:0009 LEN=80 ",
        f"{DEVICES}DST=198.51.100.9 SRC=203.0.113.7 LEN=60 ",
        f"{DEVICES}x {V4}{TCP}",
        f"IN=eth1 OUT= {macs}MACPROTO=0806 ARP HTYPE=1 PTYPE=0x0800 OPCODE=2 {macs}IPSRC=192.0.2.2",
    ):  # fmt: skip
        yield "odd", end, None


def six() -> dict[str, object]:
    """Return what makes a truth one of V6."""
    return {"family": 6, "source": SIX.source, "destination": SIX.destination, "length": 80}


def bytes_of_all_kinds() -> Iterator[tuple[str, bytes, Sent | None]]:
    """Yield lines that are not simply text."""
    line = (HEADER + MESSAGE).encode()
    yield "packet", line + b"\r", SCAN
    yield "packet", b"\0" * 100 + line, SCAN
    yield "packet", line.replace(b"worker-1", b"\xff\xfe\x80"), SCAN
    yield "packet", line + b"\xff\0\x1b[31m", SCAN
    yield "packet", line.replace(b"IN=eth1", b"IN=eth\x01"), replace(SCAN, interface="eth\x01")
    yield "other", b"\0" * 100, None
    yield "other", b"", None
    yield "other", b"\r", None
    yield "other", b"\xff" * 200, None
    yield "other", b"calico-packet", None
    yield "other", line.replace(b"calico-packet", b"calico\0packet"), None
    yield "forged", line.replace(b"Nov", b"No\0"), None
    yield "forged", line.replace(b"kernel:", b"kernel\0:"), None


LOSSES = (
    "worker-1 systemd-journald[250]: Missed 61 kernel messages",
    "worker-1 systemd-journald[250]: /dev/kmsg buffer overrun, some messages lost.",
    "worker-1 kernel: [   12.345678] net_ratelimit: 12 callbacks suppressed",
    "worker-1 kernel: [   12.345678] nf_log_syslog: please increase S_SIZE",
    "worker-1 rsyslogd: imuxsock[pid: 700]: begin to drop messages due to rate-limiting",
    "worker-1 rsyslogd: imjournal: 12000 messages lost due to rate-limiting (20000 allowed",
)


def written() -> tuple[bytes, list[Sent], Counter[str]]:
    """Return the file, the truth of its packets, and its lines by kind."""
    lines: list[tuple[str, bytes, Sent | None]] = [
        (kind, line.encode(), sent) for kind, line, sent in (*headers(), *repeated())
    ]
    lines += [
        (kind, f"{HEADER}calico-packet: {body}".encode(), sent) for kind, body, sent in bodies()
    ]
    lines += bytes_of_all_kinds()
    lines += [("other", f"Nov 22 07:08:09 {line}".encode(), None) for line in LOSSES]
    sent = [
        one
        for kind, _, one in lines
        if one is not None
        for _ in range(3 if kind == "repeated" else 1)
    ]
    return (
        b"".join(line + b"\n" for _, line, _ in lines),
        sent,
        Counter(kind for kind, _, _ in lines),
    )


CASES = (
    Case(
        "by-hand",
        """Written by hand from the text of Linux's nf_log_syslog.c and of rsyslog: header forms and
        stamps of other hosts, devices and kernels that are not at hand (TUNNEL of SIT, 802.1ad,
        RES before Linux 6.15, LEN beyond 65535), lines cut in the middle of any token, false
        stamps, tags, addresses and numbers, bytes that are no text, and what others say about
        loss. A line cut before LEN counts as a packet of 0 bytes.""",
        written=written,
        lost={
            "kernel": {"messages": 0, "reports": 1},
            "journald": {"messages": 61, "reports": 2},
            "rsyslog": {"messages": 12_000, "reports": 1},
        },
    ),
)
