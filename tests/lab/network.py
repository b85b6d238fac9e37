"""A worker node's network in namespaces: attackers outside, the node, a pod behind it.

`outside` (eth0) -- (eth1) `node` (cali1234567890a) -- (eth0) `pod`. LOG rules are written as Calico
writes them. One Network lives on a machine at a time, since all of them share the kernel log.
"""

import contextlib
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, Self

from lab.namespace import LabError, Namespace, remove_stale, require
from lab.sender import Sender

ALL_NETNS = Path("/proc/sys/net/netfilter/nf_log_all_netns")
STATE = Path("/run/logwatch-lab")
OUTSIDE_MAC, NODE_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"
POD_MAC, POD_INTERFACE = "ee:ee:ee:ee:ee:ee", "cali1234567890a"

Dataplane = Literal["iptables", "nftables", "inet"]
Flag = Literal["tcp-sequence", "tcp-options", "ip-options", "uid", "macdecode"]
NFT_FLAGS = {
    "tcp-sequence": "tcp sequence",
    "tcp-options": "tcp options",
    "ip-options": "ip options",
    "uid": "skuid",
    "macdecode": "ether",
}
IPTABLES_FLAGS = {name: f"--log-{name}" for name in NFT_FLAGS}


@dataclass(frozen=True)
class Rule:
    """One LOG rule. `match` holds words of the dataplane's own language."""

    prefix: str = "calico-packet: "
    dataplane: Dataplane = "iptables"
    families: tuple[int, ...] = (4, 6)
    chain: str = "PREROUTING"
    flags: tuple[Flag, ...] = ()
    match: tuple[str, ...] = ()
    mark: int | None = None
    drop: bool = True


