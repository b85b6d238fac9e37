//! The distinct values of one source in sliding windows: ports, destinations or nodes.
//!
//! One set serves all windows of values that are counted alike. It is exact, as each value with the
//! time when it was last seen, up to a bound. When there are more within the longest window, a sketch
//! counts for that, and a set of its own for the shorter ones, until nothing was seen for the whole
//! of the longest.

use super::latest::Latest;
use super::sketch::{Sketch, part};
use super::slots::{self, FREE, Narrow, Slots, Wide};

/// Values that are listed as evidence where there is a sketch.
pub(super) const LISTED_MOST: usize = 20;

/// Which windows a set serves, and how exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds<'a> {
    /// Lengths of the windows in milliseconds, the longest last; there is one at least.
    pub windows: &'a [u64],
    /// Values kept exactly.
    pub exact: usize,
}

impl<'a> Bounds<'a> {
    #[inline]
    pub(super) fn longest(self) -> u64 {
        self.windows[self.windows.len() - 1]
    }

    /// The same for the shorter windows, if there are any.
    pub(super) fn shorter(self) -> Option<Bounds<'a>> {
        let windows = &self.windows[..self.windows.len() - 1];
        (!windows.is_empty()).then_some(Bounds { windows, ..self })
    }
}

/// Bytes of the largest set.
pub(super) fn bytes_most(bounds: Bounds<'_>) -> usize {
    let sketches = bounds.windows.len() * size_of::<Sketched>();
    size_of::<Distinct>() + slots::bytes_most(bounds.exact) + sketches
}

/// The distinct values of one source.
#[derive(Clone, Debug, Default)]
pub(super) struct Distinct {
    /// The entries' times count from here.
    base: u64,
    /// When something was last seen, after `base`.
    newest: u32,
    /// How many entries there are.
    count: u32,
    state: State,
}

#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Empty,
    /// One value, seen at `newest`.
    One(u64),
    Narrow(Slots<Narrow>),
    Wide(Slots<Wide>),
    Sketched(Box<Sketched>),
}

/// What is left of a set that has too many values.
#[derive(Clone, Debug)]
struct Sketched {
    /// Of the longest window.
    sketch: Sketch,
    /// For the shorter ones.
    shorter: Distinct,
    latest: Latest<u64, LISTED_MOST>,
}

impl Distinct {
    /// Sees a value at a time.
    #[inline]
    pub(super) fn see(&mut self, value: u64, at: u64, bounds: Bounds<'_>) {
        let offset = at.wrapping_sub(self.base);
        if offset < u64::from(FREE) {
            let offset = offset as u32;
            match &mut self.state {
                State::One(one) if *one == value => {
                    self.newest = self.newest.max(offset);
                    return;
                }
                State::Narrow(slots)
                    if u32::try_from(value).is_ok()
                        && u64::from(offset.abs_diff(self.newest)) < bounds.longest() =>
                {
                    self.newest = self.newest.max(offset);
                    self.count += u32::from(slots.see(value, offset));
                    if slots.is_crowded(self.count) {
                        self.make_room(bounds);
                    }
                    return;
                }
                _ => {}
            }
        }
        self.see_another(value, at, bounds);
    }

    /// Asks for what [`Self::see`] will look at.
    #[inline]
    pub(super) fn prefetch(&self, value: u64) {
        if let State::Narrow(slots) = &self.state {
            slots.prefetch(value);
        }
    }

