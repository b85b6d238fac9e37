"""Lines as rsyslog writes them, of packets at a time."""

from datetime import UTC, datetime

BEGIN = 1_795_478_400
"""2026-11-24T00:00:00Z"""


def line(
    second: int,
    source: str = "203.0.113.66",
    port: int = 22,
    destination: str = "198.51.100.2",
    *,
    host: str = "worker-1",
    prefix: str = "calico-packet",
) -> str:
    """A lone SYN, so many seconds after `BEGIN`."""
    stamp = datetime.fromtimestamp(BEGIN + second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    middle = "TC=0 HOPLIMIT=64 FLOWLBL=0" if ":" in source else "TOS=0x00 PREC=0x00 TTL=64 ID=0"
    return (
        f"{stamp} {host} kernel: {prefix}: IN=eth1 OUT= MAC=00 SRC={source} DST={destination}"
        f" LEN=60 {middle} PROTO=TCP SPT=40000 DPT={port} WINDOW=64240 RES=0x00 SYN URGP=0 \n"
    )
