"""Scans and floods by real tools, and what honest software sends that looks a little like them."""

import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from subprocess import Popen

from lab.network import Network, Rule
from lab.wire import Wire

NODE, NODE6, OUTSIDE = "198.51.100.2", "2001:db8:1::2", "198.51.100.1"
HOSTS = "203.0.113.10-25"
NMAP = ("nmap", "-n", "--send-ip", "-e", "eth0")
# The kernel's ring holds some 450 lines: what floods does so at about 2,000 packets a second.
RATE = ("tc", "qdisc", "replace", "dev", "eth0", "root", "tbf", "rate", "700kbit")
ROOM = ("burst", "1600", "limit", "1000000")
HEALTH_SECONDS = 62.0
HAPROXY = """\
defaults
    mode tcp
    timeout connect 5s
    timeout client 10s
    timeout server 10s
listen workers
    bind 127.0.0.1:30080
    source 192.0.2.20
    server worker-1 {node}:30080 check inter 2s
"""


@dataclass
class Scene:
    """A running network: `node` logs and drops what comes in from `outside`."""

    network: Network
    wire: Wire
    started: list[Popen[bytes]] = field(default_factory=list)

    def run(self, *command: str) -> None:
        """Run a command outside, to its end."""
        self.network.outside.run(*command)

    def nmap(self, source: str, *options: str) -> None:
        """Run nmap with an address of its own, to its end."""
        self.run(*self.nmap_command(source, *options))

    def nmap_command(self, source: str, *options: str) -> tuple[str, ...]:
        """Give the outside an address, and return how to run nmap with it."""
        self.addresses(source)
        return (*NMAP, "-S", source, *options)

    def hping(self, *options: str) -> None:
        """Run hping3. It fails where nothing answers, which here nothing ever does."""
        self.start("hping3", "-q", "-n", *options).wait()

    def flood(self, seconds: float, *options: str) -> None:
        """Run hping3 as fast as the wire takes its packets."""
        self.hold_back()
        self.start("timeout", str(seconds), "hping3", "-q", "--flood", *options).wait()

    def hold_back(self) -> None:
        """Make the wire slow enough for the kernel's log."""
        self.run(*RATE, *ROOM)

    def start(self, *command: str) -> "Popen[bytes]":
        """Start a command outside; it is ended with the case."""
        self.started.append(self.network.outside.start(*command))
        return self.started[-1]

    def addresses(self, *addresses: str) -> None:
        """Give addresses to the outside, for tools that open connections."""
        self.network.outside.ip(*(f"addr add {one} dev eth0" for one in addresses))

    def deny_all(self) -> None:
        """Log and drop every packet, as Calico's Log rule in front of a Deny does."""
        self.network.log(Rule())


@dataclass(frozen=True)
class ScanCase:
    """One folder of fixtures/scans/. `about` says what is in it and how it was made."""

    name: str
    about: str
    make: Callable[[Scene], None]
    programs: tuple[str, ...]


def nmap_syn(scene: Scene) -> None:
    scene.deny_all()
    scene.nmap("192.0.2.66", "-Pn", "-sS", "-p", "1-60", NODE)


def nmap_connect(scene: Scene) -> None:
    scene.deny_all()
    scene.nmap("192.0.2.66", "-Pn", "-sT", "-p", "1-60", NODE)


def nmap_udp(scene: Scene) -> None:
    scene.deny_all()
    scene.nmap("192.0.2.66", "-Pn", "-sU", "-p", "1-60", NODE)
    scene.nmap("192.0.2.67", "-Pn", "-sU", "-p", "161", HOSTS)


def nmap_odd_flags(scene: Scene) -> None:
    scene.deny_all()
    for source, kind in (("192.0.2.61", "-sF"), ("192.0.2.62", "-sN"), ("192.0.2.63", "-sX")):
        scene.nmap(source, "-Pn", kind, "-p", "1-20", NODE)


def replies(scene: Scene) -> None:
    scene.deny_all()
    for source, kind in (("192.0.2.64", "-sA"), ("192.0.2.65", "-sM")):
        scene.nmap(source, "-Pn", kind, "-p", "1-20", NODE)
    for source, flags in (("192.0.2.66", ("-R",)), ("192.0.2.67", ("-S", "-A"))):
        scene.hping("-i", "u20000", "-c", "20", "-a", source, *flags, "-p", "++1", NODE)


def nmap_slow(scene: Scene) -> None:
    scene.deny_all()
    slow = ("--scan-delay", "5s", "--max-retries", "0")
    scene.nmap("192.0.2.66", "-Pn", "-sS", *slow, "-p", "1-34", NODE)


def nmap_sweep(scene: Scene) -> None:
    scene.deny_all()
    scene.nmap("192.0.2.66", "-Pn", "-sS", "-p", "22", HOSTS)


