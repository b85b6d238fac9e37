//! What `make instructions` runs under valgrind: counts one file, and prints its lines and packets.

use std::env;
use std::error::Error;
use std::fs::File;
use std::io::Read;

use logwatch_core::hash::Seed;
use logwatch_core::prefix::Prefixes;
use logwatch_core::scanner::{Scanner, Settings};
use logwatch_core::summary::Limits;
use logwatch_core::time::{Clock, utc};

const PREFIXES: [&str; 3] = ["calico-packet", "calico-packet-nodeports", "calico-packet-lb"];
/// As `bench/groups/pieces.py` cuts them.
const PIECE: usize = 128 * 1024;
/// As the Python package sets it when nothing else is asked for.
const MEMORY: usize = 256 << 20;
/// 2026-11-24T12:00:00Z; the year of the stamps must not depend on the day of the run.
const NOW: i64 = 1_795_521_600;

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args_os().nth(1).ok_or("which file?")?;
    let settings = Settings {
        prefixes: Prefixes::new(&PREFIXES)?,
        limits: Limits { bytes: MEMORY, destinations: true },
        slice_seconds: 0,
        late_seconds: 0,
    };
    let mut scanner = Scanner::new(
        settings,
        Clock::new(utc, NOW),
        Seed::fixed(0x9E37_79B9_7F4A_7C15, 0xD134_2543_DE82_EF95),
    );
    let mut file = File::open(path)?;
    let mut piece = vec![0; PIECE];
    loop {
        let length = file.read(&mut piece)?;
        if length == 0 {
            break;
        }
        scanner.feed(&piece[..length]);
    }
    scanner.finish();
    let summary = scanner.drain();
    println!("{} {}", summary.lines.iter().sum::<u64>(), summary.total().packets);
    Ok(())
}
