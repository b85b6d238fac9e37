//! Counts by flow, in a bounded hash table.
//!
//! Open addressing, linear probing, power-of-two sizes. A table grows to what it was granted and
//! then refuses new keys, so that a flood of forged sources costs that much memory and no more.
//! Nothing is ever removed: a table lives from one drain to the next.
//!
//! A line's count waits with some dozen others before it is put into the table. The slot that each
//! will need is asked for when it begins to wait: a table of many flows lies far from the processor,
//! and this way it is waited for once instead of once a line.

use std::collections::HashMap;

use crate::count::Count;
use crate::hash::Seed;
use crate::lanes;
use crate::pairs::Pairs;

/// Slots of a new table.
pub(crate) const FIRST_SLOTS: usize = 256;
/// Earlier destinations that are kept by flow; beyond, a source's destinations are known only by the
/// pairs. Bounds what a sweep costs; the agent's batches are smaller.
const EARLIER_MOST: usize = 4096;
/// At 2^32 times 2^32 packets a sum stays as it is: only a forged line claims so much.
const CARRIED_MOST: u64 = u32::MAX as u64;
/// Counts that wait together. Fewer look-ups overlap below; above, the first slots are gone again.
const BATCH: usize = 32;

/// Keys above three quarters of the slots are too many: probes stay short.
pub(crate) fn is_crowded(keys: usize, slots: usize) -> bool {
    keys >= slots / 4 * 3
}

/// The most slots of `size` bytes that fit into `bytes`: a power of two, at least the first ones.
pub(crate) fn slots_most(bytes: usize, size: usize) -> usize {
    (bytes / size + 1).next_power_of_two() / 2
}

/// An address as a number: IPv4 or IPv6.
pub trait Word: Copy + Eq + Ord + std::hash::Hash + std::fmt::Debug + Default {
    /// Hash of the word together with another number.
    fn hash(self, seed: Seed, other: u32) -> u64;
    /// Hash of two words.
    fn hash_pair(self, seed: Seed, other: Self) -> u64;
}

impl Word for u32 {
    #[inline]
    fn hash(self, seed: Seed, other: u32) -> u64 {
        seed.hash(u64::from(self) << 32 | u64::from(other))
    }

    #[inline]
    fn hash_pair(self, seed: Seed, other: Self) -> u64 {
        self.hash(seed, other)
    }
}

impl Word for u128 {
    #[inline]
    fn hash(self, seed: Seed, other: u32) -> u64 {
        seed.hash(seed.hash_wide(self) ^ u64::from(other))
    }

    #[inline]
    fn hash_pair(self, seed: Seed, other: Self) -> u64 {
        seed.hash(seed.hash_wide(self) ^ seed.hash_wide(other).rotate_left(32))
    }
}

/// A flow's port and class in one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(u32);

impl Tag {
    /// `class` is not 0, so that a tag never is.
    #[must_use]
    #[inline]
    pub fn new(port: u16, class: u16) -> Self {
        Self(u32::from(port) << 16 | u32::from(class))
    }

