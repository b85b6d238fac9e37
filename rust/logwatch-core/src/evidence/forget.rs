//! Forgets what sources did: after a time that has not come yet, or up to one that was dealt with,
//! for whoever merges the same evidence again and again.
//!
//! What is counted by parts of a window goes with the whole part in which the time lies: up to a
//! sixtieth of a window of packets, a quarter of a tally, a twelfth of a sketch, all of it later than
//! the time, is missed. Exact values go by their own times. Nothing that was forgotten counts.

use super::engine::{AT_MOST, Evidence};
use super::table::Table;
use super::tally::quarter;
use super::trail::Source;
use super::window::bucket;

impl Evidence {
    /// Forgets what a source did at or before a time; it keeps its place, and stays quiet if it is.
    /// False if it has no trail.
    ///
    /// Kinds of packets and kept lines have no times: they go when nothing came later.
    pub fn forget_before(&mut self, source: Source, time: u64) -> bool {
        let place = self.table.place(source);
        place.map(|place| self.table.forget_before(place, time.min(AT_MOST))).is_some()
    }

    /// Whether a source is not to be told of at a time, or would not be if it had a trail.
    #[must_use]
    pub fn is_quiet(&self, source: Source, at: u64) -> bool {
        match self.table.place(source) {
            Some(place) => self.table.trail(place).is_quiet(at),
            None => self.silences.get(&source).is_some_and(|silence| at < silence.until),
        }
    }

    /// Drops the trails that lead beyond a time: the clock that made them was wrong.
    pub fn forget_after(&mut self, time: u64) {
        let wrong: Vec<_> =
            self.table.places().filter(|place| self.table.trail(*place).last > time).collect();
        for place in wrong {
            self.table.remove(place);
        }
        self.silences.clear();
        self.newest = self.newest.min(time);
    }

    /// Drops all trails, so that the evidence of all nodes can be merged anew. Who is quiet then, or
    /// rests, will be so again when evidence of it is merged.
    pub fn forget_all(&mut self) {
        let table = &self.table;
        let trails = table.places().map(|place| table.trail(place));
        let still = trails.filter_map(|trail| Some((trail.source(), trail.quiet_until()?)));
        self.silences.extend(still);
        let newest = self.newest;
        self.silences.retain(|_, silence| silence.until > newest);
        if self.silences.len() > table.capacity() {
            let mut ends: Vec<_> = self.silences.values().map(|silence| silence.until).collect();
            let spare = ends.len() - table.capacity();
            let (_, &mut end, _) = ends.select_nth_unstable(spare - 1);
            self.silences.retain(|_, silence| silence.until > end);
        }
        self.table.clear();
        self.newest = 0;
    }
}

impl Table {
    fn forget_before(&mut self, place: usize, time: u64) {
        if self.trail(place).last <= time {
            let silence = self.trail(place).quiet_until();
            self.restart(place);
            if let Some(silence) = silence {
                self.trail_mut(place).silence(silence);
            }
            return;
        }
        for gauge in 0..self.plan.windows.len() {
            let (plan, window) = self.window_mut(place, gauge);
            window.forget_up_to(bucket(time, plan.windows[gauge].within));
        }
        for gauge in 0..self.plan.tallies.len() {
            let quarter = quarter(time, self.plan.tallies[gauge].within);
            self.tally_mut(place, gauge).forget_up_to(quarter);
        }
        for gauge in 0..self.plan.distincts.len() {
            let (plan, distinct) = self.distinct_mut(place, gauge);
            distinct.forget_up_to(time, plan.distincts[gauge].bounds());
        }
        self.trail_mut(place).forget_up_to(time);
    }
}
