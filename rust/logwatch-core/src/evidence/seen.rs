//! What evidence is made of: packets of one source, port and class in one batch.

use super::plan::ClassPlan;
use crate::address::Address;
use crate::summary::{Row, Summary};

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

impl Seen {
    fn of(row: &Row<'_>) -> Option<Self> {
        Some(Self {
            source: row.source?,
            destination: None,
            port: row.port,
            class: usize::from(row.class_number) - 1,
            packets: row.count.packets,
            bytes: row.count.bytes,
        })
    }
}

/// The rows of a summary of which somebody knows where they came from.
pub(super) fn rows(summary: &Summary) -> impl Iterator<Item = Seen> {
    summary.rows().filter_map(|row| Seen::of(&row))
}

/// Packets on their way into the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting<'a> {
    pub seen: Seen,
    pub class: &'a ClassPlan,
    pub mask: super::plan::Mask,
    pub source: super::trail::Source,
    pub hash: u64,
    /// Where it probably is, by its hash.
    pub place: Option<usize>,
}
