"""Lines as rsyslog writes what the kernel says of a denied packet, now."""

from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path


def packet(
    source: str = "203.0.113.7",
    port: int = 22,
    *,
    prefix: str = "calico-packet",
    interface: str = "eth1",
    host: str = "worker-1",
) -> str:
    """A line of a TCP packet of 60 bytes."""
    address = ip_address(source)
    header = (
        "DST=198.51.100.1 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 DF"
        if address.version == 4
        else f"DST={ip_address('2001:db8::1').exploded} LEN=60 TC=0 HOPLIMIT=64 FLOWLBL=0"
    )
    return (
        f"{datetime.now(UTC).isoformat()} {host} kernel: {prefix}: IN={interface} OUT= MAC=00 "
        f"SRC={address.exploded} {header} PROTO=TCP "
        f"SPT=4000 DPT={port} WINDOW=1 RES=0x00 SYN URGP=0 \n"
    )


def write(log: Path, *lines: str) -> None:
    """Append lines."""
    with log.open("a") as file:
        file.write("".join(lines))
