//! The trails and gauges of at most so many sources.
//!
//! When the table is full, a source that was never seen before is only remembered in a filter; it
//! gets a place when it is seen again, and the dullest of eight others gives up its own. So a flood
//! of sources seen once each passes by without pushing anything out.

use super::distinct::Distinct;
use super::filter::Filter;
use super::index::Index;
use super::plan::{Gauge, Measure, Plan};
use super::reach::Reach;
use super::samples::Samples;
use super::tally::{Tally, quarter};
use super::trail::{Source, Trail};
use super::window::{Window, bucket};
use crate::hash::Seed;
use crate::lanes;

/// Places looked at to free one, going round: a near offender goes only if all eight are as near.
const CANDIDATES: usize = 8;

/// The time of a batch, in all units.
#[derive(Clone, Debug, Default)]
pub(super) struct Moment {
    /// In milliseconds.
    pub at: u64,
    /// The bucket of each window.
    pub buckets: Vec<u64>,
    /// The quarter of each tally.
    pub quarters: Vec<u64>,
}

impl Moment {
    pub(super) fn new(plan: &Plan, at: u64) -> Self {
        Self {
            at,
            buckets: plan.windows.iter().map(|gauge| bucket(at, gauge.within)).collect(),
            quarters: plan.tallies.iter().map(|gauge| quarter(at, gauge.within)).collect(),
        }
    }
}

/// Trails and gauges by place.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub plan: Plan,
    seed: Seed,
    capacity: usize,
    index: Index,
    filter: Filter,
    trails: Vec<Option<Trail>>,
    /// Those of a place follow each other.
    windows: Vec<Window>,
    tallies: Vec<Tally>,
    distincts: Vec<Distinct>,
    /// Places that are free again.
    free: Vec<usize>,
    /// The place that is looked at next to free one.
    hand: usize,
    /// Lines of sources that came near.
    pub samples: Samples,
    pub evictions: u64,
    pub refused: u64,
    /// Number of the batch that is read.
    pub batch: u32,
}

