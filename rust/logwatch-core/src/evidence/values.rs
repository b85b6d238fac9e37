//! Addresses and nodes as words, for sets of distinct values.

use crate::address::Address;
use crate::distinct::mix;

/// An address as a number, within its family.
pub(super) fn bits(address: Address) -> u128 {
    match address {
        Address::V4(bits) => u128::from(bits),
        Address::V6(bits) => bits,
    }
}

/// A destination as one word; that two of IPv6 are the same word does not happen by chance.
pub(super) fn destination_value(destination: Address) -> u64 {
    match destination {
        Address::V4(bits) => u64::from(bits),
        Address::V6(bits) => distinct_value(mix(mix((bits >> 64) as u64) ^ bits as u64)),
    }
}

/// A node's name as one word.
pub(super) fn node_value(name: &str) -> u64 {
    let mixed = |hash, byte| mix(hash ^ u64::from(byte)).wrapping_add(1);
    distinct_value(name.bytes().fold(1, mixed))
}

/// The largest number marks a free entry.
fn distinct_value(hash: u64) -> u64 {
    hash.min(u64::MAX - 1)
}
