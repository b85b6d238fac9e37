"""IANA's protocol keywords by number, in lower case, as metrics and reports name protocols.

Source: the registry "Assigned Internet Protocol Numbers". Numbers without a keyword (61, 63, 68,
99, 114 and 148 to 255) are empty here and named by their decimal text.
"""

from typing import Final

_KEYWORDS: Final = (
    # 0
    "hopopt icmp igmp ggp ipv4 st tcp cbt egp igp",
    "bbn-rcc-mon nvp-ii pup argus emcon xnet chaos udp mux dcn-meas",
    "hmp prm xns-idp trunk-1 trunk-2 leaf-1 leaf-2 rdp irtp iso-tp4",
    "netblt mfe-nsp merit-inp dccp 3pc idpr xtp ddp idpr-cmtp tp++",
    "il ipv6 sdrp ipv6-route ipv6-frag idrp rsvp gre dsr bna",
    # 50; the registry calls 58 IPv6-ICMP, the kernel's log ICMPv6
    "esp ah i-nlsp swipe narp min-ipv4 tlsp skip icmpv6 ipv6-nonxt",
    "ipv6-opts - cftp - sat-expak kryptolan rvd ippc - sat-mon",
    "visa ipcv cpnx cphb wsn pvp br-sat-mon sun-nd wb-mon wb-expak",
    "iso-ip vmtp secure-vmtp vines iptm nsfnet-igp dgp tcf eigrp ospfigp",
    "sprite-rpc larp mtp ax.25 ipip micp scc-sp etherip encap -",
    # 100
    "gmtp ifmp pnni pim aris scps qnx a/n ipcomp snp",
    "compaq-peer ipx-in-ip vrrp pgm - l2tp ddx iatp stp srp",
    "uti smp sm ptp isis_over_ipv4 fire crtp crudp sscopmce iplt",
    "sps pipe sctp fc rsvp-e2e-ignore mobility_header udplite mpls-in-ip manet hip",
    "shim6 wesp rohc ethernet aggfrag nsh homa bit-emu - -",
)
"""Ten numbers a row; `-` has no keyword, `_` stands for a blank."""

PROTOCOLS: Final = (
    tuple(
        "" if word == "-" else word.replace("_", " ")
        for row in _KEYWORDS
        for word in row.split(" ")
    )
    + ("",) * 106
)
"""The keyword of each number from 0 to 255; empty where there is none."""


def protocol_name(number: int) -> str:
    """Name protocol `number` (0 to 255): the keyword, else the number as text."""
    return PROTOCOLS[number] or str(number)
