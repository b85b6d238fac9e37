//! Whether a source fulfils a rule, and how far it is from that.

use std::cmp::Ordering;

use super::engine::{AT_MOST, Evidence};
use super::latest::Latest;
use super::plan::{Gauge, Judged, Measure, Packets};
use super::shapes::Shapes;
use super::table::Table;
use super::tally::{quarter, quarter_start};
use super::trail::{DESTINATIONS_MOST, PORTS_MOST, Source};
use super::window::{bucket, bucket_start};
use crate::address::Address;
use crate::distinct::mix;

/// What speaks against a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Packets within the rule's window that fulfil its condition. Of a rule that counts distinct
    /// values, those of the window's oldest quarter may be missing.
    pub packets: u64,
    /// The latest ports that it tried within the window, sorted.
    pub ports: Vec<u16>,
    /// The latest destinations within the window, sorted, as far back as rules of destinations look.
    pub destinations: Vec<Address>,
    /// When it began, within the window, in milliseconds.
    pub first: u64,
    /// When it was seen last.
    pub last: u64,
    /// Which kinds of packets it ever sent.
    pub shapes: Shapes,
    /// Some of its lines since `first` as they were written, cut after [`super::SAMPLE_MOST`] bytes; none where the
    /// summaries kept none.
    pub samples: Vec<String>,
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

impl Evidence {
    /// The latest ports that a source tried within the longest window of the rules, sorted; nothing
    /// if it has no trail.
    #[must_use]
    pub fn ports(&self, source: Source, at: u64) -> Vec<u16> {
        let Some(place) = self.table.place(source) else { return Vec::new() };
        let at = self.table.moment(place, at.min(AT_MOST));
        let longest = self.table.plan.rules.iter().map(|rule| rule.within).max();
        longest.map_or_else(Vec::new, |within| self.table.ports(place, at, within))
    }
}

impl Table {
    /// The time as of which a source is judged: now, or when it was seen if that is later.
    pub(super) fn moment(&self, place: usize, at: u64) -> u64 {
        at.max(self.trail(place).last)
    }

    fn reached(&self, place: usize, rule: &Judged, at: u64) -> u64 {
        match rule.gauge {
            Gauge::Window(gauge) => self.window(place, gauge).total_at(bucket(at, rule.within)),
            Gauge::Distinct(gauge, window) => {
                let bounds = self.plan.distincts[gauge].bounds();
                self.distinct(place, gauge).count(at, bounds, window)
            }
        }
    }

    /// How far a source is from each rule at a time.
    pub(super) fn nearness(&self, place: usize, at: u64) -> impl Iterator<Item = Near> {
        let at = self.moment(place, at);
        let rules = self.plan.rules.iter().enumerate();
        rules.map(move |(index, rule)| Near {
            rule: index,
            reached: self.reached(place, rule, at),
            threshold: rule.threshold,
        })
    }

