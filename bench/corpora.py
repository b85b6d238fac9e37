"""Makes the files that the benchmarks read, once, in the user's cache folder.

Their lines vary where real ones do: host, interface, hardware addresses, family, protocol,
destination, length, identification, policy. A corpus is the same on every machine (fixed seed).
"""

import os
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

VERSION = 2
"""Grows when the lines change, so that no old file is taken for a new one."""

PREFIXES = ("calico-packet", "calico-packet-nodeports", "calico-packet-lb")
_MONTH_DAY = "Nov 22"
_HOSTS = tuple(f"worker-{number}" for number in range(1, 9))
_INTERFACES = ("eth0", "eth1", "ens192", "bond0", "cali527b0801ecb", "enp0s3f1")
_PORTS = (22, 23, 80, 443, 445, 1433, 3306, 3389, 5060, 5432, 6379, 8080, 8443, 9200, 30080, 32443)
_FLOWS = 1 << 17
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


@dataclass(frozen=True)
class Corpus:
    """A file of `lines` lines, of which `packets` are packets."""

    name: str
    lines: int
    packets: int

    @property
    def path(self) -> Path:
        """Where it is, or will be."""
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        return Path(cache) / "calico-logwatch" / "bench" / f"{self.name}-{VERSION}.log"


STORM = Corpus("storm", 4_000_000, 4_000_000)
MIXED = Corpus("mixed", 8_000_000, 400_000)


def make(corpus: Corpus) -> Path:
    """Make the corpus unless it is there, and say so on stderr."""
    path = corpus.path
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.write(f"making {corpus.name}: {corpus.lines:,} lines, once\n")
    part = path.with_suffix(".part")
    chance = random.Random(corpus.name)
    with part.open("w", encoding="ascii", buffering=1 << 20) as file:
        file.writelines(_lines(corpus, chance))
    part.rename(path)
    return path


def _lines(corpus: Corpus, chance: random.Random) -> Iterator[str]:
    packet = _packets(chance)
    every = corpus.lines // corpus.packets
    pick = chance.random
    second = 0.0
    for number in range(corpus.lines):
        second += 0.02 * pick()
        time = int(second)
        clock = f"{time // 3600 % 24:02}:{time // 60 % 60:02}:{time % 60:02}"
        host = _HOSTS[number * 7919 // 64 % len(_HOSTS)]
        if number % every == every // 2:
            uptime = f"[{158271 + time}.{int(pick() * 1e6):06}]"
            yield f"{_MONTH_DAY} {clock} {host} kernel: {uptime} {packet()}\n"
        else:
            text = _OTHER_LINES[int(pick() * len(_OTHER_LINES))].format(n=int(pick() * 1e5))
            yield f"{_MONTH_DAY} {clock} {host} {text}{' .' * int(pick() * 24)}\n"


def _packets(chance: random.Random) -> Callable[[], str]:
    """Return a function that makes the kernel's text of one packet."""
    v4 = [
        f"{chance.randint(1, 223)}.{chance.randint(0, 255)}.{chance.randint(0, 255)}"
        f".{chance.randint(1, 254)}"
        for _ in range(20_000)
    ]
    v6 = [
        ":".join(["2001", "0db8", *(f"{chance.randint(0, 65535):04x}" for _ in range(6))])
        for _ in range(2_000)
    ]
    to_v4 = [f"198.51.100.{last}" for last in range(1, 65)]
    to_v6 = [f"2001:0db8:00ff:0000:0000:0000:0000:{last:04x}" for last in range(1, 17)]
    macs = [":".join(f"{chance.randint(0, 255):02x}" for _ in range(12)) for _ in range(64)]
    bits, pick = chance.getrandbits, chance.random

    def flow(source: str, ether: str, icmp: str, to: list[str]) -> tuple[str, str, str]:
        """Make what all packets of a flow share: policy, interface, addresses, ports."""
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
        return start, f":{ether} SRC={source} DST={chance.choice(to)} LEN=", transport

    # A few sources send most of the packets, as it is in the field.
    weights = list(accumulate(1 / (rank + 20) for rank in range(len(v4))))
    flows_v4 = [
        flow(source, "08:00", "ICMP", to_v4)
        for source in chance.choices(v4, cum_weights=weights, k=_FLOWS)
    ]
    flows_v6 = [
        flow(source, "86:dd", "ICMPv6", to_v6) for source in chance.choices(v6, k=_FLOWS // 8)
    ]

    def packet() -> str:
        mark = "MARK=0x4000 " if bits(1) else ""
        if bits(3):
            start, middle, transport = flows_v4[bits(17)]
            return (
                f"{start}{macs[bits(6)]}{middle}{40 + bits(10)} TOS=0x00 "
                f"PREC=0x00 TTL={32 + bits(7)} ID={bits(16)} {'DF ' if bits(1) else ''}"
                f"{transport}{mark}"
            )
        start, middle, transport = flows_v6[bits(14)]
        return (
            f"{start}{macs[bits(6)]}{middle}{60 + bits(10)} TC=0 "
            f"HOPLIMIT={32 + bits(7)} FLOWLBL={bits(20)} {transport}{mark}"
        )

    return packet


if __name__ == "__main__":
    for each in (STORM, MIXED):
        sys.stdout.write(f"{make(each)}\n")
