//! Distinct destinations, from a summary's pairs of source and destination.
//!
//! Where rows do not tell all destinations, since there are too many or since a summary was merged, a
//! pair tells neither port nor class. So it counts for a rule only when all rows of its source in the
//! batch fulfil what the rule asks of them: destinations may be missed, never invented.

use std::collections::HashMap;

use super::condition::{Decision, PolicyFacts};
use super::plan::{ClassPlan, Plan};
use super::seen::rows;
use crate::address::Address;
use crate::summary::Summary;

/// For which gauges the pairs of a source count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowed {
    /// By bits in the order of the plan's gauges of destinations.
    pub gauges: u64,
    /// Whether all rows counted for something.
    pub counted: bool,
}

/// The pairs of a summary, and for what each counts; none where its rows tell all of them.
pub(super) fn pairs(
    summary: &Summary,
    plan: &Plan,
    classes: &[ClassPlan],
    policies: &[PolicyFacts],
) -> Vec<(Address, Address, Allowed)> {
    let (v4, v6) = summary.tables();
    if !v4.has_more_pairs() && !v6.has_more_pairs() {
        return Vec::new();
    }
    let pairs = v4
        .pairs()
        .map(|(source, destination)| (Address::V4(source), Address::V4(destination)))
        .chain(
            v6.pairs().map(|(source, destination)| (Address::V6(source), Address::V6(destination))),
        );
    let decisions: Vec<Vec<Decision>> = summary
        .classes()
        .map(|class| {
            policies
                .get(usize::from(class.policy))
                .map_or_else(Vec::new, |policy| plan.of_pairs(class, policy))
        })
        .collect();
    let mut allowed: HashMap<Address, Allowed> = HashMap::new();
    let rows = rows(v4, classes, Address::V4).chain(rows(v6, classes, Address::V6));
    for (seen, _) in rows {
        let mut gauges = 0;
        for (bit, decision) in decisions[seen.class].iter().enumerate() {
            let holds = match decision {
                Decision::Known(known) => *known,
                Decision::Open(rest) => rest.holds(seen.source, seen.port, None) == Some(true),
            };
            gauges |= u64::from(holds) << bit;
        }
        let mask = classes[seen.class].mask(|rest| rest.holds(seen.source, seen.port, None));
        let entry =
            allowed.entry(seen.source).or_insert(Allowed { gauges: u64::MAX, counted: true });
        entry.gauges &= gauges;
        entry.counted &= !mask.is_empty();
    }
    pairs
        .filter_map(|(source, destination)| {
            let mut allowed = *allowed.get(&source)?;
            for (bit, gauge) in plan.destinations.iter().enumerate() {
                if gauge.addresses.holds(source, None, Some(destination)) != Some(true) {
                    allowed.gauges &= !(1 << bit);
                }
            }
            (allowed.counted || allowed.gauges != 0).then_some((source, destination, allowed))
        })
        .collect()
}
