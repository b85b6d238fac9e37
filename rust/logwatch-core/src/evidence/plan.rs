//! Rules as data, and what must be counted to judge them.
//!
//! Rules that count the same packets in the same way share a *gauge*. A gauge is a sliding window or
//! a set of distinct values; each source has all of them. Which gauges a packet moves is decided once
//! for its class; only where a condition asks for ports or networks, it is decided by row.

use std::fmt;

use super::condition::{Condition, Decision, PolicyFacts};
use super::distinct::Bounds;
use super::shapes::Shapes;
use crate::class::Class;
use crate::distinct::mix;

/// Rules of one plan: each needs two windows at the most, and each window has a bit.
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
    /// The lowest threshold of its rules; the largest number where it only backs the evidence of
    /// another gauge.
    pub lowest: u64,
    /// From which number on a source is judged: `lowest`, or less where near misses are kept.
    pub noticed: u64,
}

/// A set of distinct values that every source has.
#[derive(Clone, Debug)]
pub(super) struct DistinctGauge {
    pub measure: Measure,
    pub bounds: Bounds,
    condition: usize,
    /// The lowest threshold of its rules.
    pub lowest: u64,
    /// From which number on a source is judged: `lowest`, or less where near misses are kept.
    pub noticed: u64,
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gauge {
    Window(usize),
    Distinct(usize),
}

/// A rule on its gauges.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub gauge: Gauge,
    /// The window that counts packets under the same condition, for the evidence.
    pub packets: usize,
    pub threshold: u64,
    pub within: u64,
}

/// Gauges by their bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mask {
    pub windows: u128,
    pub distincts: u128,
}

impl Mask {
    #[inline]
    pub(super) fn is_empty(self) -> bool {
        self.windows == 0 && self.distincts == 0
    }

    #[inline]
    fn with(self, other: Self) -> Self {
        Self { windows: self.windows | other.windows, distincts: self.distincts | other.distincts }
    }
}

/// What the packets of one class do.
#[derive(Clone, Debug, Default)]
pub struct ClassPlan {
    /// Gauges that every row moves.
    known: Mask,
    /// Gauges that a row moves if this holds for it.
    open: Vec<(Condition, Mask)>,
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
    pub(super) distincts: Vec<DistinctGauge>,
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
            distincts: Vec::new(),
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
        plan.destinations = plan.destination_gauges();
        Ok(plan)
    }

    fn add(&mut self, rule: &Rule) {
        let condition = self.condition(&rule.condition);
        let Rule { measure, threshold, within, .. } = *rule;
        let (gauge, packets) = match measure {
            Measure::Packets => {
                let window = self.window(false, within, condition, threshold);
                (Gauge::Window(window), window)
            }
            Measure::Bytes => {
                let window = self.window(true, within, condition, threshold);
                (Gauge::Window(window), self.window(false, within, condition, u64::MAX))
            }
            Measure::Ports | Measure::Destinations | Measure::Nodes => {
                let distinct = self.distinct(measure, within, condition, threshold);
                (Gauge::Distinct(distinct), self.window(false, within, condition, u64::MAX))
            }
        };
        self.rules.push(Judged { gauge, packets, threshold, within });
    }

    fn condition(&mut self, condition: &Condition) -> usize {
        position(
            &mut self.conditions,
            |known| known.0 == *condition,
            || (condition.clone(), Mask::default()),
        )
    }

    fn window(&mut self, bytes: bool, within: u64, condition: usize, threshold: u64) -> usize {
        let at = position(
            &mut self.windows,
            |known| (known.bytes, known.within, known.condition) == (bytes, within, condition),
            || WindowGauge { bytes, within, condition, lowest: threshold, noticed: threshold },
        );
        let gauge = &mut self.windows[at];
        gauge.lowest = threshold.min(gauge.lowest);
        gauge.noticed = gauge.lowest;
        self.conditions[condition].1.windows |= 1 << at;
        at
    }

    fn distinct(
        &mut self,
        measure: Measure,
        within: u64,
        condition: usize,
        threshold: u64,
    ) -> usize {
        let at = position(
            &mut self.distincts,
            |known| {
                (known.measure, known.bounds.within, known.condition)
                    == (measure, within, condition)
            },
            || {
                let bounds = Bounds { within, exact: EXACT_LEAST as usize };
                DistinctGauge { measure, bounds, condition, lowest: threshold, noticed: threshold }
            },
        );
        let gauge = &mut self.distincts[at];
        gauge.lowest = gauge.lowest.min(threshold);
        gauge.noticed = gauge.lowest;
        if threshold <= EXACT_MOST {
            gauge.bounds.exact = gauge.bounds.exact.max(threshold as usize);
        }
        self.conditions[condition].1.distincts |= 1 << at;
        at
    }

    /// Sets from which number on a source is judged, by the lowest threshold of each gauge.
    pub(super) fn notice(&mut self, number: impl Fn(u64) -> u64) {
        for gauge in &mut self.windows {
            gauge.noticed = number(gauge.lowest);
        }
        for gauge in &mut self.distincts {
            gauge.noticed = number(gauge.lowest);
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
        let mut plan = ClassPlan { shapes: Shapes::of(class), ..ClassPlan::default() };
        if !policy.denied {
            return plan;
        }
        for (condition, gauges) in &self.conditions {
            match condition.of_class(class, policy) {
                Decision::Known(true) => plan.known = plan.known.with(*gauges),
                Decision::Known(false) => {}
                Decision::Open(rest) => plan.open.push((rest, *gauges)),
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

    /// The most bytes that a source may cost: all windows with their rings, each set at its largest.
    #[must_use]
    pub fn bytes_per_source_most(&self) -> usize {
        super::trail::BYTES_MOST
            + self.windows.len() * super::window::BYTES_MOST
            + self
                .distincts
                .iter()
                .map(|gauge| super::distinct::bytes_most(&gauge.bounds))
                .sum::<usize>()
    }

    /// Bytes of a source that was seen once.
    #[must_use]
    pub fn bytes_per_source_least(&self) -> usize {
        super::trail::BYTES_LEAST
            + self.windows.len() * size_of::<super::window::Window>()
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
        let name = |gauge: &WindowGauge| {
            (u8::from(gauge.bytes), gauge.within, self.fingerprint(gauge.condition))
        };
        self.windows.iter().map(name).collect()
    }

    /// What each set is known by on other nodes.
    pub(super) fn distinct_names(&self) -> Vec<Name> {
        let name = |gauge: &DistinctGauge| {
            let fingerprint = self.fingerprint(gauge.condition);
            (gauge.measure as u8, gauge.bounds.within, fingerprint)
        };
        self.distincts.iter().map(name).collect()
    }
}

/// What is counted, the window's length, the fingerprint of the condition.
pub(super) type Name = (u8, u64, u64);

/// Where an element is that `is` finds, made if there is none.
fn position<T>(all: &mut Vec<T>, is: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> usize {
    all.iter().position(is).unwrap_or_else(|| {
        all.push(make());
        all.len() - 1
    })
}
