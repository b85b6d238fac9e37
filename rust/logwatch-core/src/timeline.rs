//! Packets over time by policy, in bounded memory: the more there is to tell, the wider the buckets.
//!
//! Buckets are of UTC: minutes, hours and days as people count them. Only those with packets take
//! room, so that a stamp of another decade costs one bucket and nothing else.
//!
//! Invariant: what a timeline holds depends on which packets were added, neither on their order nor
//! on how they were spread over timelines that were merged. The width is the least with which the
//! cells find room: more packets never need a smaller one, and widening makes no cells.

use std::collections::BTreeMap;

/// Buckets times the policies in each: 16,384 of one policy, or 1,000 of 16.
pub const CELLS_MOST: usize = 16_384;

/// Seconds. Each divides the next, so that a bucket is always whole within a wider one.
const BELOW_A_DAY: [u32; 12] = [1, 2, 10, 30, 60, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200];
/// Then days, doubled so often that all seconds of 32 bits make 13 buckets, which have room for
/// every policy that is told apart (1,024, and 64 prefixes).
const DOUBLINGS: u8 = 12;
/// The widest.
pub(crate) const LEVEL_MOST: u8 = BELOW_A_DAY.len() as u8 + DOUBLINGS;

/// Width of a level, in seconds.
#[must_use]
pub fn width(level: u8) -> u32 {
    let index = usize::from(level);
    BELOW_A_DAY.get(index).copied().unwrap_or_else(|| 86_400 << (index - BELOW_A_DAY.len()))
}

/// Packets by bucket and policy.
#[derive(Clone, Debug)]
pub struct Timeline {
    level: u8,
    /// By the bucket's first second and the policy's number.
    cells: BTreeMap<(u32, u16), u64>,
    /// First second of the bucket that packets are counted into; lines come mostly in order.
    start: u32,
    width: u32,
    /// Its packets by policy, not in the cells yet.
    current: Vec<u64>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self::with_level(0)
    }
}

impl Timeline {
    /// One that is at least so wide.
    pub(crate) fn with_level(level: u8) -> Self {
        Self { level, cells: BTreeMap::new(), start: 0, width: width(level), current: Vec::new() }
    }

    /// Counts packets of a second; those of second 0, which is unknown, have no place.
    #[inline]
    pub fn add(&mut self, seconds: u32, policy: u16, packets: u64) {
        if seconds > 0 {
            self.count(seconds, policy, packets);
        }
    }

    /// Counts packets of the bucket in which a second lies.
    #[inline]
    pub(crate) fn count(&mut self, seconds: u32, policy: u16, packets: u64) {
        if seconds.wrapping_sub(self.start) >= self.width {
            self.settle();
            self.start = seconds - seconds % self.width;
        }
        let policy = usize::from(policy);
        if policy >= self.current.len() {
            self.current.resize(policy + 1, 0);
        }
        self.current[policy] = self.current[policy].saturating_add(packets);
    }

    /// Puts what waits into the cells. Every view does this first.
    #[inline(never)]
    pub fn settle(&mut self) {
        for (policy, packets) in (0..).zip(&mut self.current) {
            if *packets > 0 {
                let cell = self.cells.entry((self.start, policy)).or_default();
                *cell = cell.saturating_add(std::mem::take(packets));
            }
        }
        self.fit();
    }

    /// Adds what another one holds, whose policies have these numbers here; that one is settled.
    pub fn merge(&mut self, other: &Self, policies: &[u16]) {
        self.settle();
        if other.level > self.level {
            self.widen(other.level);
        }
        for (&(start, policy), packets) in &other.cells {
            let start = start - start % self.width;
            let cell = self.cells.entry((start, policies[usize::from(policy)])).or_default();
            *cell = cell.saturating_add(*packets);
        }
        self.fit();
    }

    fn fit(&mut self) {
        while self.cells.len() > CELLS_MOST && self.level < LEVEL_MOST {
            self.widen(self.level + 1);
        }
    }

