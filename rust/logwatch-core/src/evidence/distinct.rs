//! The distinct values of one source in a sliding window: ports, destinations or nodes.
//!
//! Exact, as each value with the time when it was last seen, up to a bound; beyond it a sketch,
//! until nothing was seen for a whole window.

use super::sketch::Sketch;
use crate::lanes;

/// Marks a free entry; no port, IPv4 address or hash is this number.
const FREE: u64 = u64::MAX;
/// Entries of the first table.
const FIRST_ENTRIES: usize = 4;

/// How values are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Length of the window, in milliseconds.
    pub within: u64,
    /// Values kept exactly.
    pub exact: usize,
}

/// Bytes of the largest set.
pub(super) fn bytes_most(bounds: &Bounds) -> usize {
    let entries = (bounds.exact * 2).next_power_of_two();
    size_of::<Distinct>() + (entries * size_of::<Entry>()).max(size_of::<Sketch>())
}

/// A value and when it was last seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub value: u64,
    pub at: u64,
}

/// The distinct values of one source.
#[derive(Clone, Debug, Default)]
pub(super) struct Distinct {
    /// When something was last seen.
    newest: u64,
    state: State,
}

#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Empty,
    /// One value, seen at `newest`.
    One(u64),
    /// A hash table with linear probing, at most three quarters full.
    Exact {
        entries: Box<[Entry]>,
        count: usize,
    },
    Sketch(Box<Sketch>),
}

impl Distinct {
    /// Sees a value at a time.
    #[inline]
    pub(super) fn see(&mut self, value: u64, at: u64, bounds: &Bounds) {
        if let State::One(one) = self.state
            && one == value
        {
            self.newest = self.newest.max(at);
            return;
        }
        self.see_another(value, at, bounds);
    }

    /// Asks for what [`Self::see`] will look at.
    #[inline]
    pub(super) fn prefetch(&self, value: u64) {
        if let State::Exact { entries, .. } = &self.state {
            lanes::prefetch(&entries[home(entries, value)]);
        }
    }

    fn see_another(&mut self, value: u64, at: u64, bounds: &Bounds) {
        if at >= self.newest + bounds.within || matches!(self.state, State::Empty) {
            *self = Self { newest: at, state: State::One(value) };
            return;
        }
        if at + bounds.within <= self.newest {
            return;
        }
        let before = self.newest;
        self.newest = before.max(at);
        match &mut self.state {
            State::Empty => unreachable!("it was looked for above"),
            State::One(one) => {
                let one = Entry { value: *one, at: before };
                let mut entries = free(FIRST_ENTRIES);
                put(&mut entries, one);
                put(&mut entries, Entry { value, at });
                self.state = State::Exact { entries, count: 2 };
            }
            State::Exact { entries, count } => {
                let place = place(entries, value);
                let entry = &mut entries[place];
                if entry.value == value {
                    entry.at = entry.at.max(at);
                    return;
                }
                *entry = Entry { value, at };
                *count += 1;
                if *count > entries.len() / 4 * 3 {
                    self.make_room(bounds);
                }
            }
            State::Sketch(sketch) => sketch.see(value, at, bounds.within),
        }
    }

    /// Drops what is older than the window, then takes a larger table or a sketch if need be.
    fn make_room(&mut self, bounds: &Bounds) {
        let live: Vec<_> = self.entries(self.newest, bounds.within).collect();
        self.state = if live.len() > bounds.exact {
            let mut sketch = Box::new(Sketch::new());
            for entry in &live {
                sketch.see(entry.value, entry.at, bounds.within);
            }
            State::Sketch(sketch)
        } else {
            // Half of it is free, so that the next time is far.
            let mut entries = free((live.len() * 2).next_power_of_two().max(FIRST_ENTRIES));
            for entry in &live {
                put(&mut entries, *entry);
            }
            State::Exact { entries, count: live.len() }
        };
    }

    /// How many values the window held that ends at a time, which is not before the newest one.
    pub(super) fn count(&self, at: u64, within: u64) -> u64 {
        match &self.state {
            State::Sketch(sketch) if at < self.newest + within => sketch.estimate(at, within),
            State::Sketch(_) => 0,
            _ => self.entries(at, within).count() as u64,
        }
    }

    /// At most so many: what the count can be without looking at times.
    #[inline]
    pub(super) fn count_most(&self) -> u64 {
        match &self.state {
            State::Empty => 0,
            State::One(_) => 1,
            State::Exact { count, .. } => *count as u64,
            State::Sketch(_) => u64::MAX,
        }
    }

    /// What is kept exactly of the window that ends at a time; nothing where there is a sketch.
    pub(super) fn entries(&self, at: u64, within: u64) -> impl Iterator<Item = Entry> {
        let (one, many): (_, &[Entry]) = match &self.state {
            State::One(value) => (Some(Entry { value: *value, at: self.newest }), &[]),
            State::Exact { entries, .. } => (None, entries),
            State::Empty | State::Sketch(_) => (None, &[]),
        };
        let many = many.iter().copied().filter(|entry| entry.value != FREE);
        one.into_iter().chain(many).filter(move |entry| entry.at + within > at)
    }

    /// The sketch, where there is one.
    pub(super) fn sketch(&self) -> Option<&Sketch> {
        match &self.state {
            State::Sketch(sketch) => Some(sketch),
            _ => None,
        }
    }

    /// When something was last seen.
    #[inline]
    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    /// Adds what a sketch of the same window's length has seen, the last of it at `newest`.
    pub(super) fn merge_sketch(&mut self, theirs: &Sketch, newest: u64, bounds: &Bounds) {
        if !matches!(self.state, State::Sketch(_)) {
            let mut sketch = Box::new(Sketch::new());
            for entry in self.entries(self.newest, bounds.within) {
                sketch.see(entry.value, entry.at, bounds.within);
            }
            self.state = State::Sketch(sketch);
        }
        if let State::Sketch(sketch) = &mut self.state {
            for (number, registers) in theirs.parts(theirs.newest()) {
                sketch.merge(number, registers);
            }
        }
        self.newest = self.newest.max(newest);
    }
}

fn free(entries: usize) -> Box<[Entry]> {
    vec![Entry { value: FREE, at: 0 }; entries].into()
}

/// Where a value is looked for first.
#[inline]
fn home(entries: &[Entry], value: u64) -> usize {
    // The upper bits of a product depend on all of the value's.
    (value.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48) as usize & (entries.len() - 1)
}

/// Where a value is, or the free entry where it belongs.
#[inline]
fn place(entries: &[Entry], value: u64) -> usize {
    let mask = entries.len() - 1;
    let mut at = home(entries, value);
    while entries[at].value != value && entries[at].value != FREE {
        at = (at + 1) & mask;
    }
    at
}

fn put(entries: &mut [Entry], entry: Entry) {
    let at = place(entries, entry.value);
    entries[at] = entry;
}
