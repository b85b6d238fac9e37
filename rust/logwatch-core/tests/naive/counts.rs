//! What a scanner must have counted: the stream split at its line feeds, and every line added up.

use std::collections::{BTreeMap, BTreeSet};

use logwatch_core::address::Address;
use logwatch_core::body::Packet;
use logwatch_core::count::Count;
use logwatch_core::line::{Kind, Reading};
use logwatch_core::losses::Losses;
use logwatch_core::policy::Policy;
use logwatch_core::protocol::Protocol;
use logwatch_core::summary::Summary;
use logwatch_core::views::Views;

use super::prefix::Prefix;
use super::{LINE_MOST, header, losses};

/// Packets, bytes, Unix seconds of the earliest and the latest stamp (0: unknown).
type Sums = (u64, u64, u32, u32);
type Flow = (Address, Option<u16>, Option<Protocol>);
/// Flow, policy, interface, whether it was forwarded, shape.
type Row = (Flow, Policy, Vec<u8>, bool, &'static str);
/// Policy, interface, protocol, IPv6.
type Link = (Policy, Vec<u8>, Option<Protocol>, bool);

/// All totals of a stream, in a form that can be compared. A forged line may claim anything: a sum
/// stays at the largest number.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By kind, in the order of `Kind::ALL`.
    pub lines: [u64; 5],
    pub losses: Losses,
    pub packets: u64,
    pub bytes: u64,
    pub last: u32,
    pub rows: BTreeMap<Row, Sums>,
    pub flows: BTreeMap<Flow, Sums>,
    /// Packets by second and policy, of those with a stamp.
    pub timeline: BTreeMap<(u32, Policy), u64>,
    /// Packets and bytes.
    pub links: BTreeMap<Link, (u64, u64)>,
    /// Packets, distinct ports, distinct destinations.
    pub sources: BTreeMap<Address, (u64, u32, u32)>,
    /// Packets, distinct sources.
    pub ports: BTreeMap<(Option<u16>, Option<Protocol>), (u64, u64)>,
}

impl Counts {
    /// Counts a whole stream; `now` places stamps without a year.
    pub fn of_stream(stream: &[u8], prefixes: &[Prefix], now: i64) -> Self {
        let mut counts = Self::default();
        let mut destinations = BTreeSet::new();
        let mut lines: Vec<&[u8]> = stream.split(|&byte| byte == b'\n').collect();
        // Behind the last line feed there is a line only if there is a byte.
        lines.pop_if(|last| last.is_empty());
        for line in lines {
            let reading = super::read_line(line, prefixes);
            counts.lines[reading.kind as usize] += 1;
            if reading.kind == Kind::Other {
                counts.add_losses(line);
            }
            let Some(packet) = reading.packet else { continue };
            counts.add(&reading, &packet, now);
            destinations.insert((packet.source, packet.destination));
        }
        counts.add_up_flows();
        for (source, _) in destinations {
            counts.sources.entry(source).or_default().2 += 1;
        }
        counts
    }

    fn add(&mut self, reading: &Reading<'_>, packet: &Packet<'_>, now: i64) {
        let packets = u64::from(reading.count);
        let bytes = packets * u64::from(packet.length.unwrap_or(0));
        let stamp = reading.stamp.map_or(0, |stamp| header::seconds(stamp, now));
        let stamp = u32::try_from(stamp).unwrap_or(0);
        self.packets = self.packets.saturating_add(packets);
        self.bytes = self.bytes.saturating_add(bytes);
        self.last = self.last.max(stamp);
        let sums = (packets, bytes, stamp, stamp);
        let flow = (packet.source, packet.port, packet.protocol);
        add_sums(self.flows.entry(flow).or_default(), sums);
        let policy = policy(reading);
        if stamp > 0 {
            let sum = self.timeline.entry((stamp, policy.clone())).or_default();
            *sum = sum.saturating_add(packets);
        }
        let interface = packet.interface.to_vec();
        let is_forwarded = !packet.out_interface.is_empty();
        let row = (flow, policy.clone(), interface.clone(), is_forwarded, shape(packet));
        add_sums(self.rows.entry(row).or_default(), sums);
        let is_v6 = matches!(packet.source, Address::V6(_));
        let link = self.links.entry((policy, interface, packet.protocol, is_v6)).or_default();
        *link = (link.0.saturating_add(packets), link.1.saturating_add(bytes));
    }