def nmap_fin_sweep(scene: Scene) -> None:
    scene.deny_all()
    scene.nmap("192.0.2.66", "-Pn", "-sF", "-p", "22", HOSTS)


def nmap_ping_sweep(scene: Scene) -> None:
    scene.deny_all()
    scene.nmap("192.0.2.66", "-sn", HOSTS)


def nmap_ipv6(scene: Scene) -> None:
    scene.deny_all()
    near = [f"2001:db8:bad:1::{host:x}" for host in range(1, 7)]
    far = [f"2001:db8:bad:{network:x}::1" for network in range(0x11, 0x17)]
    for number, source in enumerate(near + far):
        ports = f"{number % 6 * 5 + 1}-{number % 6 * 5 + 5}"
        scene.nmap(source, "-6", "-Pn", "-sS", "--max-retries", "0", "-p", ports, NODE6)


def syn_flood(scene: Scene) -> None:
    scene.deny_all()
    scene.flood(1, "--rand-source", "-S", "-p", "80", NODE)


def udp_flood(scene: Scene) -> None:
    scene.deny_all()
    scene.flood(1, "--rand-source", "-2", "-p", "53", NODE)


def icmp_flood(scene: Scene) -> None:
    scene.deny_all()
    scene.flood(1, "--rand-source", "-1", NODE)


def one_source(scene: Scene) -> None:
    scene.deny_all()
    scene.flood(1.8, "-a", "192.0.2.70", "-S", "-p", "80", NODE)
    for source, options in (
        ("192.0.2.71", ("-2", "-p", "53")),
        ("192.0.2.72", ("-1",)),
        ("192.0.2.73", ("-A", "-p", "80")),
    ):
        scene.hping("-i", "u1000", "-c", "600", "-a", source, *options, NODE)


def scanner_in_flood(scene: Scene) -> None:
    scene.deny_all()
    scene.hold_back()
    flood = scene.start("hping3", "-q", "--flood", "--rand-source", "-S", "-p", "80", NODE)
    time.sleep(0.5)  # the flood is under way when the scan begins
    options = ("-Pn", "-sS", "-p", "1-30", "--max-retries", "0", "--min-rate", "300")
    scene.start(*scene.nmap_command("192.0.2.66", *options, NODE))
    time.sleep(1.0)  # the scan is through within a tenth of it
    flood.terminate()


def retrying_clients(scene: Scene) -> None:
    clients = [f"192.0.2.{host}" for host in (10, 11, 12)]
    scene.addresses(*clients)
    scene.deny_all()
    started = [
        scene.start(
            *("curl", "--silent", "--interface", client, "--connect-timeout", "18"),
            *("--retry", "2", "--retry-connrefused", "--retry-delay", "2"),
            f"http://{NODE}:{port}/",
        )
        for client, port in zip(clients, (80, 443, 30080), strict=True)
    ]
    for client in started:
        client.wait()


def health_check(scene: Scene) -> None:
    scene.addresses("192.0.2.20")
    scene.deny_all()
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as configuration:
        configuration.write(HAPROXY.format(node=NODE))
        configuration.flush()
        scene.start("haproxy", "-q", "-db", "-f", configuration.name)
        time.sleep(HEALTH_SECONDS)  # its checks are what is recorded


def late_replies(scene: Scene) -> None:
    """Connections that the node opened, and that its connection tracking has forgotten."""
    node = scene.network.node
    known = ("-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED")
    node.run("iptables", "-w", "-t", "mangle", "-A", "PREROUTING", *known, "-j", "ACCEPT")
    node.sysctl(net__netfilter__nf_conntrack_tcp_timeout_established=2)
    listener = scene.network.outside.socket(socket.AF_INET, socket.SOCK_STREAM)
    with listener:
        listener.bind((OUTSIDE, 443))
        listener.listen(64)
        ends = [_connected(scene, listener) for _ in range(24)]
        scene.deny_all()
        time.sleep(4.0)  # until connection tracking has forgotten them
        scene.wire.take()  # what was allowed
        for number, (_, server) in enumerate(ends):
            if number % 3 == 0:
                server.send(b"late")  # and again and again, since nothing acknowledges it
            else:
                server.close()  # FIN, or RST where something was not read
        time.sleep(3.0)  # while the server repeats what got no answer


def _connected(scene: Scene, listener: socket.socket) -> tuple[socket.socket, socket.socket]:
    client = scene.network.node.socket(socket.AF_INET, socket.SOCK_STREAM)
    client.connect(listener.getsockname())
    server, peer = listener.accept()
    if peer[1] % 3 == 0:
        client.send(b"what nobody reads")
    return client, server


MADE = "Logged and dropped by iptables in mangle PREROUTING, `--log-prefix 'calico-packet: '`"
PAST = "The wire lets some 2,000 packets a second pass, for the sake of the kernel's log"

