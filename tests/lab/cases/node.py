"""The same packets through other dataplanes, chains, devices and prefixes."""

import fcntl
import os
import socket
import struct
import sys
from collections.abc import Iterable
from dataclasses import replace

from lab.case import Case, Recording
from lab.network import NODE_MAC, OUTSIDE_MAC, POD_INTERFACE, POD_MAC, Network, Rule
from lab.packet import Packet, Sent, icmp, icmpv6, ip4, ip6, tcp, udp
from lab.sender import Sender

NODE4, NODE6 = "198.51.100.2", "2001:db8:1::2"
POD4, POD6 = "203.0.113.2", "2001:db8:2::2"
OUTSIDE4, OUTSIDE6 = "198.51.100.1", "2001:db8:1::1"
LONG = "calico-packet gnp log-denied-packets"
LONGER = "calico-packet gnp " + "log-denied-packets-of-the-public-interface-" * 3  # 147 characters
EXPERIMENT = 0x88B5  # an EtherType for experiments (IEEE 802)
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000  # linux/if_tun.h


def mixture(node4: str, node6: str, count: int = 3) -> list[Packet]:
    """Return packets of the common protocols from a few sources of both families."""
    packets = []
    for place in range(count):
        four, six = f"192.0.2.{place + 1}", f"2001:db8::{place + 1:x}"
        packets += [
            ip4(four, node4, tcp(40000 + place, 22), identifier=place, dont_fragment=True),
            ip4(four, node4, tcp(40000 + place, 80, ("ack", "psh")), identifier=place),
            ip4(four, node4, udp(40000 + place, 53, b"x" * 20), identifier=place),
            ip4(four, node4, icmp(8, 0), identifier=place),
            ip6(six, node6, tcp(40000 + place, 22)),
            ip6(six, node6, udp(40000 + place, 53, b"x" * 20)),
            ip6(six, node6, icmpv6(128, 0)),
        ]
    return packets


def at(sent: Iterable[Sent], interface: str, out_interface: str = "") -> list[Sent]:
    """Return the truths with the interfaces their packets were seen at."""
    return [replace(one, interface=interface, out_interface=out_interface) for one in sent]


def nftables(lab: Recording) -> None:
    lab.network.log(Rule(dataplane="nftables"))
    lab.send(mixture(NODE4, NODE6, 5))


def nftables_inet(lab: Recording) -> None:
    flags = ("tcp-sequence", "tcp-options", "ip-options", "uid")
    lab.network.log(Rule(dataplane="inet", mark=0x10000, flags=flags))
    lab.send(mixture(NODE4, NODE6, 5))


def nftables_glued(lab: Recording) -> None:
    lab.network.log(Rule(dataplane="nftables", prefix="calico-packet"))
    lab.send(mixture(NODE4, NODE6, 5))


def prefix_long(lab: Recording) -> None:
    lab.network.log(Rule(prefix=f"{LONG}: "))
    lab.send(mixture(NODE4, NODE6, 4))


def prefix_longer(lab: Recording) -> None:
    cut = f"{LONGER}: "[:127]  # nft refuses a longer one: "Numerical result out of range"
    lab.network.log(Rule(dataplane="nftables", prefix=cut))
    lab.send(mixture(NODE4, NODE6, 4))


def prefixes(lab: Recording) -> None:
    """Log for two policies by Calico's `%n`, one name being the beginning of the other."""
    four = ("-p", "tcp", "--dport", "22")
    lab.network.log(Rule(prefix="cp deny-nodeports: ", match=four))
    lab.network.log(Rule(prefix="cp deny-nodeports-all: "))
    lab.send(mixture(NODE4, NODE6, 4))


