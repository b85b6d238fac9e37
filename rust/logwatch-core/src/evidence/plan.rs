//! Rules as data, and what must be counted to judge them.
//!
//! Rules that count the same packets in the same way share a *gauge*. A gauge is a sliding window, a
//! tally or a set of distinct values; each source has all of them. Which gauges a packet moves is decided once
//! for its class; only where a condition asks for ports or networks, it is decided by row.

use std::fmt;

use super::condition::{Condition, Decision, PolicyFacts};
use super::distinct::Bounds;
use super::reach::Marks;
use super::shapes::Shapes;
use crate::class::Class;
use crate::distinct::mix;

/// Rules of one plan: each needs one gauge of a kind at the most, and each gauge of a kind has a bit.
pub const RULES_MOST: usize = 64;
/// Shortest window, in milliseconds.
pub const WITHIN_LEAST: u64 = 1_000;
/// Longest window, in milliseconds: seven days.
pub const WITHIN_MOST: u64 = 7 * 86_400_000;
/// Distinct values are exact up to so many in any case.
const EXACT_LEAST: u64 = 256;
/// A threshold up to so many is reached exactly; above, by the estimate.
pub(super) const EXACT_MOST: u64 = 1_024;

/// What a rule counts of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Packets.
    Packets,
    /// Sum of the outer LEN.
    Bytes,
    /// Distinct destination ports.
    Ports,
    /// Distinct destinations.
    Destinations,
    /// Distinct nodes that saw it.
    Nodes,
}

/// When a source is an offender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What is counted.
    pub measure: Measure,
    /// The source fulfils the rule from this number on.
    pub threshold: u64,
    /// Length of the sliding window, in milliseconds.
    pub within: u64,
    /// Which packets count.
    pub condition: Condition,
}

/// Why rules can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// There are more than have a bit.
    TooMany(usize),
    /// The threshold of the rule at this index is 0: every source would fulfil it.
    Threshold(usize),
    /// The window of the rule at this index is too short or too long.
    Within(usize),
}

impl fmt::Display for PlanError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany(count) => write!(formatter, "{count} rules are more than {RULES_MOST}"),
            Self::Threshold(index) => {
                write!(
                    formatter,
                    "the threshold of rule {index} is 0: every source would fulfil it"
                )
            }
            Self::Within(index) => {
                write!(formatter, "the window of rule {index} is not between 1 second and 7 days")
            }
        }
    }
}

impl std::error::Error for PlanError {}

/// A sliding window that every source has.
#[derive(Clone, Debug)]
pub(super) struct WindowGauge {
    pub bytes: bool,
    pub within: u64,
    condition: usize,
    pub marks: Marks,
}

/// Packets beside what else is counted of them.
#[derive(Clone, Debug)]
pub(super) struct TallyGauge {
    pub within: u64,
    condition: usize,
}

/// A set of distinct values that every source has, for all windows of rules that count them alike.
#[derive(Clone, Debug)]
pub(super) struct DistinctGauge {
    pub measure: Measure,
    /// Sorted.
    windows: Vec<u64>,
    exact: usize,
    condition: usize,
    pub marks: Marks,
}

impl DistinctGauge {
    #[inline]
    pub(super) fn bounds(&self) -> Bounds<'_> {
        Bounds { windows: &self.windows, exact: self.exact }
    }
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gauge {
    Window(usize),
    /// A set, and the index of the window in it.
    Distinct(usize, usize),
}

/// What counts packets for the evidence, under the rule's condition and in its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packets {
    Window(usize),
    Tally(usize),
}

/// A rule on its gauges.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub gauge: Gauge,
    pub packets: Packets,
    pub threshold: u64,
    /// What one of what it counts is of the threshold.
    pub share: f32,
    pub within: u64,
}

/// Gauges by their bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mask {
    pub windows: u64,
    pub tallies: u64,
    pub distincts: u64,
}

impl Mask {
    #[inline]
    pub(super) fn is_empty(self) -> bool {
        self.windows | self.tallies | self.distincts == 0
    }

