//! An estimate of how many distinct values a window held, in 3 KiB.
//!
//! Twelve `HyperLogLog`s of 256 registers, one for each twelfth of the window in absolute time; the
//! union of the running one and the eleven before it is what counts. So it never counts what is older
//! than the window and may miss what lies in its oldest twelfth. The standard error is
//! 1.04 / sqrt(256), 6.5 %. The hash has no seed, so that the sketches of several nodes can be merged:
//! whoever chooses their own values can make themselves look smaller.

use crate::distinct::{estimate, mix};

/// Parts of a window.
pub(super) const PARTS: u64 = 12;
/// Registers of a part.
pub(super) const REGISTERS: usize = 256;
/// Highest rank: 56 bits of the hash are zero.
pub(super) const RANK_MOST: u8 = 57;

/// The part of a time; both in milliseconds.
pub(super) fn part(at: u64, within: u64) -> u64 {
    at * PARTS / within
}

/// When a part begins.
pub(super) fn part_start(part: u64, within: u64) -> u64 {
    (part * within).div_ceil(PARTS)
}

pub(super) type Registers = [u8; REGISTERS];

/// Registers by part.
#[derive(Clone, Debug)]
pub(super) struct Sketch {
    /// Number of the newest part.
    newest: u64,
    parts: [Registers; PARTS as usize],
}

impl Sketch {
    pub(super) fn new() -> Self {
        Self { newest: 0, parts: [[0; REGISTERS]; PARTS as usize] }
    }

    /// Sees a value at a time, in a window of a length (milliseconds).
    pub(super) fn see(&mut self, value: u64, at: u64, within: u64) {
        let Some(registers) = self.part(part(at, within)) else { return };
        let hash = mix(value.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let rank = (hash << 8 | 1 << 7).leading_zeros() as u8 + 1;
        let register = &mut registers[(hash >> 56) as usize];
        *register = rank.max(*register);
    }

    /// Adds what another sketch has seen in a part.
    pub(super) fn merge(&mut self, number: u64, theirs: &Registers) {
        let Some(registers) = self.part(number) else { return };
        for (mine, theirs) in registers.iter_mut().zip(theirs) {
            *mine = (*mine).max(*theirs);
        }
    }

    /// The registers of a part; none if it is older than the window.
    fn part(&mut self, number: u64) -> Option<&mut Registers> {
        if number > self.newest {
            for passed in (self.newest + 1).max((number + 1).saturating_sub(PARTS))..=number {
                self.parts[place(passed)].fill(0);
            }
            self.newest = number;
        }
        (number + PARTS > self.newest).then(|| &mut self.parts[place(number)])
    }

    /// The estimate for the window that ends at a time.
    pub(super) fn estimate(&self, at: u64, within: u64) -> u64 {
        let mut union = [0; REGISTERS];
        for (_, registers) in self.parts(part(at, within)) {
            for (all, one) in union.iter_mut().zip(registers) {
                *all = (*all).max(*one);
            }
        }
        estimate(&union)
    }

    /// The parts that are not empty of the window that ends with a part, by number.
    pub(super) fn parts(&self, end: u64) -> impl Iterator<Item = (u64, &Registers)> {
        let behind = |number: u64| (number + 1).saturating_sub(PARTS);
        (behind(end).max(behind(self.newest))..=self.newest)
            .map(|number| (number, &self.parts[place(number)]))
            .filter(|(_, registers)| registers.iter().any(|rank| *rank > 0))
    }

    /// Forgets all parts up to one.
    pub(super) fn forget_up_to(&mut self, number: u64) {
        for passed in (self.newest + 1).saturating_sub(PARTS)..=number.min(self.newest) {
            self.parts[place(passed)].fill(0);
        }
    }

    /// The newest part's number.
    pub(super) fn newest(&self) -> u64 {
        self.newest
    }
}

fn place(number: u64) -> usize {
    (number % PARTS) as usize
}
