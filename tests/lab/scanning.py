"""What a scanner leaves in the syslog of a node."""

from datetime import UTC, datetime


def scan(host: int, ports: range) -> str:
    """Lines of a scanner, as rsyslog writes them."""
    now = datetime.now(UTC).isoformat()
    return "".join(
        f"{now} worker-1 kernel: calico-packet: IN=eth1 OUT= MAC=00 "
        f"SRC=203.0.113.{host} DST=198.51.100.1 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 DF "
        f"PROTO=TCP SPT=4000 DPT={port} WINDOW=1 RES=0x00 SYN URGP=0 \n"
        for port in ports
    )