    #[inline]
    fn with(self, other: Self) -> Self {
        Self {
            windows: self.windows | other.windows,
            tallies: self.tallies | other.tallies,
            distincts: self.distincts | other.distincts,
        }
    }
}

/// What the packets of one class do.
#[derive(Clone, Debug, Default)]
pub struct ClassPlan {
    /// Gauges that every row moves.
    known: Mask,
    /// Gauges that a row moves if this holds for it.
    open: Vec<(Condition, Mask)>,
    /// Whether one of these asks for the destination.
    pub(super) asks_destination: bool,
    /// Whether its packets have a destination port.
    pub(super) has_port: bool,
    pub(super) shapes: Shapes,
}

impl ClassPlan {
    /// The gauges that a row moves.
    #[inline]
    pub(super) fn mask(&self, holds: impl Fn(&Condition) -> Option<bool>) -> Mask {
        let mut mask = self.known;
        for (condition, gauges) in &self.open {
            if holds(condition) == Some(true) {
                mask = mask.with(*gauges);
            }
        }
        mask
    }
}

/// Rules, compiled.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) rules: Vec<Judged>,
    pub(super) windows: Vec<WindowGauge>,
    pub(super) tallies: Vec<TallyGauge>,
    pub(super) distincts: Vec<DistinctGauge>,
    /// Bits of the sets that know a row's port for as long as some rule looks back: no trail lists it.
    pub(super) port_keepers: u64,
    /// Bits of the sets that know a row's destination.
    pub(super) destination_keepers: u64,
    /// Each once, with the gauges that it opens.
    conditions: Vec<(Condition, Mask)>,
    /// Gauges of destinations.
    pub(super) destinations: Vec<DestinationGauge>,
}

/// How pairs of source and destination move a gauge of destinations: by the rows of the source, for
/// a pair tells neither port nor class, and by its two addresses.
#[derive(Clone, Debug)]
pub(super) struct DestinationGauge {
    pub index: usize,
    rows: Condition,
    pub addresses: Condition,
}

impl Plan {
    /// Compiles rules; their numbers are their indexes.
    ///
    /// # Errors
    ///
    /// When one of them can't be kept.
    pub fn new(rules: &[Rule]) -> Result<Self, PlanError> {
        if rules.len() > RULES_MOST {
            return Err(PlanError::TooMany(rules.len()));
        }
        let mut plan = Self {
            rules: Vec::new(),
            windows: Vec::new(),
            tallies: Vec::new(),
            distincts: Vec::new(),
            port_keepers: 0,
            destination_keepers: 0,
            conditions: Vec::new(),
            destinations: Vec::new(),
        };
        for (index, rule) in rules.iter().enumerate() {
            if rule.threshold == 0 {
                return Err(PlanError::Threshold(index));
            }
            if !(WITHIN_LEAST..=WITHIN_MOST).contains(&rule.within) {
                return Err(PlanError::Within(index));
            }
            plan.add(rule);
        }
        for rule in rules {
            plan.judge(rule);
        }
        let longest = rules.iter().map(|rule| rule.within).max().unwrap_or(0);
        plan.port_keepers = plan.sets(Measure::Ports, longest);
        plan.destination_keepers = plan.sets(Measure::Destinations, 0);
        plan.destinations = plan.destination_gauges();
        Ok(plan)
    }

    /// Makes the gauges that rules are judged by.
    fn add(&mut self, rule: &Rule) {
        let condition = self.condition(&rule.condition);
        let Rule { measure, threshold, within, .. } = *rule;
        match measure {
            Measure::Packets | Measure::Bytes => {
                self.window(measure == Measure::Bytes, within, condition, threshold);
            }
            Measure::Ports | Measure::Destinations | Measure::Nodes => {
                self.distinct(measure, within, condition, threshold);
            }
        }
    }

