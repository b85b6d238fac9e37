"""Makes syslog lines that vary where real ones do.

Host, interface, hardware addresses, family, protocol, destination, length, identification and
policy differ from line to line; all of it comes from the source of chance that is passed in.
"""

import random
from collections.abc import Callable, Iterator
from itertools import accumulate

PREFIXES = ("calico-packet", "calico-packet-nodeports", "calico-packet-lb")
_MONTH_DAY = "Nov 22"
_HOSTS = tuple(f"worker-{number}" for number in range(1, 9))
_INTERFACES = ("eth0", "eth1", "ens192", "bond0", "cali527b0801ecb", "enp0s3f1")
_PORTS = (22, 23, 80, 443, 445, 1433, 3306, 3389, 5060, 5432, 6379, 8080, 8443, 9200, 30080, 32443)
_FLOWS = 1 << 17
_SOURCES_V4, _SOURCES_V6 = 20_000, 2_000
# Shares of flows: to a port that everybody scans for, over TCP, over UDP; the rest is ICMP.
_WELL_KNOWN, _TCP, _UDP = 0.6, 0.8, 0.15
_OTHER_LINES = (
    "systemd[1]: Started Session {n} of user root.",
    "kubelet[1423]: I1122 reconciler.go:224] operationExecutor.VerifyControllerAttachedVolume {n}",
    'containerd[911]: time="2026-11-22T07:08:09" level=info msg="Container exec {n} created"',
    "kernel: [{n}.123456] eth0: renamed from veth{n}",
    "sshd[{n}]: Connection closed by 198.51.100.9 port {n} [preauth]",
    "CRON[{n}]: (root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 1 {n})",
    "calico-node[2201]: 2026-11-22 07:08:09.123 [INFO][{n}] felix/int_dataplane.go 1693: Applying",
)

Text = Callable[[], str]
"""Gives the kernel's text of the next packet."""
Flow = tuple[str, str, str]
"""What all packets of a flow share: up to MAC, from there up to LEN, the transport."""