def local_out(lab: Recording) -> None:
    """Log what the node itself sends: no input device, hence no MAC, but a user."""
    node = lab.network.node
    lab.network.log(Rule(chain="OUTPUT", flags=("uid",), match=("!", "-o", "lo")))
    datagrams = [
        (socket.AF_INET, ip4(NODE4, OUTSIDE4, udp(40000, 53, b"x" * 20))),
        (socket.AF_INET, ip4(NODE4, "192.0.2.9", udp(40001, 123, b"x" * 48))),
        (socket.AF_INET6, ip6(NODE6, OUTSIDE6, udp(40002, 53, b"x" * 20))),
    ]
    # As root, and as another user (33 is Debian's www-data).
    script = (
        "import socket,sys\n"
        "family,source,port,target,number,size=sys.argv[1:]\n"
        "s=socket.socket(int(family),socket.SOCK_DGRAM)\n"
        "s.bind((source,int(port)))\n"
        "try: s.sendto(b'x'*int(size),(target,int(number)))\n"
        "except PermissionError: pass\n"  # the DROP behind the LOG
    )
    for user in (0, 33):
        for family, packet in datagrams:
            sent = packet.sent
            size = len(packet.data) - (28 if sent.family == 4 else 48)
            values = (
                family.value,
                sent.source,
                sent.source_port,
                sent.destination,
                sent.port,
                size,
            )
            node.run(
                "setpriv",
                f"--reuid={user}",
                f"--regid={user}",
                "--clear-groups",
                sys.executable,
                "-c",
                script,
                *map(str, values),
            )
            lab.made(at([sent], "", "eth1"))
    raw = node.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    with raw:
        for port, flags in ((25, ("syn",)), (443, ("ack", "rst")), (6667, ("syn",))):
            packet = ip4(NODE4, OUTSIDE4, tcp(40003, port, flags))
            send_dropped(raw, packet)
            lab.made(at([packet.sent], "", "eth1"))


def send_dropped(raw: socket.socket, packet: Packet) -> None:
    """Send a packet with its own header; the rule's DROP comes back as EPERM."""
    try:
        raw.sendto(packet.data, (str(packet.sent.destination), 0))
    except PermissionError:
        return


def forward(lab: Recording) -> None:
    """Log between outside and a pod: both devices are named, the MAC is that of arrival."""
    lab.network.log(Rule(chain="FORWARD", mark=0x20000))
    into = [*mixture(POD4, POD6, 3)]
    lab.made(at(lab.sender.send(into), "eth1", POD_INTERFACE))
    pod = Sender(lab.network.pod, "eth0", source="02:00:00:00:00:03", destination=POD_MAC)
    with pod:
        out = [
            ip4(POD4, "192.0.2.200", tcp(50000, 443), dont_fragment=True),
            ip4(POD4, OUTSIDE4, udp(50001, 53)),
            ip6(POD6, OUTSIDE6, tcp(50002, 443)),
        ]
        lab.made(at(pod.send(out), POD_INTERFACE, "eth1"))


def loopback(lab: Recording) -> None:
    """Log over lo: the MAC is all zeros, and each packet passes OUTPUT and PREROUTING."""
    for chain in ("OUTPUT", "PREROUTING"):
        lab.network.log(Rule(chain=chain, drop=False, families=(4,), match=("-p", "udp")))
    with lab.network.node.socket(socket.AF_INET, socket.SOCK_DGRAM) as speaker:
        speaker.bind(("127.0.0.1", 40000))
        for port in (53, 54):
            sent = ip4("127.0.0.1", "127.0.0.1", udp(40000, port, b"x")).sent
            speaker.sendto(b"x", ("127.0.0.1", port))
            lab.made([*at([sent], "", "lo"), *at([sent], "lo")])


def bridge_of(network: Network, ports: int) -> None:
    """Make br0 in the node with its ports; their other ends are wire1, wire2 outside."""
    node, outside = network.node, network.outside
    node.ip(
        f"link add br0 address {NODE_MAC} type bridge mcast_snooping 0",
        *(
            f"link add port{number} type veth peer name wire{number} netns {outside.name}"
            for number in range(1, ports + 1)
        ),
        *(f"link set port{number} master br0 up" for number in range(1, ports + 1)),
        "link set br0 up",
        "addr add 203.0.113.129/25 dev br0",
    )
    outside.ip(*(f"link set wire{number} up" for number in range(1, ports + 1)))
    node.sysctl(
        **{
            "net__bridge__bridge-nf-call-iptables": 1,
            "net__bridge__bridge-nf-call-ip6tables": 1,
        }
    )
    with (
        node.socket(socket.AF_PACKET, socket.SOCK_RAW) as listener,
        Sender(outside, "wire1", source=OUTSIDE_MAC, destination=NODE_MAC) as speaker,
    ):
        listener.bind(("br0", EXPERIMENT))
        listener.settimeout(0.05)
        for _ in range(100):  # until frames pass
            speaker.raw(EXPERIMENT, b"?" * 46)
            try:
                listener.recv(100)
            except TimeoutError:
                continue
            return


