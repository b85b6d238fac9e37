//! About how many packets a sliding window held, in 24 bytes: four buckets of absolute time.
//!
//! For the number of packets that stands beside distinct values in the evidence; nobody is judged by
//! it. The running quarter of the window and the three before it count: never what is older than the
//! window, maybe not what lies in its oldest quarter. A quarter holds up to 2^32 - 1.

/// Buckets of a tally.
pub(super) const QUARTERS: u64 = 4;

/// The quarter of a time; both in milliseconds.
pub(super) fn quarter(at: u64, within: u64) -> u64 {
    at * QUARTERS / within
}

/// When a quarter begins.
pub(super) fn quarter_start(quarter: u64, within: u64) -> u64 {
    (quarter * within).div_ceil(QUARTERS)
}

/// Packets by quarter.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// The newest quarter that something was counted in.
    newest: u64,
    counts: [u32; QUARTERS as usize],
}

impl Tally {
    /// Counts packets. What is older than the whole window is left out.
    #[inline]
    pub(super) fn add(&mut self, quarter: u64, packets: u64) {
        if quarter != self.newest && !self.turn(quarter) {
            return;
        }
        let count = &mut self.counts[place(quarter)];
        *count = count.saturating_add(u32::try_from(packets).unwrap_or(u32::MAX));
    }

    /// Makes room for another quarter than the newest; false if it is too old.
    fn turn(&mut self, quarter: u64) -> bool {
        if quarter < self.newest {
            return self.newest - quarter < QUARTERS;
        }
        for passed in (self.newest + 1).max((quarter + 1).saturating_sub(QUARTERS))..=quarter {
            self.counts[place(passed)] = 0;
        }
        self.newest = quarter;
        true
    }

    /// What is not empty, oldest first, of the window that ends with a quarter.
    pub(super) fn quarters(&self, quarter: u64) -> impl Iterator<Item = (u64, u64)> {
        let first = |newest: u64| (newest + 1).saturating_sub(QUARTERS);
        (first(quarter).max(first(self.newest))..=self.newest)
            .map(|number| (number, self.counts[place(number)].into()))
            .filter(|(_, count)| *count > 0)
    }

    /// Forgets all quarters up to one.
    pub(super) fn forget_up_to(&mut self, quarter: u64) {
        for passed in (self.newest + 1).saturating_sub(QUARTERS)..=quarter.min(self.newest) {
            self.counts[place(passed)] = 0;
        }
    }

    /// The newest quarter.
    pub(super) fn newest(&self) -> u64 {
        self.newest
    }
}

fn place(quarter: u64) -> usize {
    (quarter % QUARTERS) as usize
}