    /// Destination port; 0 where the class has none.
    #[must_use]
    pub fn port(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// Number of the class.
    #[must_use]
    pub fn class(self) -> u16 {
        self.0 as u16
    }
}

/// 32 bytes for IPv4, 64 for IPv6: half a cache line or one.
#[derive(Clone, Copy, Debug, Default)]
struct Slot<A> {
    source: A,
    /// Where its last packet went: only when that changes is the pair looked up.
    destination: A,
    /// 0 marks a free slot.
    tag: u32,
    /// Modulo 2^32; what is carried over stands in `carried`.
    packets: u32,
    bytes: u64,
    first_less_one: u32,
    last: u32,
}

/// A count on its way into the table.
#[derive(Clone, Copy, Debug, Default)]
struct Waiting<A> {
    source: A,
    destination: A,
    tag: u32,
    hash: u32,
    packets: u32,
    seconds: u32,
    bytes: u64,
}

/// Counts by source, port and class, for one family of addresses.
#[derive(Clone, Debug)]
pub struct Flows<A> {
    seed: Seed,
    slots: Vec<Slot<A>>,
    keys: usize,
    slots_most: usize,
    waiting: [Waiting<A>; BATCH],
    waiting_count: usize,
    /// By flow: 2^32 packets each.
    carried: HashMap<(A, u32), u64>,
    /// By class: what found no room.
    refused: HashMap<u16, Count>,
    /// Which sources sent to which destinations, if that is asked for.
    pairs: Option<Pairs<A>>,
    /// Where packets of a flow went before those to its last destination: flow and destination, some
    /// of them several times.
    earlier: Vec<(A, Tag, A)>,
    /// Whether there may be a pair that neither these nor the last destinations tell.
    has_more_pairs: bool,
}

impl<A: Word> Flows<A> {
    /// `bytes` are granted to the table of flows, `pair_bytes` to that of the pairs, if there is one.
    #[must_use]
    pub fn new(seed: Seed, bytes: usize, pair_bytes: Option<usize>) -> Self {
        Self {
            seed,
            slots: vec![Slot::default(); FIRST_SLOTS],
            keys: 0,
            slots_most: slots_most(bytes, size_of::<Slot<A>>()).max(FIRST_SLOTS),
            waiting: [Waiting::default(); BATCH],
            waiting_count: 0,
            carried: HashMap::new(),
            refused: HashMap::new(),
            pairs: pair_bytes.map(|bytes| Pairs::new(seed, bytes)),
            earlier: Vec::new(),
            has_more_pairs: false,
        }
    }

    /// Counts a line of `packets` packets with `bytes` in all.
    #[inline(always)]
    pub fn add(
        &mut self,
        source: A,
        destination: A,
        tag: Tag,
        packets: u32,
        bytes: u64,
        seconds: u32,
    ) {
        let hash = source.hash(self.seed, tag.0) as u32;
        lanes::prefetch(&self.slots[hash as usize & (self.slots.len() - 1)]);
        self.waiting[self.waiting_count % BATCH] =
            Waiting { source, destination, tag: tag.0, hash, packets, seconds, bytes };
        self.waiting_count += 1;
        if self.waiting_count == BATCH {
            self.settle();
        }
    }

    /// Puts what waits into the table. Every view does this first.
    #[inline(never)]
    pub fn settle(&mut self) {
        let count = std::mem::take(&mut self.waiting_count);
        for at in 0..count {
            let waiting = self.waiting[at];
            self.put(&waiting);
        }
    }

    #[inline(always)]
    fn put(&mut self, waiting: &Waiting<A>) {
        let Some((at, is_new)) = self.place(waiting.source, waiting.tag, waiting.hash) else {
            let Waiting { packets, bytes, seconds, .. } = *waiting;
            self.refuse(waiting.tag, &Count::new(u64::from(packets), bytes, seconds, seconds));
            return;
        };
        let slot = &mut self.slots[at];
        let (packets, is_full) = slot.packets.overflowing_add(waiting.packets);
        slot.packets = packets;
        slot.bytes = slot.bytes.saturating_add(waiting.bytes);
        slot.first_less_one = slot.first_less_one.min(waiting.seconds.wrapping_sub(1));
        slot.last = slot.last.max(waiting.seconds);
        if slot.destination != waiting.destination || is_new {
            let before = std::mem::replace(&mut slot.destination, waiting.destination);
            self.put_pair(waiting, (!is_new).then_some(before));
        }
        if is_full {
            self.carry(waiting.source, waiting.tag, 1);
        }
    }

    /// Where a flow's slot is, and whether it has just been made; `None` when there is no room.
    #[inline(always)]
    fn place(&mut self, source: A, tag: u32, hash: u32) -> Option<(usize, bool)> {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = &self.slots[at];
            if slot.tag == tag && slot.source == source {
                return Some((at, false));
            }
            if slot.tag == 0 {
                return self.insert(source, tag, hash).map(|at| (at, true));
            }
            at = (at + 1) & mask;
        }
    }

    #[inline(never)]
    fn insert(&mut self, source: A, tag: u32, hash: u32) -> Option<usize> {
        if is_crowded(self.keys, self.slots.len()) && !self.grow() {
            return None;
        }
        let at = Self::free(&self.slots, hash);
        self.slots[at] = Slot { source, tag, first_less_one: u32::MAX, ..Slot::default() };
        self.keys += 1;
        Some(at)
    }