    /// Puts a rule on its gauges, which are there, and makes the tally for its evidence if need be.
    fn judge(&mut self, rule: &Rule) {
        let condition = self.condition(&rule.condition);
        let Rule { measure, threshold, within, .. } = *rule;
        let window = |bytes| {
            self.windows.iter().position(|known| {
                (known.bytes, known.within, known.condition) == (bytes, within, condition)
            })
        };
        let packets = window(false).map(Packets::Window);
        let gauge = match measure {
            Measure::Packets | Measure::Bytes => {
                window(measure == Measure::Bytes).map(Gauge::Window)
            }
            _ => self.distincts.iter().enumerate().find_map(|(at, known)| {
                let is = (known.measure, known.condition) == (measure, condition);
                let window = known.windows.binary_search(&within).ok()?;
                is.then_some(Gauge::Distinct(at, window))
            }),
        };
        let gauge = gauge.expect("the gauges of all rules were made before");
        let packets = packets.unwrap_or_else(|| Packets::Tally(self.tally(within, condition)));
        #[allow(clippy::cast_precision_loss)]
        let share = 1.0 / threshold as f32;
        self.rules.push(Judged { gauge, packets, threshold, share, within });
    }

    fn tally(&mut self, within: u64, condition: usize) -> usize {
        let at = position(
            &mut self.tallies,
            |known| (known.within, known.condition) == (within, condition),
            || TallyGauge { within, condition },
        );
        self.conditions[condition].1.tallies |= 1 << at;
        at
    }

    /// The bits of the sets of a measure that reach back so far.
    fn sets(&self, measure: Measure, within: u64) -> u64 {
        let all = self.distincts.iter().enumerate();
        all.filter(|(_, set)| set.measure == measure && set.bounds().longest() >= within)
            .fold(0, |bits, (at, _)| bits | 1 << at)
    }

    fn condition(&mut self, condition: &Condition) -> usize {
        position(
            &mut self.conditions,
            |known| known.0 == *condition,
            || (condition.clone(), Mask::default()),
        )
    }

    fn window(&mut self, bytes: bool, within: u64, condition: usize, threshold: u64) {
        let at = position(
            &mut self.windows,
            |known| (known.bytes, known.within, known.condition) == (bytes, within, condition),
            || WindowGauge { bytes, within, condition, marks: Marks::new(threshold) },
        );
        let gauge = &mut self.windows[at];
        gauge.marks = Marks::new(threshold.min(gauge.marks.lowest));
        self.conditions[condition].1.windows |= 1 << at;
    }

    fn distinct(&mut self, measure: Measure, within: u64, condition: usize, threshold: u64) {
        let at = position(
            &mut self.distincts,
            |known| (known.measure, known.condition) == (measure, condition),
            || DistinctGauge {
                measure,
                windows: Vec::new(),
                exact: EXACT_LEAST as usize,
                condition,
                marks: Marks::new(threshold),
            },
        );
        let gauge = &mut self.distincts[at];
        if let Err(place) = gauge.windows.binary_search(&within) {
            gauge.windows.insert(place, within);
        }
        gauge.marks = Marks::new(threshold.min(gauge.marks.lowest));
        if threshold <= EXACT_MOST {
            gauge.exact = gauge.exact.max(threshold as usize);
        }
        self.conditions[condition].1.distincts |= 1 << at;
    }

    /// Sets from which number on a source is judged, by the lowest threshold of each gauge.
    pub(super) fn notice(&mut self, number: impl Fn(u64) -> u64) {
        let windows = self.windows.iter_mut().map(|gauge| &mut gauge.marks);
        for marks in windows.chain(self.distincts.iter_mut().map(|gauge| &mut gauge.marks)) {
            marks.noticed = number(marks.lowest);
        }
    }

    fn destination_gauges(&self) -> Vec<DestinationGauge> {
        let all = self.distincts.iter().enumerate();
        all.filter(|(_, gauge)| gauge.measure == Measure::Destinations)
            .filter_map(|(index, gauge)| {
                let (rows, addresses) = self.conditions[gauge.condition].0.by_destination()?;
                Some(DestinationGauge { index, rows, addresses })
            })
            .collect()
    }