    #[inline(never)]
    fn see_another(&mut self, value: u64, at: u64, bounds: Bounds<'_>) {
        let longest = bounds.longest();
        let newest = self.newest();
        if matches!(self.state, State::Empty) || at >= newest + longest {
            let base = at.saturating_sub(longest);
            *self = Self { base, newest: (at - base) as u32, count: 1, state: State::One(value) };
            return;
        }
        if at + longest <= newest {
            return;
        }
        if at < self.base || at - self.base >= u64::from(FREE) {
            self.rebase(newest.max(at).saturating_sub(2 * longest), longest);
        }
        let offset = (at - self.base) as u32;
        let before = self.newest;
        self.newest = before.max(offset);
        match &mut self.state {
            State::Empty => unreachable!("it was looked for above"),
            State::One(one) if *one == value => return,
            State::One(one) => {
                let both = [(*one, before), (value, offset)];
                self.keep(&both);
            }
            State::Narrow(slots) if u32::try_from(value).is_ok() => {
                self.count += u32::from(slots.see(value, offset));
            }
            State::Narrow(slots) => {
                let all: Vec<_> = slots.iter().chain([(value, offset)]).collect();
                self.keep(&all);
            }
            State::Wide(slots) => self.count += u32::from(slots.see(value, offset)),
            State::Sketched(sketched) => sketched.see(value, at, bounds),
        }
        let is_crowded = match &self.state {
            State::Narrow(slots) => slots.is_crowded(self.count),
            State::Wide(slots) => slots.is_crowded(self.count),
            _ => false,
        };
        if is_crowded {
            self.make_room(bounds);
        }
    }

    /// Counts times from somewhere else on, from which all that is within the window can be told.
    #[cold]
    fn rebase(&mut self, base: u64, longest: u64) {
        let newest = self.newest();
        let live: Vec<_> =
            self.entries(newest, longest).map(|(value, at)| (value, (at - base) as u32)).collect();
        self.base = base;
        self.newest = (newest - base) as u32;
        if matches!(self.state, State::Narrow(_) | State::Wide(_)) {
            self.keep(&live);
        }
    }

    /// Forgets what was seen last up to a time; a sketch forgets the whole part that the time lies in.
    pub(super) fn forget_up_to(&mut self, time: u64, bounds: Bounds<'_>) {
        let newest = self.newest();
        if newest <= time {
            *self = Self::default();
        } else if let State::Sketched(sketched) = &mut self.state {
            sketched.sketch.forget_up_to(part(time, bounds.longest()));
            sketched.latest.retain(|seen| seen > time);
            if let Some(shorter) = bounds.shorter() {
                sketched.shorter.forget_up_to(time, shorter);
            }
        } else if matches!(self.state, State::Narrow(_) | State::Wide(_)) {
            let later: Vec<_> = self
                .entries(newest, bounds.longest())
                .filter(|(_, at)| *at > time)
                .map(|(value, at)| (value, (at - self.base) as u32))
                .collect();
            self.keep(&later);
        }
    }

    /// Takes these entries instead of what there is.
    fn keep(&mut self, entries: &[(u64, u32)]) {
        self.count = entries.len() as u32;
        let is_narrow = entries.iter().all(|(value, _)| u32::try_from(*value).is_ok());
        self.state = if is_narrow {
            State::Narrow(Slots::of(entries))
        } else {
            State::Wide(Slots::of(entries))
        };
    }

    /// Drops what is older than the longest window, then takes a larger table or a sketch if need be.
    #[inline(never)]
    fn make_room(&mut self, bounds: Bounds<'_>) {
        let from = (u64::from(self.newest) + 1).saturating_sub(bounds.longest()) as u32;
        let (state, count) = match &self.state {
            State::Narrow(slots) => slots.anew(from, State::Narrow),
            State::Wide(slots) => slots.anew(from, State::Wide),
            State::Empty | State::One(_) | State::Sketched(_) => return,
        };
        (self.state, self.count) = (state, count);
        if count as usize > bounds.exact {
            self.take_sketch(bounds);
        }
    }

    /// Counts by a sketch from now on; what is there already goes into it.
    fn take_sketch(&mut self, bounds: Bounds<'_>) -> &mut Sketched {
        if !matches!(self.state, State::Sketched(_)) {
            let mut sketched = Box::new(Sketched {
                sketch: Sketch::new(),
                shorter: Self::default(),
                latest: Latest::default(),
            });
            for (value, at) in self.entries(self.newest(), bounds.longest()) {
                sketched.see(value, at, bounds);
            }
            self.state = State::Sketched(sketched);
        }
        match &mut self.state {
            State::Sketched(sketched) => sketched,
            _ => unreachable!("it was made above"),
        }
    }

