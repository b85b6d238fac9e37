//! The evidence of all sources: batches go in, offenders come out.

use std::collections::HashMap;

use super::condition::PolicyFacts;
use super::judge::{Fulfilled, Near};
use super::near::{NearMiss, NearMisses};
use super::pairs;
use super::plan::{ClassPlan, Measure, Plan, WindowGauge};
use super::reach::Reach;
use super::samples::SAMPLES_MOST;
use super::sampling;
use super::seen::{self, Seen, Waiting};
use super::table::{Moment, Table};
use super::trail::{Silence, Source};
use super::values::{bits, destination_value, node_value};
use crate::address::Address;
use crate::hash::Seed;
use crate::summary::Summary;

/// Later times are taken for this one, so that no number overflows: in 4,000 years.
pub(super) const AT_MOST: u64 = 1 << 47;
/// Rows that are looked up together: the memory of each is asked for before the first is needed.
const BATCH: usize = 32;

/// Lines of sources that only came near are looked for so often, in milliseconds, and of so many
/// sources: in a storm thousands come near, while those of offenders are looked for at once.
const SAMPLE_EVERY: u64 = 1_000;
const WANTED_MOST: usize = 64;

/// The verdict on a policy's packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The policy's name: as the kernel printed it, or else as its prefix is configured.
    pub name: String,
    /// Whether its packets were denied. Others don't count.
    pub denied: bool,
}

/// What each source did lately, for at most so many sources.
#[derive(Clone, Debug)]
pub struct Evidence {
    pub(super) table: Table,
    /// The node's name as a number.
    node: u64,
    /// The latest batch.
    pub(super) newest: u64,
    /// The places of those that the batch has brought near enough to be judged.
    candidates: Vec<usize>,
    pub(super) near_misses: NearMisses,
    /// Who is not told of, of those without a trail since [`Self::forget_all`]; no more than there
    /// are places.
    pub(super) silences: HashMap<Source, Silence>,
    /// Whether lines of sources that come near are wanted from the batch, and of which ones.
    is_sampled: bool,
    wanted: Vec<Source>,
    /// When they were wanted last.
    sampled_at: u64,
}

impl Evidence {
    /// Nothing seen yet. `node` is what distinct nodes are told by.
    #[must_use]
    pub fn new(plan: Plan, seed: Seed, capacity: usize, node: &str) -> Self {
        Self {
            table: Table::new(plan, seed, capacity),
            node: node_value(node),
            newest: 0,
            candidates: Vec::new(),
            near_misses: NearMisses::default(),
            silences: HashMap::new(),
            is_sampled: false,
            wanted: Vec::new(),
            sampled_at: 0,
        }
    }

    /// Keeps so many near misses from now on; 0, as at the start, keeps none.
    ///
    /// Then each source that a batch brings nearer than all of these is judged, which costs as much
    /// again as the counting.
    pub fn keep_near_misses(&mut self, most: usize) {
        self.near_misses = NearMisses::new(most);
        self.notice();
    }

    pub(super) fn notice(&mut self) {
        self.table.plan.notice(|lowest| self.near_misses.notice(lowest));
    }

    /// The sources that came nearest to a rule in a batch without fulfilling one then or since,
    /// nearest first, as far as they are kept.
    #[must_use]
    pub fn near_misses(&self) -> Vec<NearMiss> {
        self.near_misses.nearest()
    }

