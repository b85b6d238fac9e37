//! Amounts in a sliding window, as sixty buckets of absolute time.
//!
//! A bucket's number is the time divided by a sixtieth of the window's length, so the windows of
//! several nodes are merged by adding buckets. The running bucket and the 59 before it count: never
//! what is older than the window, maybe not what lies in its oldest sixtieth.

use super::ring::{self, Ring};

/// Buckets of a window.
pub(super) const BUCKETS: u64 = ring::BUCKETS as u64;
/// What a bucket holds at most, so that no sum overflows: only forged lines claim so much.
const BUCKET_MOST: u64 = 1 << 57;
/// Bytes of a window with all its buckets.
pub(super) const BYTES_MOST: usize = size_of::<Window>() + 8 * BUCKETS as usize;

/// The bucket of a time; both in milliseconds.
pub(super) fn bucket(at: u64, within: u64) -> u64 {
    at * BUCKETS / within
}

/// When a bucket begins.
pub(super) fn bucket_start(bucket: u64, within: u64) -> u64 {
    (bucket * within).div_ceil(BUCKETS)
}

/// Amounts of one source in one sliding window.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    /// The newest bucket that something was counted in.
    newest: u64,
    /// The sum over the window that ends with `newest`.
    total: u64,
    /// What `newest` holds.
    current: u64,
    /// What the others hold, by their numbers; there is none while all lies in `newest`.
    ring: Option<Ring>,
}

impl Window {
    /// Counts an amount. What is older than the whole window is left out.
    #[inline]
    pub(super) fn add(&mut self, bucket: u64, amount: u64) {
        if bucket > self.newest {
            self.advance(bucket);
        } else if bucket < self.newest {
            self.add_behind(bucket, amount);
            return;
        }
        let more = amount.min(BUCKET_MOST - self.current);
        self.current += more;
        self.total += more;
    }

    fn advance(&mut self, bucket: u64) {
        if bucket - self.newest >= BUCKETS || self.total == 0 {
            *self = Self { newest: bucket, ..Self::default() };
            return;
        }
        let ring = self.ring.get_or_insert_default();
        ring.set(place(self.newest), self.current);
        for passed in self.newest + 1..=bucket {
            self.total -= ring.get(place(passed));
            ring.set(place(passed), 0);
        }
        self.current = 0;
        self.newest = bucket;
    }

    #[cold]
    fn add_behind(&mut self, bucket: u64, amount: u64) {
        if self.newest - bucket >= BUCKETS {
            return;
        }
        let ring = self.ring.get_or_insert_default();
        let held = ring.get(place(bucket));
        let more = amount.min(BUCKET_MOST - held);
        ring.set(place(bucket), held + more);
        self.total += more;
    }

    /// The sum over the window that ends with its newest bucket.
    #[inline]
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// The sum over the window that ends with a bucket which is not older than the newest.
    pub(super) fn total_at(&self, bucket: u64) -> u64 {
        if bucket == self.newest {
            return self.total;
        }
        self.buckets(bucket).map(|(_, amount)| amount).sum()
    }

    /// Whether nothing of it can count at a bucket any more.
    #[inline]
    pub(super) fn is_over(&self, bucket: u64) -> bool {
        bucket >= self.newest + BUCKETS
    }

    /// What is not empty, oldest first, of the window that ends with a bucket.
    pub(super) fn buckets(&self, bucket: u64) -> impl Iterator<Item = (u64, u64)> {
        let first = (bucket + 1).saturating_sub(BUCKETS);
        let ring = self.ring.as_ref();
        (first.max((self.newest + 1).saturating_sub(BUCKETS))..=self.newest)
            .map(move |number| match ring {
                _ if number == self.newest => (number, self.current),
                Some(ring) => (number, ring.get(place(number))),
                None => (number, 0),
            })
            .filter(|(_, amount)| *amount > 0)
    }

    /// Forgets all buckets up to one.
    pub(super) fn forget_up_to(&mut self, bucket: u64) {
        if bucket >= self.newest {
            *self = Self::default();
            return;
        }
        let Some(ring) = &mut self.ring else { return };
        for passed in (self.newest + 1).saturating_sub(BUCKETS)..=bucket {
            self.total -= ring.get(place(passed));
            ring.set(place(passed), 0);
        }
    }

    /// The newest bucket.
    pub(super) fn newest(&self) -> u64 {
        self.newest
    }
}

fn place(bucket: u64) -> usize {
    (bucket % BUCKETS) as usize
}
