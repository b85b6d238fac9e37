//! Makes lines as the kernel and syslog write them: each function is one of `nf_log_syslog.c`.
//!
//! What is chosen comes from a list of numbers, so that a failing line shrinks with its list: 0 is
//! the plainest choice everywhere, and where the list ends, all are 0.

pub mod damage;

/// Numbers that decide what is made.
pub struct Choices(std::vec::IntoIter<u16>);

impl Choices {
    pub fn new(numbers: Vec<u16>) -> Self {
        Self(numbers.into_iter())
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.0.next().unwrap_or(0)) % end
    }

    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// True once in `times`.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    /// A number of so many bits, its limits more often than others.
    fn number(&mut self, bits: u32) -> u32 {
        let most = u32::MAX >> (32 - bits);
        match self.below(8) {
            0..=4 => (self.below(1 << 16) as u32 * 65_537) >> (32 - bits),
            5 => most,
            6 => most / 2 + 1,
            _ => self.below(11) as u32,
        }
    }

    fn decimal(&mut self, key: &str, bits: u32) -> String {
        format!("{key}{} ", self.number(bits))
    }
}

const INTERFACES: [&[u8]; 12] = [
    b"eth1",
    b"",
    b"eth0",
    b"cali527b0801ecb",
    b"tunl0",
    b"br-lan.40",
    b"wg@if3",
    b"a=b",
    b"[x]",
    b"a\tb",
    b"\xc3\xbc",
    b"\xff",
];
const MACS: [&str; 2] = ["02:00:00:00:00:01", "ff:ff:ff:ff:ff:ff"];
const FLAGS: [&str; 9] = ["AE ", "CWR ", "ECE ", "URG ", "ACK ", "PSH ", "RST ", "SYN ", "FIN "];

/// `nf_log_dump_packet_common` and `dump_mac_header`, then what the family adds.
pub fn body(choices: &mut Choices) -> Vec<u8> {
    let mut text = b"IN=".to_vec();
    text.extend(choices.pick(&INTERFACES));
    text.extend(b" OUT=");
    text.extend(choices.pick(&INTERFACES));
    text.push(b' ');
    if choices.once_in(8) {
        text.extend(b"PHYSIN=veth1 ");
    }
    if choices.once_in(8) {
        text.extend(b"PHYSOUT=veth2 ");
    }
    text.extend(mac(choices).as_bytes());
    text.extend(network(choices).as_bytes());
    text
}

fn mac(choices: &mut Choices) -> String {
    match choices.below(10) {
        0..=4 => format!("MAC={}:{}:08:00 ", choices.pick(&MACS), choices.pick(&MACS)),
        5 => "MAC= ".into(),
        6 => format!("MAC={} TUNNEL={}->{} ", MACS[0], ip4(choices), ip4(choices)),
        7 => format!("MACSRC={} MACDST={} MACPROTO=0800 ", choices.pick(&MACS), MACS[1]),
        8 => {
            let tag = choices.decimal("VID=", 16);
            format!("MACSRC={} MACDST={} VPROTO=8100 {tag}MACPROTO=0806 ", MACS[0], MACS[1])
        }
        _ => String::new(),
    }
}

fn network(choices: &mut Choices) -> String {
    let packet = match choices.below(20) {
        0..=10 => ipv4(choices, true),
        11..=16 => ipv6(choices, true),
        17 => return arp(choices),
        18 => return "TRUNCATED".into(),
        _ => return String::new(),
    };
    packet
        + choices.pick(&[
            "",
            "",
            "",
            "UID=0 GID=0 ",
            "UID=1000 GID=4294967295 MARK=0x1 ",
            "MARK=0xff ",
        ])
}

/// `dump_arp_packet`, which ends without a space.
fn arp(choices: &mut Choices) -> String {
    let end = choices.pick(&[
        "",
        " INCOMPLETE [4 bytes]",
        " MACSRC=02:00:00:00:00:01 IPSRC=192.0.2.1 MACDST=02:00:00:00:00:02 IPDST=192.0.2.2",
    ]);
    format!("ARP HTYPE=1 PTYPE=0x0800 OPCODE={}{end}", choices.number(16))
}

fn ip4(choices: &mut Choices) -> String {
    match choices.below(4) {
        0 => format!("203.0.113.{}", choices.number(8)),
        1 => choices.pick(&["0.0.0.0", "255.255.255.255", "10.0.0.1", "1.2.3.4"]).into(),
        _ => std::net::Ipv4Addr::from(choices.number(32)).to_string(),
    }
}

/// `%pI6`: each group may be zero.
fn ip6(choices: &mut Choices) -> String {
    if choices.once_in(6) {
        return format!("0000:0000:0000:0000:0000:ffff:cb00:{:04x}", choices.number(16));
    }
    let groups: Vec<String> = (0..8)
        .map(|_| if choices.once_in(3) { 0 } else { choices.number(16) })
        .map(|group| format!("{group:04x}"))
        .collect();
    groups.join(":")
}

