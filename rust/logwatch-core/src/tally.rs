//! A summary counted into families of series.

use crate::address::Address;
use crate::count::Count;
use crate::protocol::{self, Protocol};
use crate::series::{self, Key, Series, Sum};
use crate::summary::Summary;
use crate::text::text;

/// A policy as it is shown, and what it does.
pub struct Verdict {
    /// Value of the label `policy`.
    pub policy: String,
    /// Whether its packets are denied; else they are only logged.
    pub is_denied: bool,
}

/// Where a summary is counted. `ports`, `sources` and `flows` hold denied packets only, so that they
/// have the total of `denied`.
pub struct Families<'a> {
    /// By policy, interface, protocol and family.
    pub denied: &'a mut Series,
    /// The same of packets that are only logged.
    pub logged: &'a mut Series,
    /// By protocol and port.
    pub ports: &'a mut Series,
    /// By source.
    pub sources: &'a mut Series,
    /// By source, protocol and port.
    pub flows: &'a mut Series,
}

impl Families<'_> {
    /// Counts all that a settled summary holds, as of `now` in Unix seconds; `verdicts` are those of
    /// its policies, by number. The label of a port is "" where there is none. What found no room in
    /// the scanner's table has no source: it is in `other` of `ports`, `sources` and `flows`.
    ///
    /// # Panics
    /// When there is not one verdict for each policy.
    pub fn count(&mut self, summary: &Summary, verdicts: &[Verdict], now: f64) {
        self.count_rows(summary, verdicts, now);
        let mut key = Key::new();
        for (link, packets, bytes) in summary.links() {
            if packets == 0 {
                continue;
            }
            let verdict = &verdicts[usize::from(link.policy)];
            key.clear();
            series::push_label(&mut key, &verdict.policy);
            series::push_label(&mut key, &text(&link.interface.name()));
            push_protocol(&mut key, link.protocol);
            series::push_label(&mut key, if link.v6 { "6" } else { "4" });
            let family = if verdict.is_denied { &mut *self.denied } else { &mut *self.logged };
            family.add(&key, Sum { packets: packets.into(), bytes: bytes.into() }, now);
        }
    }

    fn count_rows(&mut self, summary: &Summary, verdicts: &[Verdict], now: f64) {
        let mut without_source = Sum::default();
        let mut key = Key::new();
        for row in summary.rows() {
            if !verdicts[usize::from(row.class.policy)].is_denied {
                continue;
            }
            let sum = sum_of(&row.count);
            let Some(source) = row.source else {
                without_source.add(sum);
                continue;
            };
            let protocol = row.class.transport.protocol();
            key.clear();
            push_address(&mut key, source);
            self.sources.add(&key, sum, now);
            let port_at = key.len();
            push_protocol(&mut key, protocol);
            push_port(&mut key, row.port);
            self.flows.add(&key, sum, now);
            self.ports.add(&key[port_at..], sum, now);
        }
        if without_source.packets > 0 {
            for family in [&mut *self.ports, &mut *self.sources, &mut *self.flows] {
                family.add_other(without_source);
            }
        }
    }
}

fn sum_of(count: &Count) -> Sum {
    Sum { packets: count.packets.into(), bytes: count.bytes.into() }
}

/// Appends an address; IPv4, which most are, without the machinery of formatting.
fn push_address(key: &mut Key, address: Address) {
    match address {
        Address::V4(bits) => {
            let mut digits = itoa::Buffer::new();
            let [first, rest @ ..] = bits.to_be_bytes();
            key.extend_from_slice(digits.format(first).as_bytes());
            for octet in rest {
                key.push(b'.');
                key.extend_from_slice(digits.format(octet).as_bytes());
            }
            series::push_label(key, "");
        }
        Address::V6(_) => series::push_label(key, &address.to_string()),
    }
}

fn push_protocol(key: &mut Key, protocol: Option<Protocol>) {
    series::push_label(key, &protocol.map_or("none".into(), protocol::name));
}

fn push_port(key: &mut Key, port: Option<u16>) {
    let mut digits = itoa::Buffer::new();
    series::push_label(key, port.map_or("", |port| digits.format(port)));
}
