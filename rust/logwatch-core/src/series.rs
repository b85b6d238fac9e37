//! A bounded family of series whose sum is exact.
//!
//! A family has a fixed number of places. What has no place is counted in `other`, so that the
//! series and `other` always add up to the total, and a key counts only from its admission, so that
//! neither a series nor `other` ever shrinks. A flood of keys seen once each fills half of the
//! places at most. While no candidate is forgotten, the same calls in the same order give the same
//! series: ties go to who was admitted first.

use std::hash::BuildHasher;

use indexmap::IndexMap;
use indexmap::map::raw_entry_v1::RawEntryApiV1;

use crate::candidates::Candidates;
use crate::hash::Seed;

/// Packets of a candidate before it may take one of the later places: a forged source is seen once
/// or a few times, a scanner or a broken client soon reaches ten.
const ADMISSION_PACKETS: u8 = 10;

/// A series may lose its place after this long without a packet. Prometheus looks back 5 minutes,
/// so a dashboard has long drawn its end.
const IDLE_SECONDS: f64 = 900.0;

/// Candidates remembered for each place, about those seen last. With 256 places a flood of 4,096 new
/// sources a second leaves a scanner a second for each of its ten packets.
const CANDIDATES_PER_PLACE: usize = 32;

/// Ends each label of a key; UTF-8 never holds it, so that no two lists of labels give one key.
const LABEL_END: u8 = 0xFF;

/// The key of `other` among what is saved: no labels.
pub const OTHER: &[u8] = b"";

/// The labels of a series, joined by [`push_label`].
pub type Key = Vec<u8>;

/// Appends a label to a key.
pub fn push_label(key: &mut Key, label: &str) {
    key.extend_from_slice(label.as_bytes());
    key.push(LABEL_END);
}

/// The labels of a key, as they were appended.
pub fn labels(key: &[u8]) -> impl Iterator<Item = &[u8]> {
    key.split_inclusive(|&byte| byte == LABEL_END).map(|label| &label[..label.len() - 1])
}

/// Packets and their bytes. Forged lines can make more than 64 bits hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Packets, repeats included.
    pub packets: u128,
    /// Sum of the outer LEN.
    pub bytes: u128,
}

impl Sum {
    /// Adds another; at the end of 128 bits it stands still rather than shrinking.
    pub fn add(&mut self, other: Self) {
        self.packets = self.packets.saturating_add(other.packets);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// A series as it is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Saved {
    /// What it counted since its admission.
    pub sum: Sum,
    /// When it last counted, in Unix seconds.
    pub used: f64,
}

struct Place {
    saved: Saved,
    /// Whether it counted since the last settling.
    changed: bool,
}

/// The series of one family, by their keys.
pub struct Series {
    capacity: usize,
    /// In order of admission; never more than `capacity`.
    places: IndexMap<Key, Place, Seed>,
    other: Sum,
    other_changed: bool,
    /// Packets of keys without a place, up to `ADMISSION_PACKETS`, by their hashes.
    candidates: Candidates,
    /// Keys that lost their places since the last settling, and whether they are still shown: such
    /// a key must be seen gone before it may return at a lower count, or the series would shrink in
    /// the eyes of who reads it.
    evicted: IndexMap<Key, bool>,
    /// When the places were last searched for an idle one.
    searched_at: f64,
    /// What that search found: until then no place can be idle, if the clock is not set back.
    nobody_idle_before: f64,
}

impl Series {
    /// Takes up what was saved; of more than `capacity` series the idlest go to `other`.
    #[must_use]
    pub fn new(capacity: usize, saved: impl IntoIterator<Item = (Key, Saved)>) -> Self {
        let mut series = Self {
            capacity,
            places: IndexMap::with_hasher(Seed::random()),
            other: Sum::default(),
            other_changed: false,
            candidates: Candidates::new(capacity.saturating_mul(CANDIDATES_PER_PLACE)),
            evicted: IndexMap::new(),
            searched_at: 0.0,
            nobody_idle_before: 0.0,
        };
        for (key, saved) in saved {
            if key == OTHER {
                series.other = saved.sum;
            } else {
                series.places.insert(key, Place { saved, changed: false });
            }
        }
        while series.places.len() > capacity {
            series.evict_idlest(false);
        }
        series
    }