    fn widen(&mut self, level: u8) {
        self.level = level;
        self.width = width(level);
        self.start -= self.start % self.width;
        for ((start, policy), packets) in std::mem::take(&mut self.cells) {
            let cell = self.cells.entry((start - start % self.width, policy)).or_default();
            *cell = cell.saturating_add(packets);
        }
    }

    /// Which of the widths its buckets have.
    pub(crate) fn level(&self) -> u8 {
        self.level
    }

    /// Seconds of a bucket.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// First second of a bucket, number of a policy, packets: sorted. [`Self::settle`] first.
    pub fn cells(&self) -> impl Iterator<Item = (u32, u16, u64)> {
        self.cells.iter().map(|(&(start, policy), &packets)| (start, policy, packets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same from all packets at once.
    fn expected(packets: &[(u32, u16, u64)]) -> (u32, Vec<(u32, u16, u64)>) {
        for level in 0..=LEVEL_MOST {
            let mut cells = BTreeMap::new();
            for &(seconds, policy, count) in packets.iter().filter(|each| each.0 > 0) {
                *cells.entry((seconds / width(level) * width(level), policy)).or_insert(0) += count;
            }
            if cells.len() <= CELLS_MOST {
                let cells = cells.into_iter().map(|((start, policy), sum)| (start, policy, sum));
                return (width(level), cells.collect());
            }
        }
        unreachable!("the widest has room for all")
    }

    fn told(timeline: &Timeline) -> (u32, Vec<(u32, u16, u64)>) {
        (timeline.width(), timeline.cells().collect())
    }

    /// Packets of one second each, a gap after the other, with some far away.
    fn packets() -> impl Strategy<Value = Vec<(u32, u16, u64)>> {
        let far = prop_oneof![Just(0), Just(1), Just(u32::MAX), any::<u32>()];
        let strays = prop::collection::vec((far, 0_u16..3, 1_u64..9), 0..4);
        let dense = (1_u32..2_000, 1_u16..40, 1_usize..40_000, 1_600_000_000_u32..1_900_000_000);
        (dense, strays).prop_map(|((gap, policies, count, first), mut all)| {
            all.extend((0_u32..).take(count).map(|number| {
                let policy = (number.wrapping_mul(2_654_435_761) >> 16) as u16 % policies;
                (first.wrapping_add(number.wrapping_mul(gap)), policy, u64::from(number % 3 + 1))
            }));
            all
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn a_timeline_depends_on_its_packets_alone(all in packets(), step in 1_usize..9, parts in 1_usize..4) {
            let wanted = expected(&all);
            // Out of order: every step-th packet, from each of the first ones on.
            let mixed = (0..step).flat_map(|from| all.iter().skip(from).step_by(step));
            let mut timelines = vec![Timeline::default(); parts];
            for (number, &(seconds, policy, count)) in mixed.enumerate() {
                // The policies of each part but the first are numbered the other way round.
                let part = number % parts;
                let policy = if part == 0 { policy } else { 40 - policy };
                timelines[part].add(seconds, policy, count);
            }
            timelines.iter_mut().for_each(Timeline::settle);
            let numbers: Vec<u16> = (0..=40).rev().collect();
            let (whole, others) = timelines.split_first_mut().expect("one at least");
            for other in others {
                whole.merge(other, &numbers);
            }
            prop_assert_eq!(wanted, told(whole));
        }
    }

    #[test]
    fn each_width_divides_the_next_and_the_widest_has_room_for_every_policy() {
        for level in 0..LEVEL_MOST {
            assert_eq!(0, width(level + 1) % width(level));
        }
        let buckets = (u32::MAX / width(LEVEL_MOST) + 1) as usize;
        assert!(buckets * (1_024 + 64) <= CELLS_MOST);
    }

    #[test]
    fn a_forged_number_of_packets_stays_at_the_largest() {
        let mut timeline = Timeline::default();
        for seconds in [7, 7, 8, 7] {
            timeline.add(seconds, 0, u64::MAX);
        }
        timeline.settle();
        assert_eq!((1, vec![(7, 0, u64::MAX), (8, 0, u64::MAX)]), told(&timeline));
    }
}
