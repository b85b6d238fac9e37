//! A stream in pieces: the scanner counts what the naive one counts.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use logwatch_fuzz::{checks, mutator};

fuzz_target!(|data: &[u8]| checks::chunks(data));
fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
    mutator::mutate(data, size, most, seed)
});
