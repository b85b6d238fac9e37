//! The sources that came nearest to a rule without fulfilling it, however long ago that was.
//!
//! Sources are compared by the share of a threshold that they reached. Up to twice as many as asked
//! for are held; then the farther half is dropped, and who comes no nearer than that one did is
//! passed over from then on.

use std::collections::HashMap;

use super::engine::Evidence;
use super::judge::Near;
use super::trail::Source;

/// How near a source came to a rule, and when it first was that near, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// Who.
    pub source: Source,
    /// The rule that it came nearest to.
    pub near: Near,
    /// When.
    pub at: u64,
}

impl Evidence {
    /// Takes note of who came near by evidence that was merged, as of a time or as of its last packet;
    /// [`Self::observe`] does so by itself. Of those that are not to be told of nothing is noted.
    pub fn note_near_misses(&mut self, at: u64) {
        if self.near_misses.is_off() {
            return;
        }
        let table = &self.table;
        for (place, near) in table.by_interest(at) {
            let (trail, at) = (table.trail(place), table.moment(place, at));
            let source = trail.source();
            match near {
                Some(near) if near.reached >= near.threshold => self.near_misses.forget(source),
                Some(near) if near.reached > 0 && !trail.is_quiet(at) => {
                    self.near_misses.see(NearMiss { source, near, at });
                }
                _ => {}
            }
        }
        self.notice();
    }
}

/// At most so many near misses; none by default.
#[derive(Clone, Debug, Default)]
pub(super) struct NearMisses {
    most: usize,
    held: HashMap<Source, NearMiss>,
    /// The nearest of those that were dropped.
    bar: Option<Near>,
}

impl NearMisses {
    pub(super) fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    pub(super) fn is_off(&self) -> bool {
        self.most == 0
    }

    /// The number from which on a source is of interest, where `lowest` is the lowest threshold.
    pub(super) fn notice(&self, lowest: u64) -> u64 {
        if self.is_off() || lowest == u64::MAX {
            return lowest;
        }
        let Some(bar) = self.bar else { return 1 };
        let share = u128::from(lowest) * u128::from(bar.reached) / u128::from(bar.threshold);
        u64::try_from(share).unwrap_or(lowest)
    }

    /// Takes note of a source; whether the bar was raised by it.
    pub(super) fn see(&mut self, miss: NearMiss) -> bool {
        if self.is_off() || self.bar.is_some_and(|bar| miss.near.compare(&bar).is_le()) {
            return false;
        }
        let held = self.held.entry(miss.source).or_insert(miss);
        if miss.near.compare(&held.near).is_gt() {
            *held = miss;
        }
        let is_full = self.held.len() >= 2 * self.most;
        if is_full {
            let mut all = self.all();
            self.bar = all.get(self.most).map(|miss| miss.near);
            all.truncate(self.most);
            self.held = all.into_iter().map(|miss| (miss.source, miss)).collect();
        }
        is_full
    }

    /// A source has fulfilled a rule.
    pub(super) fn forget(&mut self, source: Source) {
        if !self.is_off() {
            self.held.remove(&source);
        }
    }

    /// The nearest first, then the earliest.
    pub(super) fn nearest(&self) -> Vec<NearMiss> {
        let mut all = self.all();
        all.truncate(self.most);
        all
    }

    fn all(&self) -> Vec<NearMiss> {
        let mut all: Vec<NearMiss> = self.held.values().copied().collect();
        all.sort_unstable_by(|one, other| {
            let nearer = other.near.compare(&one.near);
            nearer.then(one.at.cmp(&other.at)).then(one.source.cmp(&other.source))
        });
        all
    }
}
