//! What evidence is made of: packets of one source, port and class in one batch.

use super::plan::{ClassPlan, Mask};
use super::trail::Source;
use crate::address::Address;
use crate::flows::{Flows, Tag, Word};

/// Packets that differ in nothing that a rule can ask for.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Where they came from.
    pub source: Address,
    /// Where they went, if that is known.
    pub destination: Option<Address>,
    /// Destination port.
    pub port: Option<u16>,
    /// Index of the class among those that the batch was given with.
    pub class: usize,
    /// How many.
    pub packets: u64,
    /// Sum of the outer LEN.
    pub bytes: u64,
}

/// The flows of one family, and where the last packet of each went, if that is known. `address` makes
/// an address of a number.
pub(super) fn rows<A: Word>(
    flows: &Flows<A>,
    classes: &[ClassPlan],
    address: impl Fn(A) -> Address + Copy,
) -> impl Iterator<Item = (Seen, Option<Address>)> {
    flows.with_destinations().map(move |(source, tag, count, to)| {
        let to = (to != A::default()).then(|| address(to));
        (seen(address(source), tag, count.packets, count.bytes, classes), to)
    })
}

/// Rows without packets, for where those before the last ones went.
pub(super) fn earlier<A: Word>(
    flows: &Flows<A>,
    classes: &[ClassPlan],
    address: impl Fn(A) -> Address + Copy,
) -> impl Iterator<Item = (Seen, Option<Address>)> {
    flows.earlier_destinations().map(move |(source, tag, to)| {
        (seen(address(source), tag, 0, 0, classes), Some(address(to)))
    })
}

#[inline]
fn seen(source: Address, tag: Tag, packets: u64, bytes: u64, classes: &[ClassPlan]) -> Seen {
    let class = usize::from(tag.class()) - 1;
    let port = classes[class].has_port.then_some(tag.port());
    Seen { source, destination: None, port, class, packets, bytes }
}

/// Packets on their way into the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub source: Source,
    pub hash: u64,
    /// Where it probably is, by its hash.
    pub place: Option<usize>,
    pub class: usize,
    pub mask: Mask,
    pub port: Option<u16>,
    pub packets: u64,
    pub bytes: u64,
    /// Where the last of them went.
    pub to: Option<Address>,
    /// The same as one word.
    pub to_value: u64,
}