    /// Counts packets; what admits a key is the first that its series counts.
    pub fn add(&mut self, key: &[u8], sum: Sum, now: f64) {
        let hash = self.places.hasher().hash_one(key);
        let index = self.places.raw_entry_v1().index_from_hash(hash, |known| known == key);
        if let Some(index) = index {
            let place = &mut self.places[index];
            place.saved.sum.add(sum);
            place.saved.used = now;
            place.changed = true;
        } else if self.admits(key, hash, sum.packets, now) {
            self.evicted.shift_remove(key);
            let place = Place { saved: Saved { sum, used: now }, changed: true };
            self.places.insert(key.to_vec(), place);
        } else {
            self.add_other(sum);
        }
    }

    /// Counts what has no labels of its own.
    pub fn add_other(&mut self, sum: Sum) {
        self.other.add(sum);
        self.other_changed = true;
    }

    /// What was counted for all keys that had no place at the time.
    #[must_use]
    pub fn other(&self) -> Sum {
        self.other
    }

    /// Whether there is something to store.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.other_changed || self.places.values().any(|place| place.changed)
    }

    /// What to store, `other` under [`OTHER`]; `None` where a series lost its place.
    pub fn changes(&self) -> impl Iterator<Item = (&[u8], Option<Saved>)> {
        let other = Saved { sum: self.other, used: 0.0 };
        let places = self.places.iter().filter(|(_, place)| place.changed);
        self.other_changed
            .then_some((OTHER, Some(other)))
            .into_iter()
            .chain(places.map(|(key, place)| (key.as_slice(), Some(place.saved))))
            .chain(self.evicted.keys().map(|key| (key.as_slice(), None)))
    }

    /// Takes note that all changes are durable, and shown.
    pub fn settle(&mut self) {
        self.places.values_mut().for_each(|place| place.changed = false);
        self.other_changed = false;
        self.evicted.clear();
    }

    /// Has everything stored again, as into a new file.
    pub fn touch_all(&mut self) {
        self.places.values_mut().for_each(|place| place.changed = true);
        self.other_changed = true;
    }

    /// Whether a key without a place gets one; else it is a candidate.
    fn admits(&mut self, key: &[u8], hash: u64, packets: u128, now: f64) -> bool {
        if self.capacity == 0 {
            return false;
        }
        if self.places.len() < self.capacity.div_ceil(2) {
            return true;
        }
        let seen = self.candidates.see(hash, packets.min(ADMISSION_PACKETS.into()) as u8);
        if seen >= ADMISSION_PACKETS && self.has_room(key, now) {
            self.candidates.remove(hash);
            return true;
        }
        false
    }

    /// Whether there is a place for a key: a free one, or that of the series idle for longest.
    fn has_room(&mut self, key: &[u8], now: f64) -> bool {
        if self.evicted.get(key) == Some(&true) {
            return false;
        }
        if self.places.len() < self.capacity {
            return true;
        }
        if self.searched_at <= now && now < self.nobody_idle_before {
            return false;
        }
        self.searched_at = now;
        let mut idle_since = now;
        for place in self.places.values_mut() {
            // Where the clock was set back it is idle from now on.
            place.saved.used = place.saved.used.min(now);
            idle_since = idle_since.min(place.saved.used);
        }
        self.nobody_idle_before = idle_since + IDLE_SECONDS;
        if now < self.nobody_idle_before {
            return false;
        }
        self.evict_idlest(true);
        true
    }

    /// Moves the series idle for longest to `other`.
    fn evict_idlest(&mut self, is_shown: bool) {
        let by_use = |(_, left): &(usize, &Place), (_, right): &(usize, &Place)| {
            left.saved.used.total_cmp(&right.saved.used)
        };
        let Some((index, _)) = self.places.values().enumerate().min_by(by_use) else { return };
        if let Some((key, place)) = self.places.shift_remove_index(index) {
            self.add_other(place.saved.sum);
            self.evicted.insert(key, is_shown);
        }
    }
}