    fn add_losses(&mut self, mut line: &[u8]) {
        while let Some(behind) = line.strip_prefix(b"\0") {
            line = behind;
        }
        if line.len() > LINE_MOST {
            self.losses.overlong_lines += 1;
        } else if let Some(report) = losses::read(line.strip_suffix(b"\r").unwrap_or(line)) {
            let lost = &mut self.losses.by[report.by as usize];
            let times = u64::from(report.times);
            lost.reports += times;
            let messages = u128::from(report.messages) * u128::from(times);
            let sum = u128::from(lost.messages) + messages;
            lost.messages = u64::try_from(sum).unwrap_or(u64::MAX);
        }
    }

    fn add_up_flows(&mut self) {
        let mut ports_of = BTreeSet::new();
        for (&(source, port, protocol), &(packets, ..)) in &self.flows {
            let by_source = self.sources.entry(source).or_default();
            by_source.0 += packets;
            by_source.1 += u32::from(port.is_some() && ports_of.insert((source, port)));
            let by_port = self.ports.entry((port, protocol)).or_default();
            *by_port = (by_port.0 + packets, by_port.1 + 1);
        }
    }

    /// The same of a settled summary in which every flow found room and each second is told apart;
    /// `None` when not so.
    pub fn of_summary(summary: &Summary) -> Option<Self> {
        let views = Views::new(summary);
        let total = summary.total();
        let mut counts = Self {
            lines: summary.lines,
            losses: summary.losses,
            packets: total.packets,
            bytes: total.bytes,
            last: total.last(),
            ..Self::default()
        };
        let policies: Vec<&Policy> = summary.policies().collect();
        for row in summary.rows() {
            let class = row.class;
            let key = (
                (row.source?, row.port, class.transport.protocol()),
                policies[usize::from(class.policy)].clone(),
                class.interface.name(),
                class.forwarded,
                class.transport.shape().name(),
            );
            add_sums(counts.rows.entry(key).or_default(), sums(&row.count));
        }
        for flow in views.flows(0) {
            let key = (flow.source?, flow.port, flow.protocol);
            add_sums(counts.flows.entry(key).or_default(), sums(&flow.count));
        }
        let timeline = summary.timeline.as_ref()?;
        for (start, policy, packets) in timeline.cells() {
            let key = (start, policies[usize::from(policy)].clone());
            // A cell that is listed twice would be wrong, and one for several seconds.
            if counts.timeline.insert(key, packets).is_some() || timeline.width() > 1 {
                return None;
            }
        }
        for (link, packets, bytes) in summary.links() {
            let policy = policies[usize::from(link.policy)].clone();
            let key = (policy, link.interface.name(), link.protocol, link.v6);
            // A link that is listed twice would be wrong.
            if counts.links.insert(key, (packets, bytes)).is_some() {
                return None;
            }
        }
        for source in views.sources(0) {
            let entry = counts.sources.entry(source.source?).or_default();
            entry.0 += source.count.packets;
            entry.1 += source.ports;
            entry.2 += source.destinations;
        }
        for port in views.ports(0) {
            let entry = counts.ports.entry((port.port, port.protocol)).or_default();
            *entry = (entry.0 + port.packets, entry.1 + port.sources);
        }
        Some(counts)
    }
}

fn sums(count: &Count) -> Sums {
    (count.packets, count.bytes, count.first(), count.last())
}

fn policy(reading: &Reading<'_>) -> Policy {
    let names = reading.names;
    Policy {
        prefix: reading.prefix.map_or(u8::MAX, |prefix| prefix as u8),
        tier: names.tier.map(Into::into),
        kind: names.kind.map(Into::into),
        policy: names.policy.map(Into::into),
        namespace: names.namespace.map(Into::into),
    }
}

fn add_sums(sums: &mut Sums, other: Sums) {
    sums.0 = sums.0.saturating_add(other.0);
    sums.1 = sums.1.saturating_add(other.1);
    sums.2 = [sums.2, other.2].into_iter().filter(|&known| known > 0).min().unwrap_or(0);
    sums.3 = sums.3.max(other.3);
}

/// SYN alone opens a connection, ACK or RST answer; of the rest the scans of nmap are told apart.
fn shape(packet: &Packet<'_>) -> &'static str {
    let is_tcp = packet.protocol == Some(6);
    let sent = packet.flags.map(|flags| flags.names().collect::<Vec<_>>());
    let has = |flag| sent.as_ref().is_some_and(|sent| sent.contains(&flag));
    match () {
        () if !is_tcp => "",
        () if has("ack") || has("rst") => "reply",
        () if has("syn") => "syn",
        () if sent == Some(vec!["fin"]) => "fin",
        () if sent == Some(vec![]) => "null",
        () if sent == Some(vec!["urg", "psh", "fin"]) => "xmas",
        () => "other",
    }
}
