//! Whether a source fulfils a rule, and how far it is from that.

use std::cmp::Ordering;

use super::plan::{Gauge, Judged};
use super::shapes::Shapes;
use super::table::{Moment, Table};
use super::trail::Source;
use super::window::bucket_start;
use crate::address::Address;

/// What speaks against a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Packets within the rule's window that fulfil its condition.
    pub packets: u64,
    /// The latest ports that it tried within the window, sorted.
    pub ports: Vec<u16>,
    /// The latest destinations within the window, sorted.
    pub destinations: Vec<Address>,
    /// When it began, within the window, in milliseconds.
    pub first: u64,
    /// When it was seen last.
    pub last: u64,
    /// Which kinds of packets it ever sent.
    pub shapes: Shapes,
}

/// A source that fulfils a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fulfilled {
    /// Who.
    pub source: Source,
    /// Index of the rule: the first that is fulfilled.
    pub rule: usize,
    /// The number that it reached.
    pub reached: u64,
    /// The evidence.
    pub found: Found,
}

/// How far a source is from a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Near {
    /// Index of the rule.
    pub rule: usize,
    /// The number that it reached.
    pub reached: u64,
    /// From which on it would be an offender.
    pub threshold: u64,
}

impl Near {
    /// Compares how near two are: `reached / threshold`, without rounding.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let product = |one: u64, two: u64| u128::from(one) * u128::from(two);
        product(self.reached, other.threshold).cmp(&product(other.reached, self.threshold))
    }
}

impl Table {
    /// The time as of which a source is judged: now, or when it was seen if that is later.
    fn moment(&self, place: usize, at: u64) -> Moment {
        Moment::new(&self.plan, at.max(self.trail(place).last))
    }

    fn reached(&self, place: usize, rule: &Judged, now: &Moment) -> u64 {
        match rule.gauge {
            Gauge::Window(gauge) => self.window(place, gauge).total_at(now.buckets[gauge]),
            Gauge::Distinct(gauge) => self.distinct(place, gauge).count(now.at, rule.within),
        }
    }

    /// How far a source is from each rule at a time.
    pub(super) fn nearness(&self, place: usize, at: u64) -> Vec<Near> {
        let now = self.moment(place, at);
        let rules = self.plan.rules.iter().enumerate();
        rules
            .map(|(index, rule)| Near {
                rule: index,
                reached: self.reached(place, rule, &now),
                threshold: rule.threshold,
            })
            .collect()
    }

    /// How far a source is from the rule that it is nearest to; the first of these.
    pub(super) fn nearest(&self, place: usize, at: u64) -> Option<Near> {
        let all = self.nearness(place, at);
        all.into_iter().reduce(|best, each| if each.compare(&best).is_gt() { each } else { best })
    }

    /// The places of all sources, those nearest to a rule first, then the latest.
    pub(super) fn by_interest(&self, at: u64) -> Vec<(usize, Option<Near>)> {
        let mut all: Vec<_> = self.places().map(|place| (place, self.nearest(place, at))).collect();
        all.sort_unstable_by(|(one, near), (other, far)| {
            let nearer = match (near, far) {
                (Some(near), Some(far)) => far.compare(near),
                _ => Ordering::Equal,
            };
            let (one, other) = (self.trail(*one), self.trail(*other));
            nearer.then(other.last.cmp(&one.last)).then(one.source().cmp(&other.source()))
        });
        all
    }

    /// The first rule that a source fulfils at a time.
    pub(super) fn fulfilled(&self, place: usize, at: u64) -> Option<Fulfilled> {
        let now = self.moment(place, at);
        let mut rules = self.plan.rules.iter().enumerate();
        rules.find_map(|(index, rule)| {
            let reached = self.reached(place, rule, &now);
            (reached >= rule.threshold).then(|| Fulfilled {
                source: self.trail(place).source(),
                rule: index,
                reached,
                found: self.evidence(place, rule, &now),
            })
        })
    }

    fn evidence(&self, place: usize, rule: &Judged, now: &Moment) -> Found {
        let trail = self.trail(place);
        let window = self.window(place, rule.packets);
        let end = now.buckets[rule.packets];
        let oldest = window.buckets(end).next().map_or(0, |(number, _)| number);
        let is_within = |at: u64| at + rule.within > now.at;
        let mut ports: Vec<u16> =
            trail.ports().iter().filter(|(_, at)| is_within(*at)).map(|(port, _)| *port).collect();
        ports.sort_unstable();
        let mut destinations: Vec<Address> = trail
            .destinations()
            .iter()
            .filter(|(_, at)| is_within(*at))
            .map(|(bits, _)| trail.source().address_of(*bits))
            .collect();
        destinations.sort_unstable();
        Found {
            packets: window.total_at(end),
            ports,
            destinations,
            first: trail.first.max(bucket_start(oldest, rule.within)),
            last: trail.last,
            shapes: trail.shapes,
        }
    }
}