    /// Decides what packets of a class do.
    #[must_use]
    pub fn of_class(&self, class: &Class, policy: &PolicyFacts) -> ClassPlan {
        let has_port = class.transport.has_port();
        let mut plan = ClassPlan { has_port, shapes: Shapes::of(class), ..ClassPlan::default() };
        if !policy.denied {
            return plan;
        }
        for (condition, gauges) in &self.conditions {
            match condition.of_class(class, policy) {
                Decision::Known(true) => plan.known = plan.known.with(*gauges),
                Decision::Known(false) => {}
                Decision::Open(rest) => {
                    plan.asks_destination |= rest.asks_destination();
                    plan.open.push((rest, *gauges));
                }
            }
        }
        plan
    }

    /// Decides which gauges of destinations, in their order, the pairs of a source may move for a
    /// row of a class.
    pub(super) fn of_pairs(&self, class: &Class, policy: &PolicyFacts) -> Vec<Decision> {
        let decide = |gauge: &DestinationGauge| {
            if policy.denied { gauge.rows.of_class(class, policy) } else { Decision::Known(false) }
        };
        self.destinations.iter().map(decide).collect()
    }

    /// The most bytes that a source may cost: all windows at their widest, each set at its largest.
    #[must_use]
    pub fn bytes_per_source_most(&self) -> usize {
        super::trail::BYTES_MOST
            + self.windows.len() * super::window::BYTES_MOST
            + self.tallies.len() * size_of::<super::tally::Tally>()
            + self
                .distincts
                .iter()
                .map(|gauge| super::distinct::bytes_most(gauge.bounds()))
                .sum::<usize>()
    }

    /// Bytes of a source that was seen once.
    #[must_use]
    pub fn bytes_per_source_least(&self) -> usize {
        super::trail::BYTES_LEAST
            + self.windows.len() * size_of::<super::window::Window>()
            + self.tallies.len() * size_of::<super::tally::Tally>()
            + self.distincts.len() * size_of::<super::distinct::Distinct>()
    }

    /// What a condition is known by on other nodes.
    fn fingerprint(&self, condition: usize) -> u64 {
        let mut bytes = Vec::new();
        self.conditions[condition].0.write(&mut bytes);
        bytes.iter().fold(0, |hash, byte| mix(hash ^ u64::from(*byte)).wrapping_add(1))
    }

    /// What each window is known by on other nodes.
    pub(super) fn window_names(&self) -> Vec<Name> {
        let name = |gauge: &WindowGauge| Name {
            measure: if gauge.bytes { Measure::Bytes } else { Measure::Packets } as u8,
            windows: vec![gauge.within],
            fingerprint: self.fingerprint(gauge.condition),
        };
        self.windows.iter().map(name).collect()
    }

    /// What each tally is known by on other nodes.
    pub(super) fn tally_names(&self) -> Vec<Name> {
        let name = |gauge: &TallyGauge| Name {
            measure: Measure::Packets as u8,
            windows: vec![gauge.within],
            fingerprint: self.fingerprint(gauge.condition),
        };
        self.tallies.iter().map(name).collect()
    }

    /// What each set is known by on other nodes.
    pub(super) fn distinct_names(&self) -> Vec<Name> {
        let name = |gauge: &DistinctGauge| Name {
            measure: gauge.measure as u8,
            windows: gauge.windows.clone(),
            fingerprint: self.fingerprint(gauge.condition),
        };
        self.distincts.iter().map(name).collect()
    }
}

/// What a gauge is known by on other nodes; a set may have other windows there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub measure: u8,
    /// Sorted; one, but for sets.
    pub windows: Vec<u64>,
    /// Of the condition.
    pub fingerprint: u64,
}

impl Name {
    /// Whether the same of the same packets is counted, in whatever window.
    pub(super) fn counts_alike(&self, other: &Self) -> bool {
        (self.measure, self.fingerprint) == (other.measure, other.fingerprint)
    }
}

/// Where an element is that `is` finds, made if there is none.
fn position<T>(all: &mut Vec<T>, is: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> usize {
    all.iter().position(is).unwrap_or_else(|| {
        all.push(make());
        all.len() - 1
    })
}
