//! Finds the lines of some sources among those that a summary keeps.

use memchr::memmem::Finder;

use super::condition::PolicyFacts;
use super::trail::Source;
use crate::cursor::Cursor;
use crate::line;
use crate::policy::Policy;
use crate::summary::Summary;

/// The kept lines of these sources, sorted, as far as their policy denies. Most lines are of others:
/// only where the address fits is a line read as a whole.
pub(super) fn lines<'a>(
    summary: &'a Summary,
    policies: &'a [PolicyFacts],
    wanted: &'a [Source],
) -> impl Iterator<Item = (Source, &'a [u8])> {
    let finder = Finder::new(b" SRC=");
    let samples = summary.samples.split_inclusive(|byte| *byte == b'\n');
    samples.filter_map(move |line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let place = finder.find(line)? + finder.needle().len();
        let source = Source::of(Cursor::new(&line[place..]).take_address()?);
        wanted.binary_search(&source).ok()?;
        let reading = line::read_line(line, summary.prefixes.as_deref()?);
        let packet = reading.packet?;
        let policy = Policy::new(reading.prefix?, reading.names);
        let is_denied = policies.get(summary.policy_number(&policy)?)?.denied;
        (is_denied && Source::of(packet.source) == source).then_some((source, line))
    })
}
