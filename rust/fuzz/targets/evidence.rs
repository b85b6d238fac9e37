//! Evidence of another node, damaged or made up: an error or evidence that is written alike, never a
//! panic.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use logwatch_fuzz::{checks, mutator};

fuzz_target!(|data: &[u8]| checks::evidence::merged(data));
fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
    mutator::mutate(data, size, most, seed)
});