CASES = (
    ScanCase(
        "nmap-syn",
        "`nmap -sS -p 1-60` from 192.0.2.66: each port twice, since nothing answers.",
        nmap_syn,
        ("nmap",),
    ),
    ScanCase(
        "nmap-connect",
        "`nmap -sT -p 1-60` from 192.0.2.66: SYNs of the kernel's own connections.",
        nmap_connect,
        ("nmap",),
    ),
    ScanCase(
        "nmap-udp",
        """`nmap -sU -p 1-60` from 192.0.2.66, and `nmap -sU -p 161` from 192.0.2.67 over 16
        hosts.""",
        nmap_udp,
        ("nmap",),
    ),
    ScanCase(
        "nmap-odd-flags",
        """20 ports each by `nmap -sF` (FIN) from 192.0.2.61, `-sN` (no flag) from 192.0.2.62 and
        `-sX` (FIN, PSH, URG) from 192.0.2.63.""",
        nmap_odd_flags,
        ("nmap",),
    ),
    ScanCase(
        "replies",
        """20 ports each by packets that look like replies: `nmap -sA` (ACK) from 192.0.2.64, `-sM`
        (FIN, ACK) from 192.0.2.65, `hping3 -R` (RST) from 192.0.2.66, `hping3 -S -A` (SYN, ACK)
        from 192.0.2.67.""",
        replies,
        ("nmap", "hping3"),
    ),
    ScanCase(
        "nmap-slow-syn",
        "`nmap -sS -p 1-34 --scan-delay 5s --max-retries 0` from 192.0.2.66: 12 ports a minute.",
        nmap_slow,
        ("nmap",),
    ),
    ScanCase(
        "nmap-sweep",
        "`nmap -sS -p 22` from 192.0.2.66 over 16 hosts.",
        nmap_sweep,
        ("nmap",),
    ),
    ScanCase(
        "nmap-fin-sweep",
        "`nmap -sF -p 22` from 192.0.2.66 over 16 hosts.",
        nmap_fin_sweep,
        ("nmap",),
    ),
    ScanCase(
        "nmap-ping-sweep",
        """`nmap -sn` from 192.0.2.66 over 16 hosts, each asked by ICMP echo and timestamp, a SYN to
        port 443 and an ACK to port 80.""",
        nmap_ping_sweep,
        ("nmap",),
    ),
    ScanCase(
        "nmap-ipv6",
        """`nmap -6 -sS`, five ports each from six addresses of 2001:db8:bad:1::/64, then the same
        from six addresses of six networks.""",
        nmap_ipv6,
        ("nmap",),
    ),
    ScanCase(
        "syn-flood",
        f"A second of `hping3 --flood --rand-source -S -p 80`. {PAST}.",
        syn_flood,
        ("hping3", "tc"),
    ),
    ScanCase(
        "udp-flood",
        f"A second of `hping3 --flood --rand-source -2 -p 53`. {PAST}.",
        udp_flood,
        ("hping3", "tc"),
    ),
    ScanCase(
        "icmp-flood",
        f"A second of `hping3 --flood --rand-source -1`. {PAST}.",
        icmp_flood,
        ("hping3", "tc"),
    ),
    ScanCase(
        "one-source-floods",
        f"""`hping3 --flood -S -p 80` from 192.0.2.70 ({PAST.lower()}), then 600 packets each by
        `hping3 -2` (UDP) from 192.0.2.71, `-1` (ICMP) from 192.0.2.72 and `-A` (ACK) from
        192.0.2.73.""",
        one_source,
        ("hping3", "tc"),
    ),
    ScanCase(
        "scanner-in-flood",
        f"""`nmap -sS -p 1-30 --min-rate 300` from 192.0.2.66 in the midst of `hping3 --flood
        --rand-source -S -p 80`. {PAST}.""",
        scanner_in_flood,
        ("nmap", "hping3", "tc"),
    ),
    ScanCase(
        "retrying-clients",
        """Three clients, 192.0.2.10 to 12, each with `curl --connect-timeout 18 --retry 2` for one
        port: the kernel sends each SYN five times.""",
        retrying_clients,
        ("curl",),
    ),
    ScanCase(
        "health-check",
        f"""HAProxy's TCP check (`check inter 2s`) of one port from 192.0.2.20, for
        {HEALTH_SECONDS:.0f} s: two SYNs a check, of which the kernel sends the second, and 2 s
        without an answer.""",
        health_check,
        ("haproxy",),
    ),
    ScanCase(
        "late-replies",
        f"""24 connections from the node to port 443 of {OUTSIDE}, whose packets are let in while
        connection tracking knows them (`--ctstate RELATED,ESTABLISHED`). When it has forgotten
        them, the server sends data, closes, or resets.""",
        late_replies,
        ("iptables",),
    ),
)