    /// How far a source is from the rule that it is nearest to; the first of these.
    pub(super) fn nearest(&self, place: usize, at: u64) -> Option<Near> {
        self.nearness(place, at)
            .reduce(|best, each| if each.compare(&best).is_gt() { each } else { best })
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

    /// The places of those of which anything counts at a time, those nearest to a rule first, then in
    /// an order that depends on nothing but the source and the salt.
    pub(super) fn to_be_told(
        &self,
        places: impl Iterator<Item = usize>,
        at: u64,
        salt: u64,
    ) -> Vec<usize> {
        let counts = |place| {
            let near = self.nearest(place, at).filter(|near| near.reached > 0)?;
            let source = self.trail(place).source();
            Some((place, near, mix(mix(source.bits()) ^ salt), source))
        };
        let mut all: Vec<_> = places.filter_map(counts).collect();
        all.sort_unstable_by(|(_, near, hash, source), (_, far, other_hash, other)| {
            far.compare(near).then(hash.cmp(other_hash)).then(source.cmp(other))
        });
        all.into_iter().map(|(place, ..)| place).collect()
    }

    /// The first rule that a source fulfils at a time.
    pub(super) fn fulfilled(&self, place: usize, at: u64) -> Option<Fulfilled> {
        let at = self.moment(place, at);
        let mut rules = self.plan.rules.iter().enumerate();
        rules.find_map(|(index, rule)| {
            let reached = self.reached(place, rule, at);
            (reached >= rule.threshold).then(|| Fulfilled {
                source: self.trail(place).source(),
                rule: index,
                reached,
                found: self.evidence(place, rule, at),
            })
        })
    }

    fn evidence(&self, place: usize, rule: &Judged, at: u64) -> Found {
        let trail = self.trail(place);
        let (packets, oldest) = self.packets(place, rule, at);
        let first = trail.first.max(oldest);
        Found {
            packets,
            ports: self.ports(place, at, rule.within),
            destinations: self.destinations(place, at, rule.within),
            first,
            last: trail.last,
            shapes: trail.shapes,
            samples: self.samples.since(trail.source(), first),
        }
    }

    /// The packets within the window of a rule, and when the oldest of them came at the earliest:
    /// where all of them lie in a quarter that does not count any more, when the window began.
    fn packets(&self, place: usize, rule: &Judged, at: u64) -> (u64, u64) {
        let within = rule.within;
        let (starts, counts): (Vec<_>, Vec<_>) = match rule.packets {
            Packets::Window(gauge) => {
                let buckets = self.window(place, gauge).buckets(bucket(at, within));
                buckets.map(|(number, count)| (bucket_start(number, within), count)).unzip()
            }
            Packets::Tally(gauge) => {
                let quarters = self.tally(place, gauge).quarters(quarter(at, within));
                quarters.map(|(number, count)| (quarter_start(number, within), count)).unzip()
            }
        };
        let begin = (at + 1).saturating_sub(within);
        (counts.iter().sum(), starts.first().copied().unwrap_or(begin))
    }

    fn ports(&self, place: usize, at: u64, within: u64) -> Vec<u16> {
        let mut latest = Latest::<u16, PORTS_MOST>::default();
        let of_gauges = self.listed(place, Measure::Ports, at, within);
        let of_trail = self.trail(place).ports().filter(|(_, seen)| seen + within > at);
        for (port, seen) in of_gauges.map(|(port, seen)| (port as u16, seen)).chain(of_trail) {
            latest.see(port, seen);
        }
        let mut ports: Vec<_> = latest.iter().map(|(port, _)| port).collect();
        ports.sort_unstable();
        ports
    }

    fn destinations(&self, place: usize, at: u64, within: u64) -> Vec<Address> {
        let trail = self.trail(place);
        let mut latest = Latest::<u128, DESTINATIONS_MOST>::default();
        // Of IPv6 the gauges know hashes only.
        let is_known = !trail.source().is_v6();
        let of_gauges = is_known.then(|| self.listed(place, Measure::Destinations, at, within));
        for (bits, seen) in of_gauges.into_iter().flatten() {
            latest.see(u128::from(bits), seen);
        }
        for (bits, seen) in trail.destinations().filter(|(_, seen)| seen + within > at) {
            latest.see(bits, seen);
        }
        let address = |(bits, _)| trail.source().address_of(bits);
        let mut destinations: Vec<_> = latest.iter().map(address).collect();
        destinations.sort_unstable();
        destinations
    }

    /// What the sets of a measure know within a window, and how far they look back themselves.
    fn listed(
        &self,
        place: usize,
        measure: Measure,
        at: u64,
        within: u64,
    ) -> impl Iterator<Item = (u64, u64)> {
        let gauges = self.plan.distincts.iter().enumerate();
        gauges.filter(move |(_, gauge)| gauge.measure == measure).flat_map(move |(index, gauge)| {
            let within = within.min(gauge.bounds().longest());
            self.distinct(place, index).listed(at, within)
        })
    }
}