def syslog(count: int, every: int, text: Text, chance: random.Random) -> Iterator[str]:
    """Give lines of which one in `every` is a packet."""
    pick = chance.random
    second = 0.0
    for number in range(count):
        second += 0.02 * pick()
        time = int(second)
        clock = f"{time // 3600 % 24:02}:{time // 60 % 60:02}:{time % 60:02}"
        host = _HOSTS[number * 7919 // 64 % len(_HOSTS)]
        if number % every == every // 2:
            uptime = f"[{158271 + time}.{int(pick() * 1e6):06}]"
            yield f"{_MONTH_DAY} {clock} {host} kernel: {uptime} {text()}\n"
        else:
            other = _OTHER_LINES[int(pick() * len(_OTHER_LINES))].format(n=int(pick() * 1e5))
            yield f"{_MONTH_DAY} {clock} {host} {other}{' .' * int(pick() * 24)}\n"


def both_families(chance: random.Random) -> Text:
    """One packet in eight is IPv6; a few IPv4 sources send most, as it is in the field."""
    v4 = _sources_v4(chance, _SOURCES_V4)
    v6 = _sources_v6(chance, _SOURCES_V6)
    kernel = _Kernel(chance)
    flows_v4 = [kernel.flow_v4(source) for source in _few_send_most(chance, v4)]
    flows_v6 = [kernel.flow_v6(source) for source in chance.choices(v6, k=_FLOWS // 8)]
    bits = chance.getrandbits

    def text() -> str:
        mark = kernel.mark()
        if bits(3):
            return kernel.text_v4(flows_v4[bits(17)], mark)
        return kernel.text_v6(flows_v6[bits(14)], mark)

    return text


def only_v4(chance: random.Random) -> Text:
    """As many sources and flows as `only_v6`, chosen alike."""
    sources = _sources_v4(chance, _SOURCES_V4)
    kernel = _Kernel(chance)
    flows = [kernel.flow_v4(source) for source in _few_send_most(chance, sources)]
    return lambda: kernel.text_v4(flows[chance.getrandbits(17)], kernel.mark())


def only_v6(chance: random.Random) -> Text:
    """As many sources and flows as `only_v4`, chosen alike."""
    sources = _sources_v6(chance, _SOURCES_V4)
    kernel = _Kernel(chance)
    flows = [kernel.flow_v6(source) for source in _few_send_most(chance, sources)]
    return lambda: kernel.text_v6(flows[chance.getrandbits(17)], kernel.mark())


def uniform(chance: random.Random, sources: int) -> Text:
    """IPv4 sources of one flow each: all send once in random order, then all again in another."""
    numbers = chance.sample(range(1 << 24, 224 << 24), sources)
    kernel = _Kernel(chance)
    flows = [
        kernel.flow_v4(f"{one >> 24}.{one >> 16 & 255}.{one >> 8 & 255}.{one & 255}")
        for one in numbers
    ]
    order: list[Flow] = []

    def text() -> str:
        if not order:
            order.extend(flows)
            chance.shuffle(order)
        return kernel.text_v4(order.pop(), kernel.mark())

    return text


def _sources_v4(chance: random.Random, count: int) -> list[str]:
    return [
        f"{chance.randint(1, 223)}.{chance.randint(0, 255)}.{chance.randint(0, 255)}"
        f".{chance.randint(1, 254)}"
        for _ in range(count)
    ]


def _sources_v6(chance: random.Random, count: int) -> list[str]:
    return [
        ":".join(["2001", "0db8", *(f"{chance.randint(0, 65535):04x}" for _ in range(6))])
        for _ in range(count)
    ]


def _few_send_most(chance: random.Random, sources: list[str]) -> list[str]:
    """Return the source of each flow."""
    weights = list(accumulate(1 / (rank + 20) for rank in range(len(sources))))
    return chance.choices(sources, cum_weights=weights, k=_FLOWS)


class _Kernel:
    """Writes packets as nf_log_syslog.c does."""

    def __init__(self, chance: random.Random) -> None:
        self._bits, self._pick, self._choice = chance.getrandbits, chance.random, chance.choice
        self._to_v4 = [f"198.51.100.{last}" for last in range(1, 65)]
        self._to_v6 = [f"2001:0db8:00ff:0000:0000:0000:0000:{last:04x}" for last in range(1, 17)]
        self._macs = [
            ":".join(f"{chance.randint(0, 255):02x}" for _ in range(12)) for _ in range(64)
        ]

    def flow_v4(self, source: str) -> Flow:
        return self._flow(source, "08:00", "ICMP", self._to_v4)

    def flow_v6(self, source: str) -> Flow:
        return self._flow(source, "86:dd", "ICMPv6", self._to_v6)

    def _flow(self, source: str, ether: str, icmp: str, to: list[str]) -> Flow:
        bits, pick = self._bits, self._pick
        prefix = PREFIXES[min(int(pick() * 5), 2)]
        interface = _INTERFACES[int(pick() * len(_INTERFACES))]
        out = "" if bits(2) else f"cali{bits(20):05x}"
        kind = pick()
        port = _PORTS[bits(4)] if pick() < _WELL_KNOWN else 1 + bits(16) % 65535
        if kind < _TCP:
            end = f"DPT={port} WINDOW=", f"RES=0x00 {'SYN ' if bits(3) else 'ACK RST '}URGP=0 "
            transport = f"PROTO=TCP SPT={1024 + bits(15)} {end[0]}{bits(16)} {end[1]}"
        elif kind < _TCP + _UDP:
            transport = f"PROTO=UDP SPT={1024 + bits(15)} DPT={port} LEN={8 + bits(9)} "
        else:
            transport = f"PROTO={icmp} TYPE=8 CODE=0 ID={bits(16)} SEQ={bits(8)} "
        start = f"{prefix}: IN={interface} OUT={out} MAC="
        return start, f":{ether} SRC={source} DST={self._choice(to)} LEN=", transport

    def mark(self) -> str:
        return "MARK=0x4000 " if self._bits(1) else ""

    def text_v4(self, flow: Flow, mark: str) -> str:
        start, middle, transport = flow
        bits = self._bits
        return (
            f"{start}{self._macs[bits(6)]}{middle}{40 + bits(10)} TOS=0x00 "
            f"PREC=0x00 TTL={32 + bits(7)} ID={bits(16)} {'DF ' if bits(1) else ''}"
            f"{transport}{mark}"
        )

    def text_v6(self, flow: Flow, mark: str) -> str:
        start, middle, transport = flow
        bits = self._bits
        return (
            f"{start}{self._macs[bits(6)]}{middle}{60 + bits(10)} TC=0 "
            f"HOPLIMIT={32 + bits(7)} FLOWLBL={bits(20)} {transport}{mark}"
        )