class Network:
    """The namespaces `outside`, `node` and `pod`, for the time of a `with`.

    Addresses: outside 198.51.100.1 and 2001:db8:1::1; node 198.51.100.2 and 2001:db8:1::2 (eth1),
    203.0.113.1 and 2001:db8:2::1 (to the pod); pod 203.0.113.2 and 2001:db8:2::2. The node
    forwards between them. No stack in it speaks unasked (no neighbour discovery, no multicast
    listener reports), so that the log holds only what a test has sent.
    """

    def __init__(self, *, patience: float = 300.0) -> None:
        self._patience = patience
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        require("ip", "iptables", "ip6tables", "nft", "sysctl")
        with ExitStack() as stack:
            stack.enter_context(_alone(self._patience))
            remove_stale()
            stack.enter_context(_logging_namespaces())
            self.outside, self.node, self.pod = (
                self._namespace(stack, role) for role in ("outside", "node", "pod")
            )
            self._connect()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    @staticmethod
    def _namespace(stack: ExitStack, role: str) -> Namespace:
        namespace = Namespace(role)
        stack.callback(namespace.remove)
        namespace.sysctl(
            net__ipv6__conf__default__accept_dad=0,
            net__ipv6__conf__default__accept_ra=0,
            net__ipv6__conf__default__addr_gen_mode=1,  # none: no link-local address of its own
            net__ipv6__conf__default__router_solicitations=0,
        )
        # What IPv6 says unasked (multicast listener reports, neighbour discovery) stays inside;
        # the neighbours below are permanent. Frames of a Sender don't pass OUTPUT.
        types = ["130", "131", "132", "133", "134", "135", "136", "143"]
        silent = [f"-A OUTPUT -p icmpv6 --icmpv6-type {kind} -j DROP" for kind in types]
        namespace.run("ip6tables-restore", text="\n".join(["*raw", *silent, "COMMIT", ""]))
        return namespace

    def _connect(self) -> None:
        node, outside, pod = self.node, self.outside, self.pod
        node.ip(
            f"link add eth1 address {NODE_MAC} type veth"
            f" peer name eth0 address {OUTSIDE_MAC} netns {outside.name}",
            f"link add {POD_INTERFACE} address {POD_MAC} type veth"
            f" peer name eth0 address 02:00:00:00:00:03 netns {pod.name}",
            "addr add 198.51.100.2/24 dev eth1",
            "addr add 2001:db8:1::2/64 dev eth1 nodad",
            f"addr add 203.0.113.1/24 dev {POD_INTERFACE}",
            f"addr add 2001:db8:2::1/64 dev {POD_INTERFACE} nodad",
            "link set eth1 up",
            f"link set {POD_INTERFACE} up",
            f"neigh add 198.51.100.1 lladdr {OUTSIDE_MAC} dev eth1 nud permanent",
            f"neigh add 2001:db8:1::1 lladdr {OUTSIDE_MAC} dev eth1 nud permanent",
            f"neigh add 203.0.113.2 lladdr 02:00:00:00:00:03 dev {POD_INTERFACE} nud permanent",
            f"neigh add 2001:db8:2::2 lladdr 02:00:00:00:00:03 dev {POD_INTERFACE} nud permanent",
            "route add default via 198.51.100.1",
            "route add 2000::/3 via 2001:db8:1::1",
        )
        for end, number, peer in ((outside, 1, NODE_MAC), (pod, 2, POD_MAC)):
            v4, v6 = ("198.51.100", "2001:db8:1") if end is outside else ("203.0.113", "2001:db8:2")
            own, gateway = (1, 2) if end is outside else (2, 1)
            end.ip(
                f"addr add {v4}.{own}/24 dev eth0",
                f"addr add 2001:db8:{number}::{own}/64 dev eth0 nodad",
                "link set eth0 up",
                f"neigh add {v4}.{gateway} lladdr {peer} dev eth0 nud permanent",
                f"neigh add {v6}::{gateway} lladdr {peer} dev eth0 nud permanent",
                f"route add default via {v4}.{gateway}",
                f"route add 2000::/3 via {v6}::{gateway}",
            )
        node.sysctl(
            net__ipv4__ip_forward=1,
            net__ipv6__conf__all__forwarding=1,
            net__ipv4__conf__all__rp_filter=0,
        )
        self._answered()

    def _answered(self) -> None:
        """Wait until a frame from outside reaches the node, that is, both ends are up."""
        until = time.monotonic() + 5
        listener = self.node.socket(socket.AF_INET, socket.SOCK_DGRAM)
        speaker = self.outside.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with listener, speaker:
            listener.bind(("198.51.100.2", 0))
            listener.settimeout(0.05)
            while time.monotonic() < until:
                with contextlib.suppress(OSError):
                    speaker.sendto(b"?", listener.getsockname())
                    listener.recv(1)
                    return
        raise LabError(
            "no datagram passes from outside to the node 5 s after both ends were set up"
        )

    def log(self, rule: Rule | None = None, **fields: object) -> None:
        """Add a LOG rule to the node, given whole or by the fields that differ from the default."""
        rule = rule or Rule(**fields)  # type: ignore[arg-type]
        if rule.dataplane == "iptables":
            self._iptables(rule)
        else:
            self._nftables(rule)

    def _iptables(self, rule: Rule) -> None:
        for family in rule.families:
            program = "iptables" if family == 4 else "ip6tables"
            add = (program, "-w", "-t", "mangle", "-A", rule.chain, *rule.match)
            if rule.mark is not None:
                self.node.run(*add, "-j", "MARK", "--set-mark", hex(rule.mark))
            flags = [IPTABLES_FLAGS[flag] for flag in rule.flags]
            # Felix, iptables/actions.go: LOG at level 5, notice
            prefix = ("--log-prefix", rule.prefix, "--log-level", "5")
            self.node.run(*add, "-j", "LOG", *prefix, *flags)
            if rule.drop:
                self.node.run(*add, "-j", "DROP")

    def _nftables(self, rule: Rule) -> None:
        tables = {4: "ip", 6: "ip6"}
        names = ["inet"] if rule.dataplane == "inet" else [tables[key] for key in rule.families]
        chain = f"mangle-{rule.chain}"
        match = " ".join(rule.match)
        flags = "".join(f" flags {NFT_FLAGS[flag]}" for flag in rule.flags)
        for name in names:
            hook = f"type filter hook {rule.chain.lower()} priority mangle; policy accept;"
            lines = [
                f"add table {name} calico",
                f"add chain {name} calico {chain} {{ {hook} }}",
            ]
            if rule.mark is not None:
                lines.append(f"add rule {name} calico {chain} {match} meta mark set {rule.mark}")
            # Felix, nftables/actions.go: level info
            lines.append(
                f'add rule {name} calico {chain} {match} log prefix "{rule.prefix}"'
                f" level info{flags}"
            )
            if rule.drop:
                lines.append(f"add rule {name} calico {chain} {match} drop")
            self.node.run("nft", "-f", "-", text="\n".join(lines) + "\n")

    def clear(self) -> None:
        """Remove every LOG rule of the node."""
        for program in ("iptables", "ip6tables"):
            self.node.run(program, "-w", "-t", "mangle", "-F")
        for family in ("ip", "ip6", "inet"):
            tables = self.node.run("nft", "list", "tables", family)
            if f"table {family} calico\n" in tables:
                self.node.run("nft", "delete", "table", family, "calico")

    def sender(self) -> Sender:
        """Return a sender of frames from outside to the node's eth1."""
        return Sender(self.outside, "eth0", source=OUTSIDE_MAC, destination=NODE_MAC)


@contextlib.contextmanager
def _alone(patience: float) -> Iterator[None]:
    """Hold the machine's only place for a Network; a second process waits for it."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "lock").open("a+") as lock:
        until = time.monotonic() + patience
        while not _locked(lock):
            if time.monotonic() > until:
                lock.seek(0)
                raise LabError(
                    f"process {lock.read().strip()} has held {lock.name} for {patience:.0f} s;"
                    " one lab network can live at a time, since all share the kernel log"
                )
            time.sleep(0.1)  # another process holds the lock: nothing tells when it lets go
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _logging_namespaces() -> Iterator[None]:
    """Let the kernel log for all namespaces; a 1 that the lab has not set stays at the end.

    The marker survives a killed run, so that the next one still knows whose the 1 is.
    """
    marker = STATE / "nf_log_all_netns"
    if ALL_NETNS.read_text().strip() == "0":
        marker.touch()
        ALL_NETNS.write_text("1\n")
    try:
        yield
    finally:
        if marker.exists():
            ALL_NETNS.write_text("0\n")
            marker.unlink()