def bridge(lab: Recording) -> None:
    """Log at a bridge: to the node (PHYSIN) and from port to port (PHYSIN, PHYSOUT)."""
    lab.network.log(Rule(chain="PREROUTING", drop=False))
    lab.network.log(Rule(chain="FORWARD", drop=True))
    outside = lab.network.outside
    with Sender(outside, "wire1", source=OUTSIDE_MAC, destination=NODE_MAC) as to_node:
        lab.made(at(to_node.send(mixture("203.0.113.129", NODE6, 2)), "br0"))
    with Sender(outside, "wire1", source=OUTSIDE_MAC, destination="02:00:00:00:00:99") as through:
        for packet in mixture("203.0.113.200", "2001:db8:3::200", 2):
            sent = through.send([packet])
            lab.made([*at(sent, "br0"), *at(sent, "br0", "br0")])


def tun(lab: Recording) -> None:
    """Let packets arrive at a device without link layer: MAC= is empty."""
    node = lab.network.node
    device = node.call(lambda: os.open("/dev/net/tun", os.O_RDWR))
    try:
        request = struct.pack("16sH22x", b"tun0", IFF_TUN | IFF_NO_PI)
        fcntl.ioctl(device, TUNSETIFF, request)
        node.ip("link set tun0 up")
        lab.network.log()
        packets = mixture(NODE4, NODE6, 4)
        for packet in packets:
            os.write(device, packet.data)
        lab.made(at((packet.sent for packet in packets), "tun0"))
        lab.rsyslog.wait_for(len(packets), seconds=3)
    finally:
        os.close(device)


def macdecode(lab: Recording) -> None:
    """Log MACSRC, MACDST and MACPROTO in the place of MAC, by iptables and by nftables."""
    lab.network.log(Rule(flags=("macdecode",)))
    lab.send(mixture(NODE4, NODE6, 3))
    lab.network.clear()
    lab.network.log(Rule(dataplane="inet", flags=("macdecode",)))
    lab.send(mixture(NODE4, NODE6, 3))


def netdev(lab: Recording) -> None:
    """Log what only a device's ingress hook sees: VLAN tags, ARP, broken headers, unknown L3."""
    nft = (
        "add table netdev calico\n"
        "add chain netdev calico ingress"
        " {{ type filter hook ingress device eth1 priority 0; policy accept; }}\n"
        'add rule netdev calico ingress log prefix "calico-packet: " level info{flags}\n'
        "add rule netdev calico ingress drop\n"
    )
    for flags in ("", " flags ether"):
        lab.network.node.run("nft", "-f", "-", text=nft.format(flags=flags))
        packets = mixture(NODE4, NODE6, 2)
        lab.send(packets)
        for vlan in (10, 0xA00A):  # the second has priority bits: VID is printed as 40970
            for packet in packets[:7]:
                kind = b"\x08\x00" if packet.sent.family == 4 else b"\x86\xdd"
                lab.sender.raw(0x8100, vlan.to_bytes(2, "big") + kind + packet.data)
                lab.made([packet.sent])
        arp = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
        arp += bytes.fromhex(OUTSIDE_MAC.replace(":", "")) + bytes([198, 51, 100, 1])
        arp += bytes(6) + bytes([198, 51, 100, 2])
        header = packets[0].data
        for ethertype, payload in (
            (0x0806, arp),
            (0x0806, arp[:12]),
            (0x0806, arp[:6]),
            (0x0800, header[:19]),
            (0x86DD, packets[4].data[:39]),
            (0x88CC, b"\2\7\4" + b"\0" * 20),
        ):
            lab.sender.raw(ethertype, payload)
            lab.made([odd(len(payload))])
        lab.network.node.run("nft", "delete", "table", "netdev", "calico")


def odd(length: int) -> Sent:
    """Return the truth of a frame whose line has no source and destination."""
    return Sent("odd", 0, None, None, length)


def ebtables(lab: Recording) -> None:
    """Log by the bridge's own target, whose text is another: `IP SRC=`, `MAC source = `."""
    node, outside = lab.network.node, lab.network.outside
    rule = ("ebtables-nft", "-A", "INPUT", "-p")
    for protocol, more in (("IPv4", "--log-ip"), ("IPv6", "--log-ip6")):
        log = ("--log-level", "notice", "--log-prefix", "calico-packet:", more)
        node.run(*rule, protocol, *log, "-j", "DROP")
    with Sender(outside, "wire1", source=OUTSIDE_MAC, destination=NODE_MAC) as sender:
        lab.made(odd(one.length or 0) for one in sender.send(mixture(NODE4, NODE6, 2)))