    /// How many values the window at an index held that ends at a time, which is not before the
    /// newest one.
    pub(super) fn count(&self, at: u64, bounds: Bounds<'_>, window: usize) -> u64 {
        let within = bounds.windows[window];
        let State::Sketched(sketched) = &self.state else {
            return self.entries(at, within).count() as u64;
        };
        match bounds.shorter() {
            Some(shorter) if window < shorter.windows.len() => {
                sketched.shorter.count(at, shorter, window)
            }
            _ if at < self.newest() + within => sketched.sketch.estimate(at, within),
            _ => 0,
        }
    }

    /// At most so many: what each count can be without looking at times.
    #[inline]
    pub(super) fn count_most(&self) -> u64 {
        match &self.state {
            State::Empty => 0,
            State::One(_) => 1,
            State::Narrow(_) | State::Wide(_) => self.count.into(),
            State::Sketched(_) => u64::MAX,
        }
    }

    /// What is kept exactly of a window that ends at a time; nothing where there is a sketch.
    pub(super) fn entries(&self, at: u64, within: u64) -> impl Iterator<Item = (u64, u64)> {
        let (one, narrow, wide) = match &self.state {
            State::One(value) => (Some((*value, self.newest)), None, None),
            State::Narrow(slots) => (None, Some(slots), None),
            State::Wide(slots) => (None, None, Some(slots)),
            State::Empty | State::Sketched(_) => (None, None, None),
        };
        let narrow = narrow.into_iter().flat_map(Slots::iter);
        let wide = wide.into_iter().flat_map(Slots::iter);
        // Times before the base are those of nobody: it lies a whole window before the newest.
        let base = self.base;
        one.into_iter()
            .chain(narrow)
            .chain(wide)
            .map(move |(value, offset)| (value, base + u64::from(offset)))
            .filter(move |(_, seen)| seen + within > at)
    }

    /// Values that can be listed, and when each was last seen: all, or the latest where there is a
    /// sketch.
    pub(super) fn listed(&self, at: u64, within: u64) -> impl Iterator<Item = (u64, u64)> {
        let latest = match &self.state {
            State::Sketched(sketched) => Some(&sketched.latest),
            _ => None,
        };
        let latest = latest.into_iter().flat_map(Latest::iter);
        self.entries(at, within).chain(latest.filter(move |(_, seen)| seen + within > at))
    }

    /// The sketch of the longest window and the set of the shorter ones, where there is one.
    pub(super) fn sketched(&self) -> Option<(&Sketch, &Self)> {
        match &self.state {
            State::Sketched(sketched) => Some((&sketched.sketch, &sketched.shorter)),
            _ => None,
        }
    }

    /// When something was last seen.
    #[inline]
    pub(super) fn newest(&self) -> u64 {
        self.base + u64::from(self.newest)
    }

    /// Adds what a sketch of the window at an index has seen, the last of it at `newest`.
    pub(super) fn merge_sketch(
        &mut self,
        theirs: &Sketch,
        newest: u64,
        bounds: Bounds<'_>,
        window: usize,
    ) {
        let longest = bounds.longest();
        if matches!(self.state, State::Empty) || newest >= self.newest() + longest {
            *self = Self { base: newest.saturating_sub(longest), ..Self::default() };
            self.newest = (newest - self.base) as u32;
        } else if newest + longest <= self.newest() {
            return;
        }
        let latest = self.newest().max(newest);
        self.rebase(latest.saturating_sub(2 * longest), longest);
        self.newest = (latest - self.base) as u32;
        let sketched = self.take_sketch(bounds);
        match bounds.shorter() {
            Some(shorter) if window < shorter.windows.len() => {
                sketched.shorter.merge_sketch(theirs, newest, shorter, window);
            }
            _ => {
                for (number, registers) in theirs.parts(theirs.newest()) {
                    sketched.sketch.merge(number, registers);
                }
            }
        }
    }
}

impl Sketched {
    fn see(&mut self, value: u64, at: u64, bounds: Bounds<'_>) {
        self.sketch.see(value, at, bounds.longest());
        self.latest.see(value, at);
        if let Some(shorter) = bounds.shorter() {
            self.shorter.see(value, at, shorter);
        }
    }
}