    /// Takes the rows of a summary (settled) into evidence, all of them at one time, and returns who
    /// fulfils a rule by them: each source once, with the first of its rules, in the order in which
    /// the rows made it so. What was fulfilled stays fulfilled; see [`Self::restart`] and
    /// [`Self::quiet`].
    ///
    /// `verdicts` are those of the summary's policies, by number; rows of others don't count, nor
    /// does what the summary had no room for.
    pub fn observe(&mut self, summary: &Summary, verdicts: &[Verdict], at: u64) -> Vec<Fulfilled> {
        let policies: Vec<PolicyFacts> = summary
            .policies()
            .zip(verdicts)
            .map(|(policy, verdict)| PolicyFacts {
                name: verdict.name.as_str().into(),
                tier: policy.tier.as_deref().map(|tier| String::from_utf8_lossy(tier).into()),
                denied: verdict.denied,
            })
            .collect();
        let classes: Vec<ClassPlan> = summary
            .classes()
            .map(|class| match policies.get(usize::from(class.policy)) {
                Some(policy) => self.table.plan.of_class(class, policy),
                None => ClassPlan::default(),
            })
            .collect();
        let now = self.begin(at);
        let is_due = now.at.abs_diff(self.sampled_at) >= SAMPLE_EVERY;
        self.is_sampled = is_due && !summary.samples.is_empty();
        let (v4, v6) = summary.tables();
        self.see(&classes, seen::rows(v4, &classes, Address::V4), &now);
        self.see(&classes, seen::rows(v6, &classes, Address::V6), &now);
        self.see(&classes, seen::earlier(v4, &classes, Address::V4), &now);
        self.see(&classes, seen::earlier(v6, &classes, Address::V6), &now);
        for (source, destination, allowed) in
            pairs::pairs(summary, &self.table.plan, &classes, &policies)
        {
            self.see_pair(source, destination, allowed, &now);
        }
        let mut fulfilled = self.end(now.at);
        self.keep_samples(summary, &policies, &fulfilled, &now);
        for Fulfilled { source, found, .. } in &mut fulfilled {
            found.samples = self.table.samples.since(*source, found.first);
        }
        fulfilled
    }

    /// The same for rows from anywhere; `classes` are made by [`Plan::of_class`].
    pub fn observe_seen(
        &mut self,
        classes: &[ClassPlan],
        rows: impl Iterator<Item = Seen>,
        at: u64,
    ) -> Vec<Fulfilled> {
        let now = self.begin(at);
        self.is_sampled = false;
        self.see(classes, rows.map(|seen| (seen, seen.destination)), &now);
        self.end(now.at)
    }