    /// The free slot where a key that is not there belongs.
    fn free(slots: &[Slot<A>], hash: u32) -> usize {
        let mask = slots.len() - 1;
        let mut at = hash as usize & mask;
        while slots[at].tag != 0 {
            at = (at + 1) & mask;
        }
        at
    }

    fn grow(&mut self) -> bool {
        let slots = self.slots.len() * 2;
        if slots > self.slots_most {
            return false;
        }
        let mut larger = vec![Slot::default(); slots];
        for slot in self.slots.iter().filter(|slot| slot.tag != 0) {
            let at = Self::free(&larger, slot.source.hash(self.seed, slot.tag) as u32);
            larger[at] = *slot;
        }
        self.slots = larger;
        true
    }

    #[cold]
    fn refuse(&mut self, tag: u32, count: &Count) {
        self.refused.entry(tag as u16).or_insert(Count::ZERO).add(count);
    }

    #[cold]
    fn carry(&mut self, source: A, tag: u32, times: u64) {
        let carried = self.carried.entry((source, tag)).or_default();
        *carried = carried.saturating_add(times).min(CARRIED_MOST);
    }

    /// Adds what another table has counted for a flow; its destinations come by [`Self::add_pair`].
    pub fn add_count(&mut self, source: A, tag: Tag, count: &Count) {
        let Some((at, _)) = self.place(source, tag.0, source.hash(self.seed, tag.0) as u32) else {
            self.refuse(tag.0, count);
            return;
        };
        let slot = &mut self.slots[at];
        let packets = u64::from(slot.packets) + (count.packets & u64::from(u32::MAX));
        slot.packets = packets as u32;
        slot.bytes = slot.bytes.saturating_add(count.bytes);
        slot.first_less_one = slot.first_less_one.min(count.first_less_one);
        slot.last = slot.last.max(count.last);
        let carried = (packets >> 32) + (count.packets >> 32);
        if carried > 0 {
            self.carry(source, tag.0, carried);
        }
    }

    /// Adds what another table had no room for.
    pub fn add_refused(&mut self, class: u16, count: &Count) {
        self.refuse(u32::from(class), count);
    }

    /// Notes a destination of a source, if that is asked for.
    pub fn add_pair(&mut self, source: A, destination: A) {
        if let Some(pairs) = &mut self.pairs {
            pairs.insert(source, destination);
            self.has_more_pairs = true;
        }
    }

    /// Notes the destination of packets, and where those of their flow went `before`.
    #[inline(always)]
    fn put_pair(&mut self, waiting: &Waiting<A>, before: Option<A>) {
        let Some(pairs) = &mut self.pairs else { return };
        let Waiting { source, destination, tag, .. } = *waiting;
        pairs.insert(source, destination);
        if let Some(before) = before {
            if self.earlier.len() < EARLIER_MOST {
                self.earlier.push((source, Tag(tag), before));
            } else {
                self.has_more_pairs = true;
            }
        }
    }

    /// All flows with their counts, in no order. [`Self::settle`] first.
    pub fn iter(&self) -> impl Iterator<Item = (A, Tag, Count)> {
        self.with_destinations().map(|(source, tag, count, _)| (source, tag, count))
    }

    /// The same, each with the destination of its last packet, where pairs are kept; the zero address
    /// where nobody knows it.
    pub fn with_destinations(&self) -> impl Iterator<Item = (A, Tag, Count, A)> {
        self.slots.iter().filter(|slot| slot.tag != 0).map(move |slot| {
            let carried = if self.carried.is_empty() {
                0
            } else {
                self.carried.get(&(slot.source, slot.tag)).copied().unwrap_or(0)
            };
            let packets = carried << 32 | u64::from(slot.packets);
            let count = Count {
                packets,
                bytes: slot.bytes,
                first_less_one: slot.first_less_one,
                last: slot.last,
            };
            let destination = if self.pairs.is_some() { slot.destination } else { A::default() };
            (slot.source, Tag(slot.tag), count, destination)
        })
    }

    /// What found no room, by class, in no order.
    pub fn refused(&self) -> impl Iterator<Item = (u16, Count)> {
        self.refused.iter().map(|(&class, &count)| (class, count))
    }

    /// Where packets of flows went before those to the last destination, some several times.
    pub fn earlier_destinations(&self) -> impl Iterator<Item = (A, Tag, A)> {
        self.earlier.iter().copied()
    }

