"""What the kernel, journald and rsyslog write about loss, between packets and what looks alike.

Sources of the texts: Linux net/netfilter/nf_log.c and lib/ratelimit.c; systemd's journald-kmsg.c
and journald-syslog.c; rsyslog's runtime/ratelimit.c, in the versions 7 and 8.
"""

from collections import Counter

from lab.case import Case
from lab.cases.by_hand import MESSAGE, SCAN
from lab.packet import Sent

STAMPS = ("Nov 22 07:08:09 worker-1 ", "2026-11-22T07:08:10.123456+00:00 worker-1 ")

PACKET = f"kernel: [   12.345678] {MESSAGE}"

KERNEL = ("kernel: [   12.345678] netfilter please increase S_SIZE",)
JOURNALD = (
    "systemd-journald[250]: Missed 61 kernel messages",
    "systemd-journal[250]: Missed 1427 kernel messages",
    "systemd-journald[250]: /dev/kmsg buffer overrun, some messages lost.",
    "kernel: [  771.887019] systemd-journald[250]: /dev/kmsg buffer overrun, some messages lost.",
    "systemd-journald[250]: Missed 0 kernel messages",
    "systemd-journald[250]: Missed 36893488147419103232 kernel messages",
)
LIMIT = "(20000 allowed within 600 seconds)"
RSYSLOG = (
    f"rsyslogd: imjournal: 12000 messages lost due to rate-limiting {LIMIT}",
    "rsyslogd-2177: imjournal: 406 messages lost due to rate-limiting",
    "rsyslogd[812]: imklog: 9 messages lost due to rate-limiting (10000 allowed within 5 seconds)",
    "rsyslogd: imjournal from <worker-1:kubelet>: begin to drop messages due to rate-limiting",
    "rsyslogd-2177: imjournal: begin to drop messages due to rate-limiting",
    "rsyslogd-2177 - - - imklog from <w:kernel>: begin to drop messages due to rate-limiting",
)
REPEATED = (
    f"rsyslogd: message repeated 3 times: [imklog: 7 messages lost due to rate-limiting {LIMIT}]",
)
NEITHER = (
    "kernel: [   12.345678] net_ratelimit: 12 callbacks suppressed",
    "kernel: [   12.345678] __ratelimit: 12 callbacks suppressed",
    "kernel: [   12.345678] nf_conntrack: 12 callbacks suppressed",
    "systemd-journald[250]: Suppressed 97 messages from kubelet.service",
    f"rsyslogd: imuxsock[pid: 700, name: app]: 48814808 messages lost due to rate-limiting {LIMIT}",
    "rsyslogd: imuxsock from <worker-1:app>: begin to drop messages due to rate-limiting",
    "app[700]: systemd-journald[250]: Missed 61 kernel messages",
    "app[700]: Missed 61 kernel messages",
    "app[700]: rsyslogd: imjournal: 5 messages lost due to rate-limiting",
    "app[700]: no messages were lost",
    "systemd-journald[250]: Missed 61 kern",
    "rsyslogd: imjournal: 120",
)
"""About other messages, said by another program, or cut."""

TEXTS = (*KERNEL, *JOURNALD, *RSYSLOG, *REPEATED, *NEITHER)


def written() -> tuple[bytes, list[Sent], Counter[str]]:
    """Return the file, the truth of its packets, and its lines by kind."""
    lines = [stamp + text for stamp in STAMPS for other in TEXTS for text in (PACKET, other)]
    packets = len(STAMPS) * len(TEXTS)
    kinds = Counter(packet=packets, other=packets)
    return "".join(f"{line}\n" for line in lines).encode(), [SCAN] * packets, kinds


CASES = (
    Case(
        "losses-by-hand",
        """Written by hand from the texts of Linux, systemd and rsyslog: what they say about lines
        that were lost or cut, with numbers and without, repeated, and above 64 bits; and what is
        about other messages, comes from another program, or is cut. A packet in front of each.""",
        written=written,
        lost={
            "kernel": {"messages": 0, "reports": 2},
            "journald": {"messages": 2 * (61 + 1427), "reports": 12},
            "rsyslog": {"messages": 2 * (12_000 + 406 + 9 + 21), "reports": 18},
        },
    ),
)