/// `dump_ipv4_packet`, without what it prints of the outermost packet only.
fn ipv4(choices: &mut Choices, is_outer: bool) -> String {
    let mut text = format!("SRC={} DST={} ", ip4(choices), ip4(choices));
    let length_bits = choices.pick(&[16, 32]);
    text += &choices.decimal("LEN=", length_bits);
    let service = choices.number(8);
    text += &["TOS=0x", &format!("{service:02X}"), " "].concat();
    text += choices.pick(&["PREC=0x00 ", "PREC=0xC0 "]);
    text += &choices.decimal("TTL=", 8);
    text += &choices.decimal("ID=", 16);
    text += choices.pick(&["DF ", "", "CE ", "MF ", "CE DF MF ", "DF MF "]);
    text += choices.pick(&["", "", "", "", "FRAG:185 ", "FRAG:8191 "]);
    match choices.below(16) {
        13 => text += "OPT () ",
        14 => text += "OPT (94040000) ",
        15 => return text + "TRUNCATED",
        _ => {}
    }
    text + &transport(choices, "ICMP", is_outer)
}

/// `dump_ipv6_packet`, without what it prints of the outermost packet only.
fn ipv6(choices: &mut Choices, is_outer: bool) -> String {
    let mut text = format!("SRC={} DST={} ", ip6(choices), ip6(choices));
    let length_bits = choices.pick(&[16, 32]);
    text += &choices.decimal("LEN=", length_bits);
    text += &choices.decimal("TC=", 8);
    text += &choices.decimal("HOPLIMIT=", 8);
    text += &choices.decimal("FLOWLBL=", 20);
    while choices.once_in(4) {
        text += choices.pick(&[
            "OPT ( ) ",
            "FRAG:0 INCOMPLETE ID:0000abcd ",
            "FRAG:1448 ID:ffffffff ",
            "OPT ( FRAG:0 ID:00000001 ) ",
            "OPT ( FRAG:65528 INCOMPLETE ID:00000001 ) ",
            "OPT ( AH SPI=0x100 ) ",
            "AH SPI=0xffffffff ",
            "ESP SPI=0x1 ",
        ]);
    }
    if choices.once_in(8) {
        return text
            + choices.pick(&[
                "",
                "OPT ( AH )",
                "OPT ( ESP )",
                "OPT ( ESP SPI=0x1 )",
                "OPT ( AH INCOMPLETE [4 bytes] )",
                "OPT ( )",
                "FRAG:TRUNCATED ",
                "TRUNCATED",
                "Unknown Ext Hdr 135",
            ]);
    }
    text + &transport(choices, "ICMPv6", is_outer)
}

fn transport(choices: &mut Choices, icmp_name: &str, is_outer: bool) -> String {
    match choices.below(12) {
        0..=4 => tcp(choices),
        5 | 6 => udp(choices),
        7..=9 => icmp(choices, icmp_name, is_outer),
        10 => {
            let end = choices.pick(&["SPI=0x1f00 ", "", "INCOMPLETE [4 bytes] "]);
            format!("PROTO={} {end}", choices.pick(&["ESP", "AH"]))
        }
        _ => match choices.below(4) {
            0 => format!(
                "PROTO={} ",
                choices.pick(&[132, 2, 6, 17, 33, 47, 58, 59, 89, 136, 255, 0])
            ),
            1 => String::new(),
            _ => choices.decimal("PROTO=", 8),
        },
    }
}

/// `nf_log_dump_tcp_header`; a later fragment has nothing behind PROTO.
fn tcp(choices: &mut Choices) -> String {
    match choices.below(10) {
        8 => return "PROTO=TCP ".into(),
        9 => return format!("PROTO=TCP INCOMPLETE [{} bytes] ", choices.below(20)),
        _ => {}
    }
    let mut text = "PROTO=TCP ".to_owned() + &ports(choices);
    if choices.once_in(4) {
        text += &choices.decimal("SEQ=", 32);
        text += &choices.decimal("ACK=", 32);
    }
    text += &choices.decimal("WINDOW=", 16);
    text += choices.pick(&["RES=0x00 ", "RES=0x0c ", "RES=0x3f "]);
    let flags = match choices.below(4) {
        0 => 1 << 7,
        1 => choices.pick(&[0, 1 << 4, 1 << 6, 1 << 4 | 1 << 6, 1 << 4 | 1 << 7, 511]),
        _ => choices.below(512),
    };
    text.extend(
        FLAGS.iter().enumerate().filter(|(bit, _)| flags >> bit & 1 == 1).map(|flag| *flag.1),
    );
    text += &choices.decimal("URGP=", 16);
    text + choices.pick(&["", "", "", "OPT (020405B4) ", "OPT () ", "OPT (TRUNCATED)"])
}

/// `nf_log_dump_udp_header`.
fn udp(choices: &mut Choices) -> String {
    let name = choices.pick(&["PROTO=UDP ", "PROTO=UDP ", "PROTO=UDPLITE "]);
    match choices.below(6) {
        4 => name.into(),
        5 => format!("{name}INCOMPLETE [{} bytes] ", choices.below(8)),
        _ => name.to_owned() + &ports(choices) + &choices.decimal("LEN=", 16),
    }
}

