//! One line: the fast reader reads what the naive one reads.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use logwatch_fuzz::{checks, mutator};

fuzz_target!(|data: &[u8]| checks::line(data));
fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
    mutator::mutate(data, size, most, seed)
});
