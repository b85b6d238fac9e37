//! IP protocol numbers and their names.
//!
//! Source: the IANA registry "Assigned Internet Protocol Numbers"; keywords in lower case.

/// An IP protocol number.
pub type Protocol = u8;

/// Internet Control Message Protocol.
pub const ICMP: Protocol = 1;
/// Transmission Control Protocol.
pub const TCP: Protocol = 6;
/// User Datagram Protocol.
pub const UDP: Protocol = 17;
/// Encapsulating Security Payload.
pub const ESP: Protocol = 50;
/// Authentication Header.
pub const AH: Protocol = 51;
/// ICMP for IPv6.
pub const ICMPV6: Protocol = 58;
/// Lightweight UDP.
pub const UDPLITE: Protocol = 136;

/// The protocols that the kernel prints by name, with the space behind the name; TCP apart.
pub const PRINTED: [(&[u8], Protocol); 6] = [
    (b"UDP ", UDP),
    (b"ICMP ", ICMP),
    (b"ICMPv6 ", ICMPV6),
    (b"UDPLITE ", UDPLITE),
    (b"ESP ", ESP),
    (b"AH ", AH),
];

/// Keywords by number, from 0; empty where IANA has none.
const KEYWORDS: [&str; 148] = [
    "hopopt",
    "icmp",
    "igmp",
    "ggp",
    "ipv4",
    "st",
    "tcp",
    "cbt",
    "egp",
    "igp",
    "bbn-rcc-mon",
    "nvp-ii",
    "pup",
    "argus",
    "emcon",
    "xnet",
    "chaos",
    "udp",
    "mux",
    "dcn-meas",
    "hmp",
    "prm",
    "xns-idp",
    "trunk-1",
    "trunk-2",
    "leaf-1",
    "leaf-2",
    "rdp",
    "irtp",
    "iso-tp4",
    "netblt",
    "mfe-nsp",
    "merit-inp",
    "dccp",
    "3pc",
    "idpr",
    "xtp",
    "ddp",
    "idpr-cmtp",
    "tp++",
    "il",
    "ipv6",
    "sdrp",
    "ipv6-route",
    "ipv6-frag",
    "idrp",
    "rsvp",
    "gre",
    "dsr",
    "bna",
    "esp",
    "ah",
    "i-nlsp",
    "swipe",
    "narp",
    "min-ipv4",
    "tlsp",
    "skip",
    "icmpv6",
    "ipv6-nonxt",
    "ipv6-opts",
    "",
    "cftp",
    "",
    "sat-expak",
    "kryptolan",
    "rvd",
    "ippc",
    "",
    "sat-mon",
    "visa",
    "ipcv",
    "cpnx",
    "cphb",
    "wsn",
    "pvp",
    "br-sat-mon",
    "sun-nd",
    "wb-mon",
    "wb-expak",
    "iso-ip",
    "vmtp",
    "secure-vmtp",
    "vines",
    "iptm",
    "nsfnet-igp",
    "dgp",
    "tcf",
    "eigrp",
    "ospfigp",
    "sprite-rpc",
    "larp",
    "mtp",
    "ax.25",
    "ipip",
    "micp",
    "scc-sp",
    "etherip",
    "encap",
    "",
    "gmtp",
    "ifmp",
    "pnni",
    "pim",
    "aris",
    "scps",
    "qnx",
    "a/n",
    "ipcomp",
    "snp",
    "compaq-peer",
    "ipx-in-ip",
    "vrrp",
    "pgm",
    "",
    "l2tp",
    "ddx",
    "iatp",
    "stp",
    "srp",
    "uti",
    "smp",
    "sm",
    "ptp",
    "isis over ipv4",
    "fire",
    "crtp",
    "crudp",
    "sscopmce",
    "iplt",
    "sps",
    "pipe",
    "sctp",
    "fc",
    "rsvp-e2e-ignore",
    "mobility header",
    "udplite",
    "mpls-in-ip",
    "manet",
    "hip",
    "shim6",
    "wesp",
    "rohc",
    "ethernet",
    "aggfrag",
    "nsh",
    "homa",
    "bit-emu",
];

/// The keyword, or the number as text where there is none.
#[must_use]
pub fn name(protocol: Protocol) -> std::borrow::Cow<'static, str> {
    match KEYWORDS.get(usize::from(protocol)) {
        Some(&keyword) if !keyword.is_empty() => keyword.into(),
        _ => protocol.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_name_of_the_registry_or_stay_numbers() {
        for (number, expected) in [
            (1, "icmp"),
            (2, "igmp"),
            (6, "tcp"),
            (17, "udp"),
            (33, "dccp"),
            (47, "gre"),
            (50, "esp"),
            (51, "ah"),
            (58, "icmpv6"),
            (59, "ipv6-nonxt"),
            (89, "ospfigp"),
            (112, "vrrp"),
            (132, "sctp"),
            (136, "udplite"),
            (61, "61"),
            (253, "253"),
        ] {
            assert_eq!(expected, name(number));
        }
    }
}
