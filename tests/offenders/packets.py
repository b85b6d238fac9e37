"""Packets as the scanner counts them, out of lines that it reads."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import NamedTuple

from logwatch.packets import Scanner, Summary

PREFIXES = ["deny", "log"]
POLICIES = [("deny-nodeports", "denied"), ("log-denied-packets", "logged")]
FLAGS = {"syn": "SYN", "reply": "ACK RST", "other": "PSH FIN"}


class Sent(NamedTuple):
    """So many packets alike."""

    source: str = "203.0.113.7"
    port: int = 22
    packets: int = 1
    protocol: str = "tcp"
    shape: str = "syn"
    policy: int = 0
    destination: str = "198.51.100.1"
    interface: str = "eth1"
    length: int = 60

    def line(self) -> str:
        """As rsyslog writes it, which counts repetitions."""
        source = ip_address(self.source)
        body = f"SRC={source.exploded} DST="
        if source.version == 6:
            body += "2001:0db8:0000:0000:0000:0000:0000:0009 "
            body += f"LEN={self.length} TC=0 HOPLIMIT=64 FLOWLBL=0 "
        else:
            body += f"{self.destination} LEN={self.length} TOS=0x00 PREC=0x00 TTL=64 ID=1 DF "
        match self.protocol:
            case "tcp":
                body += f"PROTO=TCP SPT=4000 DPT={self.port} WINDOW=1 RES=0x00 {FLAGS[self.shape]} "
                body += "URGP=0 "
            case "udp":
                body += f"PROTO=UDP SPT=4000 DPT={self.port} LEN=40 "
            case "none":
                body = body.partition(" TTL=")[0]  # the rest was cut away
            case _:
                body += "PROTO=ICMP TYPE=8 CODE=0 ID=1 SEQ=1 "
        message = f"{PREFIXES[self.policy]}: IN={self.interface} OUT= MAC=00 {body}"
        if self.packets > 1:
            message = f"message repeated {self.packets} times: [ {message}]"
        return f"Nov 24 12:00:00 worker-1 kernel: {message}\n"


def summary(sent: Iterable[Sent], memory: int = 2**24, *, samples: int = 0) -> Summary:
    """Count them, as one batch of the agent."""
    sent = list(sent)
    scanner = Scanner(PREFIXES, memory=memory, samples=samples)
    for each in sent:
        scanner.feed(each.line().encode())
    counted = scanner.drain()
    assert counted.packets == sum(each.packets for each in sent)
    return counted


def policies(counted: Summary) -> list[tuple[str, str]]:
    """Names and verdicts of a summary's policies."""
    return [POLICIES[prefix] for prefix, *_ in counted.policies()]
