//! What each source did lately, judged by rules.
//!
//! Rows of a summary go in with the time of the batch ([`Evidence::observe`]); out come the sources
//! that fulfil a rule, with the evidence. The memory is bounded by the number of sources
//! ([`Plan::bytes_per_source_most`]). The evidence of several nodes can be merged as bytes.
//!
//! Times are event times in milliseconds. Evidence may be missed, never invented: packets of a
//! batch that is older than the newest one count where they belong, or not at all.

mod condition;
mod distinct;
mod engine;
mod filter;
mod forget;
mod index;
mod judge;
mod latest;
mod merge;
mod near;
mod networks;
mod pairs;
mod plan;
mod reach;
mod ring;
mod samples;
mod sampling;
mod seen;
mod shapes;
mod sketch;
mod slots;
mod table;
mod tally;
mod trail;
mod values;
mod window;
mod wire;

pub use condition::{Condition, PolicyFacts};
pub use engine::{Evidence, Verdict};
pub use judge::{Found, Fulfilled, Near};
pub use merge::{AHEAD_MOST, ReportError};
pub use near::NearMiss;
pub use networks::Networks;
pub use plan::{ClassPlan, Measure, Plan, PlanError, RULES_MOST, Rule, WITHIN_LEAST, WITHIN_MOST};
pub use samples::{SAMPLE_MOST, SAMPLES_MOST};
pub use seen::Seen;
pub use shapes::Shapes;
pub use trail::{DESTINATIONS_MOST, PORTS_MOST, Source};
pub use wire::{DamagedEvidence, Excerpt, OVER_AFTER};