CASES = (
    Case(
        "nftables",
        """By nftables as Calico >= v3.30.6 writes it: tables `ip calico` and `ip6 calico`,
        prerouting at priority mangle, `log prefix "calico-packet: " level info`, then drop. Header
        form B (RFC 3339, uptime stripped).""",
        nftables,
        rsyslog={"template": "file", "uptime": False},
    ),
    Case(
        "nftables-inet",
        """By nftables in one table of family inet, with `flags tcp sequence,options flags ip
        options flags skuid` and mark 0x10000. Header form C (RFC 5424 with PRI).""",
        nftables_inet,
        rsyslog={"template": "protocol23"},
    ),
    Case(
        "nftables-glued-prefix",
        """By nftables as Calico <= v3.30.5 and v3.31.0 to v3.31.3 writes it: `log prefix
        calico-packet` without `: `, so that nothing separates the prefix from IN=. Header form B'
        (RFC 3339 with uptime).""",
        nftables_glued,
        rsyslog={"template": "file"},
    ),
    Case(
        "prefix-long",
        f"""By iptables and ip6tables with the prefix `{LONG}: `, which they cut at 29 characters
        without a word: the line begins with `calico-packet gnp log-denied-IN=`. Header form A.""",
        prefix_long,
        prefixes=(LONG,),
    ),
    Case(
        "prefix-longer",
        """By nftables with the first 127 characters of a prefix that is longer; nft refuses more
        than 127 (`Numerical result out of range`), so that the cut was made before. No `: ` is
        left. Header form A.""",
        prefix_longer,
        prefixes=(LONGER,),
    ),
    Case(
        "prefixes",
        """By iptables and ip6tables with two LOG rules, `cp deny-nodeports: ` for TCP port 22 and
        `cp deny-nodeports-all: ` for the rest; one name is the beginning of the other. Header form
        A.""",
        prefixes,
        prefixes=("cp deny-nodeports", "cp deny-nodeports-all"),
    ),
    Case(
        "local-out",
        """By iptables and ip6tables in mangle OUTPUT with --log-uid, then DROP: what the node
        itself sends (real UDP sockets of root and of user 33, TCP by a raw socket). IN= is empty,
        there is no MAC, UID and GID are printed. Header form D (traditional, uptime stripped).""",
        local_out,
        rsyslog={"uptime": False},
    ),
    Case(
        "forward",
        f"""By iptables and ip6tables in mangle FORWARD with mark 0x20000, then DROP: from outside
        to a pod (OUT={POD_INTERFACE}) and back. Header form A.""",
        forward,
    ),
    Case(
        "loopback",
        """By iptables in mangle OUTPUT and PREROUTING without DROP: datagrams over lo are logged
        twice, as packets that pass two LOG rules are. Header form A.""",
        loopback,
    ),
    Case(
        "bridge",
        """By iptables and ip6tables under br_netfilter (bridge-nf-call-iptables=1): frames from a
        bridge port to the node (PHYSIN) and from port to port, these logged in PREROUTING and in
        FORWARD (PHYSIN and PHYSOUT). Header form B (RFC 3339, uptime stripped).""",
        bridge,
        rsyslog={"template": "file", "uptime": False},
        prepare=lambda network: bridge_of(network, 2),
    ),
    Case(
        "tun",
        """By iptables and ip6tables in mangle PREROUTING: packets from a tun device, which has no
        link layer: `MAC= `. Header form A.""",
        tun,
    ),
    Case(
        "macdecode",
        """By iptables with --log-macdecode and by nftables with `flags ether`: MACSRC, MACDST,
        MACPROTO in the place of MAC. Header form B' (RFC 3339 with uptime).""",
        macdecode,
        rsyslog={"template": "file"},
    ),
    Case(
        "netdev",
        """By nftables in the ingress hook of the device, once plain and once with `flags ether`:
        packets, packets with a VLAN tag (VPROTO and VID only with `flags ether`), ARP whole and
        cut, IP headers cut short (TRUNCATED) and an unknown EtherType; those without SRC and DST
        are `odd`. Header form A.""",
        netdev,
    ),
    Case(
        "ebtables",
        """By ebtables on a bridge with --log-ip and --log-ip6: a grammar of its own (ebt_log),
        which tells no address as SRC= in a place where logwatch reads it, so that every line is
        `odd`. Header form A.""",
        ebtables,
        prepare=lambda network: bridge_of(network, 1),
    ),
)