fn ports(choices: &mut Choices) -> String {
    choices.decimal("SPT=", 16) + &choices.decimal("DPT=", 16)
}

/// ICMP of either family; an error holds the packet that it is about, one level deep.
fn icmp(choices: &mut Choices, name: &str, is_outer: bool) -> String {
    let mut text = format!("PROTO={name} ");
    if choices.once_in(8) {
        return text + choices.pick(&["", "INCOMPLETE [3 bytes] "]);
    }
    text += &choices.decimal("TYPE=", 8);
    text += &choices.decimal("CODE=", 8);
    match choices.below(6) {
        0 => text + &choices.decimal("ID=", 16) + &choices.decimal("SEQ=", 16),
        1 => text,
        2 => text + "INCOMPLETE [8 bytes] ",
        _ if is_outer => {
            text +=
                choices.pick(&["", "", "PARAMETER=7 ", "GATEWAY=192.0.2.1 ", "POINTER=00000028 "]);
            let nested = match choices.below(8) {
                0..=3 => ipv4(choices, false),
                4..=6 => ipv6(choices, false),
                _ => "TRUNCATED".into(),
            };
            text + "[" + &nested + "] " + choices.pick(&["", "MTU=1400 "])
        }
        _ => text,
    }
}

const STAMPS: [&str; 15] = [
    "Nov 22 07:08:09",
    "Sep 5 14:34:40",
    "Sep  5 14:34:40",
    "Sep 05 14:34:40",
    "Dec 31 23:59:60",
    "Jan  1 00:00:00",
    "Feb 29 12:00:00",
    "2026-11-22T07:08:09.123456+00:00",
    "2026-11-22T07:08:09Z",
    "2026-12-31T23:59:60.1-11:30",
    "2026-01-01T00:00:00.123456789+14:00",
    "2024-02-31T12:00:00+00:00",
    "2026-11-22T07:08:09+0100",
    "2026-11-22T07:08:09.123456-0930",
    "Sep  5 14:34:40.123456",
];
const PLACES: [&str; 7] = [
    " ",
    "",
    " [    0.000000] ",
    " [123456.789012] ",
    " [   12.345678][    C3] ",
    " [    C3] ",
    " [ T1234] ",
];

/// Everything in front of the kernel's text.
fn header(choices: &mut Choices) -> Vec<u8> {
    let mut text = choices.pick(&["", "", "", "<5>", "<5>1 ", "1 ", "<191>1 "]).as_bytes().to_vec();
    text.extend(choices.pick(&STAMPS).as_bytes());
    text.push(b' ');
    let long = [b'h'; 255];
    text.extend(match choices.below(12) {
        0..=6 => &b"worker-1 "[..],
        7 => b"",
        8 => b"kernel ",
        9 => b"10.0.0.1 ",
        10 => b"\xff\xfe ",
        _ => &long,
    });
    if text.ends_with(&long) {
        text.push(b' ');
    }
    text.extend(choices.pick(&["kernel:", "kernel:", "kernel - - - "]).as_bytes());
    text.extend(choices.pick(&PLACES).as_bytes());
    text
}

/// What the kernel prints for a configured prefix.
fn printed(choices: &mut Choices, prefix: &str) -> Vec<u8> {
    let mut text = prefix.to_owned();
    for (specifier, names) in [
        ("%t", ["default", "security.tier", "a"]),
        ("%k", ["np", "gnp", "k-8_s.NP"]),
        ("%n", ["deny-nodeports", "x", "log-denied-packets-of-the-public-interface"]),
        (
            "%p",
            ["kube-system/log-denied", "web", "a-namespace-of-many-letters/a-name-of-many-letters"],
        ),
    ] {
        text = text.replace(specifier, choices.pick(&names));
    }
    text += choices.pick(&[": ", ": ", ""]);
    let most = choices.pick(&[127, 29]).min(text.len());
    text.as_bytes()[..most].to_vec()
}

/// A whole line for one of `prefixes`.
pub fn line(choices: &mut Choices, prefixes: &[&str]) -> Vec<u8> {
    let mut line = choices.pick(&[&b""[..], b"", b"", b"\0", b"\0\0\0\0\0\0\0\0\0"]).to_vec();
    line.extend(header(choices));
    let is_repeated = choices.once_in(4);
    if is_repeated {
        let times = choices.pick(&["2", "1", "0", "9999", "4294967295", "4294967296", "02"]);
        line.extend(format!("message repeated {times} times: [").bytes());
        line.extend(choices.pick(&PLACES).as_bytes());
    }
    let prefix = choices.pick(prefixes);
    line.extend(printed(choices, prefix));
    line.extend(body(choices));
    line.extend(if is_repeated { &b"]"[..] } else { b"" });
    line.extend(choices.pick(&[&b""[..], b"", b"\r"]));
    line
}