    /// The rules that the sources are judged by.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.table.plan
    }

    fn begin(&mut self, at: u64) -> Moment {
        let at = at.min(AT_MOST);
        self.newest = self.newest.max(at);
        self.table.begin_batch();
        Moment::new(&self.table.plan, at)
    }

    fn see(
        &mut self,
        classes: &[ClassPlan],
        rows: impl Iterator<Item = (Seen, Option<Address>)>,
        now: &Moment,
    ) {
        let mut waiting: Vec<Waiting> = Vec::with_capacity(BATCH);
        rows.for_each(|(seen, to)| {
            let class = &classes[seen.class];
            let mut mask = class.mask(|rest| rest.holds(seen.source, seen.port, seen.destination));
            if class.asks_destination && seen.destination.is_none() && to.is_some() {
                let of_one = class.mask(|rest| rest.holds(seen.source, seen.port, to));
                mask.distincts |= of_one.distincts & self.table.plan.destination_keepers;
            }
            if mask.is_empty() {
                return;
            }
            let source = Source::of(seen.source);
            let hash = self.table.hash(source);
            self.table.prefetch(hash);
            let Seen { class, port, packets, bytes, .. } = seen;
            let to_value = to.map_or(0, destination_value);
            let place = None;
            waiting.push(Waiting {
                source,
                hash,
                place,
                class,
                mask,
                port,
                packets,
                bytes,
                to,
                to_value,
            });
            if waiting.len() == BATCH {
                self.put(classes, &mut waiting, now);
                waiting.clear();
            }
        });
        self.put(classes, &mut waiting, now);
    }

    fn put(&mut self, classes: &[ClassPlan], waiting: &mut [Waiting], now: &Moment) {
        for each in &mut *waiting {
            each.place = self.table.prefetch_place(each.hash);
        }
        for each in &*waiting {
            if let Some(place) = each.place {
                let port = each.port.unwrap_or(0).into();
                self.table.prefetch_values(place, port, each.to_value);
            }
        }
        for each in waiting {
            let known = each.place.filter(|place| self.table.is_of(*place, each.source));
            let place = known.or_else(|| self.table.find(each.source, each.hash));
            let place = place.or_else(|| self.table.admit(each.source, each.hash, now, false));
            if let Some(place) = place {
                self.count(place, each, &classes[each.class], now);
            }
        }
    }

    #[inline]
    fn count(&mut self, place: usize, waiting: &Waiting, class: &ClassPlan, now: &Moment) {
        let Waiting { mask, port, .. } = waiting;
        let (node, table) = (self.node, &mut self.table);
        let is_port_kept = mask.distincts & table.plan.port_keepers != 0;
        // Of IPv6 the sets know hashes only.
        let is_kept = mask.distincts & table.plan.destination_keepers != 0;
        let is_destination_kept = is_kept && !waiting.source.is_v6();
        let trail = table.trail_mut(place);
        trail.see(class.shapes, now.at);
        if trail.rests && trail.is_quiet(now.at) {
            return;
        }
        if let Some(port) = port.filter(|_| !is_port_kept) {
            trail.see_port(port, now.at);
        }
        if let Some(to) = waiting.to.filter(|_| !is_destination_kept) {
            trail.see_destination(bits(to), now.at);
        }
        let mut reach = Reach::default();
        for gauge in ones(mask.windows) {
            let (plan, window) = table.window_mut(place, gauge);
            let WindowGauge { bytes, marks, .. } = plan.windows[gauge];
            window.add(now.buckets[gauge], if bytes { waiting.bytes } else { waiting.packets });
            reach = reach.or(Reach::of(window.total(), marks));
        }
        for gauge in ones(mask.tallies) {
            table.tally_mut(place, gauge).add(now.quarters[gauge], waiting.packets);
        }
        for gauge in ones(mask.distincts) {
            let value = match table.plan.distincts[gauge].measure {
                Measure::Ports => port.map(u64::from),
                Measure::Destinations => waiting.to.map(|_| waiting.to_value),
                Measure::Nodes => Some(node),
                Measure::Packets | Measure::Bytes => unreachable!("these are windows"),
            };
            if let Some(value) = value {
                reach = reach.or(table.see_value(place, gauge, value, now.at));
            }
        }
        self.mark(place, reach, now.at);
    }

    fn see_pair(
        &mut self,
        source: Address,
        destination: Address,
        allowed: pairs::Allowed,
        now: &Moment,
    ) {
        let Some(place) = self.table.place(Source::of(source)) else { return };
        let trail = self.table.trail(place);
        if trail.rests && trail.is_quiet(now.at) {
            return;
        }
        let mut reach = Reach::default();
        let mut is_kept = false;
        for bit in ones(allowed.gauges) {
            let Some(gauge) = self.table.plan.destinations.get(bit) else { break };
            let value = destination_value(destination);
            is_kept = !source.is_v6();
            let index = gauge.index;
            reach = reach.or(self.table.see_value(place, index, value, now.at));
        }
        if !is_kept {
            self.table.trail_mut(place).see_destination(bits(destination), now.at);
        }
        self.mark(place, reach, now.at);
    }

    #[inline]
    fn mark(&mut self, place: usize, reach: Reach, at: u64) {
        let batch = self.table.batch;
        let trail = self.table.trail_mut(place);
        if self.is_sampled
            && reach.is_third
            && usize::from(trail.samples) < SAMPLES_MOST
            && !trail.is_quiet(at)
            && self.wanted.len() < WANTED_MOST
        {
            self.wanted.push(trail.source());
        }
        if reach.is_there && trail.batch != batch && !trail.is_quiet(at) {
            trail.batch = batch;
            self.candidates.push(place);
        }
    }

    /// Keeps lines of the sources that came near and of those that fulfil a rule.
    fn keep_samples(
        &mut self,
        summary: &Summary,
        policies: &[PolicyFacts],
        fulfilled: &[Fulfilled],
        now: &Moment,
    ) {
        let mut wanted = std::mem::take(&mut self.wanted);
        if !wanted.is_empty() {
            self.sampled_at = now.at;
        }
        let has_few = |each: &&Fulfilled| each.found.samples.len() < SAMPLES_MOST;
        for Fulfilled { source, found, .. } in fulfilled.iter().filter(has_few) {
            self.table.forget_samples_before(*source, found.first);
            wanted.push(*source);
        }
        if wanted.is_empty() || summary.samples.is_empty() {
            return;
        }
        wanted.sort_unstable();
        wanted.dedup();
        for (source, line) in sampling::lines(summary, policies, &wanted) {
            let Some(place) = self.table.place(source) else { continue };
            let trail = self.table.trail_mut(place);
            if usize::from(trail.samples) < SAMPLES_MOST {
                trail.samples += 1;
                self.table.keep_sample(source, line, now);
            }
        }
        wanted.clear();
        self.wanted = wanted;
    }

    /// Judges those that came near. All rows of a batch are of one time, so their order decides
    /// nothing but the order of the answer.
    fn end(&mut self, at: u64) -> Vec<Fulfilled> {
        let candidates = std::mem::take(&mut self.candidates);
        if self.near_misses.is_off() {
            return candidates
                .into_iter()
                .filter_map(|place| self.judge_place(place, at))
                .collect();
        }
        let mut all = Vec::new();
        let mut is_bar_new = false;
        for place in candidates {
            let source = self.table.trail(place).source();
            if let Some(fulfilled) = self.table.fulfilled(place, at) {
                self.near_misses.forget(source);
                if !self.table.trail(place).is_quiet(at) {
                    all.push(fulfilled);
                }
            } else if let Some(near) = self.table.nearest(place, at) {
                is_bar_new |= self.near_misses.see(NearMiss { source, near, at });
            }
        }
        if is_bar_new {
            self.notice();
        }
        all
    }

    fn judge_place(&self, place: usize, at: u64) -> Option<Fulfilled> {
        if self.table.trail(place).is_quiet(at) { None } else { self.table.fulfilled(place, at) }
    }

    /// Everybody who fulfils a rule at a time, those furthest beyond it first. For evidence that
    /// was merged; `observe` tells by itself.
    #[must_use]
    pub fn judge(&self, at: u64) -> Vec<Fulfilled> {
        let at = at.min(AT_MOST);
        let all = self.table.by_interest(at);
        // Events of after that time are there already: it is judged, or quiet, as of its last one.
        let judge = |place| self.judge_place(place, self.table.moment(place, at));
        all.iter().filter_map(|(place, _)| judge(*place)).collect()
    }

    /// Forgets what a source did so far; what it does from now on counts anew. False if it has no
    /// trail.
    pub fn restart(&mut self, source: Source) -> bool {
        self.silences.remove(&source);
        let place = self.table.place(source);
        place.map(|place| self.table.restart(place)).is_some()
    }

    /// Does not tell of a source for events from its last one up to `until`; its packets count on.
    /// A time that is over ends that. False if it has no trail.
    pub fn quiet(&mut self, source: Source, until: u64) -> bool {
        self.silences.remove(&source);
        let Some(place) = self.table.place(source) else { return false };
        let trail = self.table.trail_mut(place);
        trail.set_quiet(&(trail.last..until));
        true
    }

    /// Forgets what a source did so far, and counts nothing of it for events from its last one up to
    /// `until`. [`Self::quiet`] with a time that is over ends that. False if it has no trail.
    pub fn rest(&mut self, source: Source, until: u64) -> bool {
        let is_there = self.restart(source) && self.quiet(source, until);
        if let Some(place) = self.table.place(source) {
            self.table.trail_mut(place).rests = true;
        }
        is_there
    }

    /// How far a source is from each rule at a time; nothing if it has no trail.
    #[must_use]
    pub fn nearness(&self, source: Source, at: u64) -> Vec<Near> {
        let place = self.table.place(source);
        place.map_or_else(Vec::new, |place| self.table.nearness(place, at.min(AT_MOST)).collect())
    }

    /// Some lines of a source as they were written, as in [`super::Found::samples`].
    #[must_use]
    pub fn samples(&self, source: Source) -> Vec<String> {
        self.table.samples.since(source, 0)
    }

    /// The `count` sources that are nearest to a rule at a time, and to which.
    #[must_use]
    pub fn top(&self, count: usize, at: u64) -> Vec<(Source, Near)> {
        let all = self.table.by_interest(at.min(AT_MOST)).into_iter().take(count);
        all.filter_map(|(place, near)| Some((self.table.trail(place).source(), near?))).collect()
    }

    /// Sources that have a trail.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether no source has a trail.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Trails that gave up their places so far.
    #[must_use]
    pub fn evictions(&self) -> u64 {
        self.table.evictions
    }

    /// Rows that did not count, since their source was new and the table full.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.table.refused
    }
}

/// The numbers of the bits that are set, from the lowest on.
#[inline]
fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let one = (bits != 0).then(|| bits.trailing_zeros() as usize);
        bits &= bits.wrapping_sub(1);
        one
    })
}
