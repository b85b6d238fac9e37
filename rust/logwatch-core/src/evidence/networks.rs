//! Sets of networks: sorted, disjoint ranges of addresses of both families.

use crate::address::Address;

/// A set of networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

impl Networks {
    /// From addresses with the lengths of their prefixes. Bits behind a prefix don't matter; a
    /// length above the family's counts as that.
    #[must_use]
    pub fn new(networks: &[(Address, u8)]) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for &(address, length) in networks {
            match address {
                Address::V4(bits) => {
                    let host = u32::MAX.checked_shr(length.into()).unwrap_or(0);
                    v4.push((bits & !host, bits | host));
                }
                Address::V6(bits) => {
                    let host = u128::MAX.checked_shr(length.into()).unwrap_or(0);
                    v6.push((bits & !host, bits | host));
                }
            }
        }
        Self { v4: joined(v4), v6: joined(v6) }
    }

    /// Whether an address is in one of them.
    #[must_use]
    pub fn contain(&self, address: Address) -> bool {
        match address {
            Address::V4(bits) => lies_in(&self.v4, bits),
            Address::V6(bits) => lies_in(&self.v6, bits),
        }
    }

    /// The ranges, first and last address of each.
    pub(super) fn ranges(&self) -> impl Iterator<Item = (u128, u128)> {
        let v4 = self.v4.iter().map(|&(first, last)| (u128::from(first), u128::from(last)));
        v4.chain(self.v6.iter().copied())
    }
}

fn joined<A: Copy + Ord>(mut ranges: Vec<(A, A)>) -> Vec<(A, A)> {
    ranges.sort_unstable();
    // Two networks are disjoint, or one holds the other.
    ranges.dedup_by(|next, kept| {
        let is_inside = next.0 <= kept.1;
        if is_inside {
            kept.1 = kept.1.max(next.1);
        }
        is_inside
    });
    ranges
}

fn lies_in<A: Copy + Ord>(ranges: &[(A, A)], bits: A) -> bool {
    let behind = ranges.partition_point(|range| range.0 <= bits);
    behind.checked_sub(1).is_some_and(|at| bits <= ranges[at].1)
}