impl Table {
    pub(super) fn new(plan: Plan, seed: Seed, capacity: usize) -> Self {
        Self {
            plan,
            seed,
            capacity: capacity.clamp(1, u32::MAX as usize - 1),
            index: Index::new(),
            filter: Filter::default(),
            trails: Vec::new(),
            windows: Vec::new(),
            tallies: Vec::new(),
            distincts: Vec::new(),
            free: Vec::new(),
            hand: 0,
            samples: Samples::default(),
            evictions: 0,
            refused: 0,
            batch: 0,
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn len(&self) -> usize {
        self.trails.len() - self.free.len()
    }

    #[inline]
    pub(super) fn hash(&self, source: Source) -> u64 {
        self.seed.hash(source.bits() ^ u64::from(source.is_v6()) << 63)
    }

    /// Asks for what [`Self::find`] will look at first.
    #[inline]
    pub(super) fn prefetch(&self, hash: u64) {
        lanes::prefetch(self.index.home(hash));
    }

    /// Where a source probably is, by its hash; asks for what is kept of it there, or for what says
    /// whether it is known.
    #[inline]
    pub(super) fn prefetch_place(&self, hash: u64) -> Option<usize> {
        let Some(place) = self.index.find(hash, |_| true) else {
            self.filter.prefetch(hash);
            return None;
        };
        self.prefetch_gauges(place);
        Some(place)
    }

    #[inline]
    fn prefetch_gauges(&self, place: usize) {
        lanes::prefetch(&self.trails[place]);
        lanes::prefetch_all(of_place(&self.windows, place, self.plan.windows.len()));
        lanes::prefetch_all(of_place(&self.tallies, place, self.plan.tallies.len()));
        lanes::prefetch_all(of_place(&self.distincts, place, self.plan.distincts.len()));
    }

    /// Asks for what the sets at a place, which was asked for, will write to.
    #[inline]
    pub(super) fn prefetch_values(&self, place: usize, port: u64, destination: u64) {
        let distincts = of_place(&self.distincts, place, self.plan.distincts.len());
        for (distinct, gauge) in distincts.iter().zip(&self.plan.distincts) {
            match gauge.measure {
                Measure::Ports => distinct.prefetch(port),
                Measure::Destinations => distinct.prefetch(destination),
                _ => {}
            }
        }
    }

    #[inline]
    pub(super) fn find(&self, source: Source, hash: u64) -> Option<usize> {
        self.index.find(hash, |place| self.is_of(place, source))
    }

    /// Whether a place is that of a source.
    #[inline]
    pub(super) fn is_of(&self, place: usize, source: Source) -> bool {
        self.trails[place].as_ref().is_some_and(|trail| trail.source() == source)
    }

    pub(super) fn place(&self, source: Source) -> Option<usize> {
        self.find(source, self.hash(source))
    }

    /// The places that are taken.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        (0..self.trails.len()).filter(|place| self.trails[*place].is_some())
    }

    pub(super) fn trail(&self, place: usize) -> &Trail {
        self.trails[place].as_ref().expect("the place is taken")
    }

    #[inline]
    pub(super) fn trail_mut(&mut self, place: usize) -> &mut Trail {
        self.trails[place].as_mut().expect("the place is taken")
    }

    #[inline]
    pub(super) fn window(&self, place: usize, gauge: usize) -> &Window {
        &self.windows[place * self.plan.windows.len() + gauge]
    }

    #[inline]
    pub(super) fn tally(&self, place: usize, gauge: usize) -> &Tally {
        &self.tallies[place * self.plan.tallies.len() + gauge]
    }

    #[inline]
    pub(super) fn distinct(&self, place: usize, gauge: usize) -> &Distinct {
        &self.distincts[place * self.plan.distincts.len() + gauge]
    }

    /// The plan and a window, to be counted in.
    #[inline]
    pub(super) fn window_mut(&mut self, place: usize, gauge: usize) -> (&Plan, &mut Window) {
        (&self.plan, &mut self.windows[place * self.plan.windows.len() + gauge])
    }

    #[inline]
    pub(super) fn tally_mut(&mut self, place: usize, gauge: usize) -> &mut Tally {
        &mut self.tallies[place * self.plan.tallies.len() + gauge]
    }

    /// Sees a value of a source; how near that may bring it to a rule.
    #[inline]
    pub(super) fn see_value(&mut self, place: usize, gauge: usize, value: u64, at: u64) -> Reach {
        let (plan, distinct) = self.distinct_mut(place, gauge);
        let gauge = &plan.distincts[gauge];
        distinct.see(value, at, gauge.bounds());
        Reach::of(distinct.count_most(), gauge.marks)
    }

    /// The plan and a set, to be put into.
    #[inline]
    pub(super) fn distinct_mut(&mut self, place: usize, gauge: usize) -> (&Plan, &mut Distinct) {
        (&self.plan, &mut self.distincts[place * self.plan.distincts.len() + gauge])
    }

    /// Gives a source that is not there a place, if it is known or there is room.
    #[inline(never)]
    pub(super) fn admit(
        &mut self,
        source: Source,
        hash: u64,
        now: &Moment,
        known: bool,
    ) -> Option<usize> {
        if self.len() >= self.capacity {
            if !known && !self.filter.seen(hash) {
                self.refused += 1;
                return None;
            }
            let Some(dullest) = self.dullest(now) else {
                self.refused += 1;
                return None;
            };
            self.remove(dullest);
            self.evictions += 1;
            // Where it is full, the next one will be looked for soon.
            for ahead in 0..CANDIDATES.min(self.trails.len()) {
                self.prefetch_gauges((self.hand + ahead) % self.trails.len());
            }
        }
        let trail = Some(Trail::new(source, now.at));
        let place = if let Some(place) = self.free.pop() {
            self.trails[place] = trail;
            place
        } else {
            self.trails.push(trail);
            let places = self.trails.len();
            self.windows.resize(places * self.plan.windows.len(), Window::default());
            self.tallies.resize(places * self.plan.tallies.len(), Tally::default());
            self.distincts.resize(places * self.plan.distincts.len(), Distinct::default());
            self.trails.len() - 1
        };
        self.index.insert(hash, place);
        Some(place)
    }

    /// The place of the dullest of the next eight; none of those that are to be judged.
    fn dullest(&mut self, now: &Moment) -> Option<usize> {
        let mut found: Option<(f32, u64, usize)> = None;
        for _ in 0..CANDIDATES.min(self.trails.len()) {
            let place = self.hand;
            self.hand = (self.hand + 1) % self.trails.len();
            let Some(trail) = &self.trails[place] else { continue };
            if trail.batch == self.batch {
                continue;
            }
            let candidate = (self.roughly_near(place, now), trail.last, place);
            if found.is_none_or(|found| candidate < found) {
                found = Some(candidate);
            }
        }
        found.map(|(.., place)| place)
    }

    /// How near a source is to some rule, 1 at the most, without looking at single buckets.
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn roughly_near(&self, place: usize, now: &Moment) -> f32 {
        // What is decided of it would have to be decided anew.
        if self.trail(place).is_quiet(now.at) {
            return 1.0;
        }
        let windows = of_place(&self.windows, place, self.plan.windows.len());
        let distincts = of_place(&self.distincts, place, self.plan.distincts.len());
        let mut nearest = 0.0_f32;
        for rule in &self.plan.rules {
            let reached = match rule.gauge {
                Gauge::Window(gauge) => {
                    let window = &windows[gauge];
                    if window.is_over(now.buckets[gauge]) { 0 } else { window.total() }
                }
                Gauge::Distinct(gauge, _) => {
                    let distinct = &distincts[gauge];
                    let is_over = distinct.newest() + rule.within <= now.at;
                    if is_over { 0 } else { distinct.count_most() }
                }
            };
            nearest = nearest.max(reached as f32 * rule.share);
        }
        nearest.min(1.0)
    }

    /// Keeps a line of a source.
    pub(super) fn keep_sample(&mut self, source: Source, line: &[u8], now: &Moment) {
        let mut samples = std::mem::take(&mut self.samples);
        let near = |source| self.place(source).map_or(0.0, |place| self.roughly_near(place, now));
        samples.keep(source, line, now.at, near);
        self.samples = samples;
    }

    /// Makes room for new lines of a source where those it has are from before a time.
    pub(super) fn forget_samples_before(&mut self, source: Source, time: u64) {
        let left = self.samples.forget_before(source, time);
        if let Some(place) = self.place(source) {
            self.trail_mut(place).samples = left as u8;
        }
    }

    /// Begins a batch: who is to be judged in it will not lose its place.
    pub(super) fn begin_batch(&mut self) {
        self.batch = self.batch.wrapping_add(1).max(1);
    }

    /// Frees all places.
    pub(super) fn clear(&mut self) {
        self.index = Index::new();
        self.trails.clear();
        self.windows.clear();
        self.tallies.clear();
        self.distincts.clear();
        self.free.clear();
        self.hand = 0;
        self.samples = Samples::default();
    }

    /// Frees a place.
    pub(super) fn remove(&mut self, place: usize) {
        self.restart(place);
        let source = self.trail(place).source();
        self.index.remove(self.hash(source), place);
        self.trails[place] = None;
        self.free.push(place);
    }

    /// Forgets what a source did so far; it keeps its place.
    pub(super) fn restart(&mut self, place: usize) {
        let of_place = |gauges: usize| place * gauges..(place + 1) * gauges;
        self.windows[of_place(self.plan.windows.len())].fill(Window::default());
        self.tallies[of_place(self.plan.tallies.len())].fill(Tally::default());
        self.distincts[of_place(self.plan.distincts.len())].fill(Distinct::default());
        if self.trail(place).samples > 0 {
            self.samples.forget(self.trail(place).source());
        }
        let trail = self.trail_mut(place);
        let batch = trail.batch;
        *trail = Trail::new(trail.source(), trail.last);
        trail.batch = batch;
    }
}

fn of_place<T>(all: &[T], place: usize, gauges: usize) -> &[T] {
    &all[place * gauges..][..gauges]
}