    /// Whether there may be a pair that neither the last nor the earlier destinations tell.
    #[must_use]
    pub fn has_more_pairs(&self) -> bool {
        self.has_more_pairs
    }

    /// All pairs of source and destination, in no order.
    pub fn pairs(&self) -> impl Iterator<Item = (A, A)> {
        self.pairs.iter().flat_map(Pairs::iter)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;
    use proptest::prelude::*;

    const LARGE: usize = 1 << 30;

    /// Counts the same lines in a table and in a plain map, and compares.
    fn compare<A: Word>(lines: &[(A, A, u16, u32, u32)]) -> Result<(), TestCaseError> {
        let mut flows = Flows::new(Seed::random(), LARGE, Some(LARGE));
        let mut expected: HashMap<(A, u16), (u64, u64, u32, u32)> = HashMap::new();
        for &(source, destination, port, packets, seconds) in lines {
            let bytes = u64::from(packets) * 60;
            flows.add(source, destination, Tag::new(port, 1), packets, bytes, seconds);
            let entry = expected.entry((source, port)).or_insert((0, 0, 0, 0));
            entry.0 += u64::from(packets);
            entry.1 += bytes;
            if seconds != 0 {
                entry.2 = if entry.2 == 0 { seconds } else { entry.2.min(seconds) };
                entry.3 = entry.3.max(seconds);
            }
        }
        flows.settle();
        let found: HashMap<(A, u16), (u64, u64, u32, u32)> = flows
            .iter()
            .map(|(source, tag, count)| {
                ((source, tag.port()), (count.packets, count.bytes, count.first(), count.last()))
            })
            .collect();
        prop_assert_eq!(expected.len(), flows.iter().count());
        prop_assert_eq!(expected, found);
        let expected: HashSet<(A, A)> = lines.iter().map(|line| (line.0, line.1)).collect();
        prop_assert_eq!(expected.len(), flows.pairs().count());
        prop_assert_eq!(expected, flows.pairs().collect::<HashSet<_>>());
        Ok(())
    }

    proptest! {
        #[test]
        fn a_table_counts_like_a_plain_map(lines in prop::collection::vec(
            (0_u32..700, 0_u32..5, 0_u16..4, prop_oneof![9 => 1_u32..9, 1 => any::<u32>()], 0_u32..5), 0..3_000,
        )) {
            compare(&lines)?;
            let wide: Vec<_> = lines
                .iter()
                .map(|line| (u128::from(line.0) << 64, u128::from(line.1), line.2, line.3, line.4))
                .collect();
            compare(&wide)?;
        }
    }

    #[test]
    fn a_full_table_refuses_new_flows_and_counts_the_old_ones() {
        let mut flows = Flows::<u32>::new(Seed::random(), 512 * 32, Some(0));
        for _ in 0..2 {
            for source in 1..=1_000 {
                flows.add(source, source, Tag::new(22, 1 + source as u16 % 2), 1, 60, 7);
            }
        }
        flows.settle();
        assert_eq!(384, flows.iter().count());
        assert!(flows.iter().all(|(source, _, count)| source <= 384 && count.packets == 2));
        assert_eq!(
            vec![(1, 616, 7), (2, 616, 7)],
            {
                let mut refused: Vec<_> = flows
                    .refused()
                    .map(|(class, count)| (class, count.packets, count.first()))
                    .collect();
                refused.sort_unstable();
                refused
            },
            "two rounds of 616 sources, by their classes"
        );
        assert_eq!(192, flows.pairs().count(), "pairs have bounds of their own");
    }

    #[test]
    fn sums_carry_on_where_a_slot_ends_and_stay_at_the_largest_number() {
        let mut flows = Flows::<u32>::new(Seed::random(), LARGE, None);
        let tag = Tag::new(22, 1);
        flows.add(1, 2, tag, u32::MAX, 0, 0);
        flows.add(1, 2, tag, 5, 0, 0);
        flows.settle();
        let count = |flows: &Flows<u32>| flows.iter().next().map(|(_, _, count)| count.packets);
        assert_eq!(Some((1 << 32) + 4), count(&flows));
        flows.add_count(1, tag, &Count::new(u64::MAX, 0, 0, 0));
        assert_eq!(Some(u64::MAX >> 32), count(&flows).map(|packets| packets >> 32));
    }
}
