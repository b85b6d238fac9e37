//! Some lines of sources that came near to a rule, as they were written; bounded as a whole.

use std::collections::{HashMap, VecDeque};

use super::trail::Source;

/// Lines of a source.
pub const SAMPLES_MOST: usize = 5;
/// Bytes of a line that are kept: the kernel's have less than 400.
pub const SAMPLE_MOST: usize = 512;
/// Bytes of all lines together.
const BYTES_MOST: usize = 1 << 20;
/// What a line costs beside its bytes, about.
const OVERHEAD: usize = 64;
/// Sources of which the dullest gives up its lines: those that came first.
const CANDIDATES: usize = 8;

/// Lines by source.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    lines: HashMap<Source, Kept>,
    /// The sources in the order in which they came, with the numbers by which they came; some of them
    /// are gone.
    order: VecDeque<(Source, u64)>,
    number: u64,
    bytes: usize,
}

/// The lines of a source, each with its time, and the number by which it came.
#[derive(Clone, Debug, Default)]
struct Kept {
    lines: Vec<(u64, Box<[u8]>)>,
    number: u64,
}

impl Samples {
    /// Keeps a line of a source, of a time in milliseconds. Where all bytes are taken, the one among the first for which `near`
    /// gives the lowest number loses its lines.
    pub(super) fn keep(
        &mut self,
        source: Source,
        line: &[u8],
        at: u64,
        near: impl Fn(Source) -> f32,
    ) {
        let line = &line[..line.len().min(SAMPLE_MOST)];
        let kept = self.lines.entry(source).or_default();
        if kept.lines.len() == SAMPLES_MOST {
            return;
        }
        if kept.lines.is_empty() {
            self.number += 1;
            kept.number = self.number;
            self.order.push_back((source, self.number));
        }
        kept.lines.push((at, line.into()));
        self.bytes += line.len() + OVERHEAD;
        while self.bytes > BYTES_MOST {
            let first = self.order.iter().take(CANDIDATES).map(|(source, _)| *source);
            let first = first.map(|source| (near(source), source));
            let dullest = first.min_by(|one, other| one.0.total_cmp(&other.0));
            let Some((_, dullest)) = dullest else { return };
            self.forget(dullest);
            self.order.retain(|(source, _)| *source != dullest);
        }
        if self.order.len() > 2 * self.lines.len() + CANDIDATES {
            let is_there = |(source, number): &(Source, u64)| {
                self.lines.get(source).is_some_and(|kept| kept.number == *number)
            };
            self.order.retain(is_there);
        }
    }

    /// Forgets the lines of a source.
    pub(super) fn forget(&mut self, source: Source) {
        let Some(kept) = self.lines.remove(&source) else { return };
        self.bytes -= kept.lines.iter().map(|(_, line)| line.len() + OVERHEAD).sum::<usize>();
    }

    /// Forgets the lines of a source from before a time; how many are left.
    pub(super) fn forget_before(&mut self, source: Source, time: u64) -> usize {
        let Some(kept) = self.lines.get_mut(&source) else { return 0 };
        kept.lines.retain(|(at, line)| {
            let stays = *at >= time;
            self.bytes -= if stays { 0 } else { line.len() + OVERHEAD };
            stays
        });
        let left = kept.lines.len();
        if left == 0 {
            self.lines.remove(&source);
        }
        left
    }

    /// The lines of a source from a time on as text, the first one first; what is no UTF-8 is replaced.
    pub(super) fn since(&self, source: Source, time: u64) -> Vec<String> {
        let lines = self.lines.get(&source).into_iter().flat_map(|kept| &kept.lines);
        lines
            .filter(|(at, _)| *at >= time)
            .map(|(_, line)| String::from_utf8_lossy(line).into_owned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;

    fn of(number: u32) -> Source {
        Source::of(Address::V4(number))
    }

    #[test]
    fn all_lines_together_are_bounded_and_the_dullest_go() {
        let mut samples = Samples::default();
        let near = |source| if source == of(1) { 1.0 } else { 0.0 };
        for number in 1..=3_000 {
            for _ in 0..7 {
                samples.keep(of(number), &[b'x'; 700], 0, near);
            }
            assert!(samples.bytes <= BYTES_MOST);
            assert!(samples.order.len() <= 2 * samples.lines.len() + CANDIDATES);
        }
        assert!(samples.bytes > BYTES_MOST / 2);
        for (number, lines) in [(1, 5), (2, 0), (3_000, 5)] {
            assert_eq!(vec!["x".repeat(512); lines], samples.since(of(number), 0));
        }
        for number in 1..=10_000 {
            samples.keep(of(number), b"again", 0, near);
            samples.forget(of(number));
            assert!(samples.since(of(number), 0).is_empty());
        }
        assert!(samples.order.len() < 10_000);
    }

    #[test]
    fn lines_from_before_a_time_make_room() {
        let mut samples = Samples::default();
        for (at, line) in [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e"), (6, "too many")] {
            samples.keep(of(1), line.as_bytes(), at, |_| 0.0);
        }
        assert_eq!(vec!["d", "e"], samples.since(of(1), 4));
        assert_eq!(3, samples.forget_before(of(1), 3));
        samples.keep(of(1), b"f", 7, |_| 0.0);
        assert_eq!(vec!["c", "d", "e", "f"], samples.since(of(1), 0));
        assert_eq!(4 * (1 + OVERHEAD), samples.bytes);
        assert_eq!(0, samples.forget_before(of(1), 8));
        assert_eq!((0, 0), (samples.bytes, samples.lines.len()));
    }
}
