//! What the fuzz targets check of any bytes, and the tests of recorded ones.

pub mod evidence;

use std::sync::OnceLock;

use logwatch_core::hash::Seed;
use logwatch_core::lanes::Level;
use logwatch_core::line;
use logwatch_core::losses;
use logwatch_core::prefix::Prefixes;
use logwatch_core::scanner::{Scanner, Settings};
use logwatch_core::summary::{Limits, Summary};
use logwatch_core::time::{Clock, utc};
use logwatch_core::views::Views;

use crate::naive;
use crate::naive::counts::Counts;
use crate::naive::prefix::Prefix;

/// What may be configured: spellings that are cut, that begin one another, with every specifier.
pub const SETS: [&[&str]; 10] = [
    &["calico-packet"],
    &["calico-packet", "calico-packet-nodeports", "calico-packet-lb"],
    &["calico-packet %k %p", "calico-packet"],
    &["cp %t.%k.%n", "cp %p", "cp "],
    &["a-prefix-of-exactly-29-bytes!", "a-prefix-that-is-longer-than-29-bytes", "a-pre%n"],
    &["x%p%%y%t", "x", "\u{e9}t\u{e9} %n/%p"],
    &["message", "kernel:", "(%k)", "calico-packet: "],
    &[LONG, "a-prefix-for-nftables %p"],
    &["%n", "%t-%n: %p"],
    &["ab%nab%nab%n", "%k %n %t %p"],
];

/// The last sets: any text may be a prefix of theirs, so that each line is read as a packet's.
const SELDOM: usize = 2;

/// Which of the sets a byte chooses: one of the last ones by its own number alone.
fn index(choice: u8) -> usize {
    let choice = usize::from(choice);
    if choice < SETS.len() { choice } else { choice % (SETS.len() - SELDOM) }
}

/// Longer than what nftables keeps.
const LONG: &str = "calico-packet gnp log-denied-packets-of-the-public-interface-log-denied-packets-of-\
                    the-public-interface-log-denied-packets-of-the-public-interface %n";

/// 2026-11-24T12:00:00Z
const NOW: i64 = 1_795_521_600;

/// One set of prefixes, as each reader has it.
struct Readers {
    prefixes: Prefixes,
    naive: Vec<Prefix>,
}

fn readers(choice: u8) -> &'static Readers {
    static READERS: OnceLock<Vec<Readers>> = OnceLock::new();
    let all = READERS.get_or_init(|| {
        SETS.iter()
            .map(|texts| Readers {
                prefixes: Prefixes::new(texts).expect("usable prefixes"),
                naive: texts.iter().map(|text| Prefix::new(text)).collect(),
            })
            .collect()
    });
    &all[index(choice)]
}

/// A byte that chooses the prefixes, then one line: both readers read it alike.
pub fn line(data: &[u8]) {
    let Some((&choice, line)) = data.split_first() else { return };
    same_reading(choice, line);
}

/// Both readers read `line` alike with the prefixes of this choice.
pub fn same_reading(choice: u8, line: &[u8]) {
    let readers = readers(choice);
    assert_eq!(
        naive::losses::read(line),
        losses::read(line),
        "of {:?}",
        String::from_utf8_lossy(line)
    );
    let expected = naive::read_line(line, &readers.naive);
    let found = line::read_line(line, &readers.prefixes);
    assert!(
        expected == found,
        "read differently with {:?}: {:?}\n   naive: {expected:?}\n    fast: {found:?}",
        SETS[index(choice)],
        String::from_utf8_lossy(line)
    );
}

/// A byte that chooses the prefixes, one that says how, then a stream: the scanner counts what the
/// naive one counts.
pub fn chunks(data: &[u8]) {
    let [choice, how, stream @ ..] = data else { return };
    let levels = levels();
    let level = levels[usize::from(how >> 2) % levels.len()];
    match how % 4 {
        0 | 1 => same_counts(*choice, level, stream, []),
        2 => same_counts(*choice, level, stream, sizes(*how, 24)),
        _ => same_counts(*choice, level, stream, sizes(*how, 1_000)),
    }
}

/// Sizes of pieces up to `most` bytes, the same for the same `seed`.
fn sizes(seed: u8, most: usize) -> impl Iterator<Item = usize> {
    let mut state = u32::from(seed);
    std::iter::from_fn(move || {
        // A linear congruence (Numerical Recipes); its high bits are random enough for cuts.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some((state >> 16) as usize % most + 1)
    })
}

/// What this processor can be asked for.
pub fn levels() -> &'static [Level] {
    static LEVELS: OnceLock<Vec<Level>> = OnceLock::new();
    LEVELS.get_or_init(Level::available)
}

/// The scanner, given pieces of these sizes and then the rest, counts what the naive one counts.
pub fn same_counts(
    choice: u8,
    level: Level,
    stream: &[u8],
    sizes: impl IntoIterator<Item = usize>,
) {
    let readers = readers(choice);
    let expected = Counts::of_stream(stream, &readers.naive, NOW);
    let settings = Settings {
        prefixes: readers.prefixes.clone(),
        limits: LIMITS,
        slice_seconds: 0,
        late_seconds: 0,
    };
    let mut scanner = Scanner::with_level(settings, Clock::new(utc, NOW), seed(), level);
    scanner.keep_timeline();
    let mut rest = stream;
    for size in sizes {
        let (piece, later) = rest.split_at(size.min(rest.len()));
        assert_eq!(piece.len(), scanner.feed(piece), "without slices, all is taken");
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    scanner.feed(rest);
    scanner.finish();
    let found = Counts::of_summary(&scanner.drain())
        .expect("room for all flows, each link and each second once");
    assert!(
        expected == found,
        "counted differently with {level:?} and {:?}: {:?}\n   naive: {expected:?}\n    fast: {found:?}",
        SETS[index(choice)],
        String::from_utf8_lossy(stream)
    );
}

const LIMITS: Limits = Limits { bytes: 1 << 20, destinations: true };
/// So small that some flows find no room.
const SMALL: Limits = Limits { bytes: 1 << 14, destinations: true };
/// Damages of a summary's bytes in one input.
const DAMAGES_MOST: usize = 8;

/// What is made of an input for whatever is written as bytes.
pub enum Input<'a> {
    /// These instead of what was written.
    Bytes(&'a [u8]),
    /// What the stream makes, damaged.
    Damaged { damages: &'a [u8], stream: &'a [u8] },
}

impl<'a> Input<'a> {
    /// The first byte says which; `None` when the input is too short.
    pub fn of(data: &'a [u8]) -> Option<Self> {
        let (&form, rest) = data.split_first()?;
        if form >= 128 {
            return Some(Self::Bytes(rest));
        }
        let damages = usize::from(form) % (DAMAGES_MOST + 1);
        let (damages, stream) = rest.split_at_checked(damages * 3)?;
        Some(Self::Damaged { damages, stream })
    }
}

/// Changes bytes: three for each damage, where and by what.
pub fn damage(bytes: &mut [u8], damages: &[u8]) {
    for damage in damages.chunks_exact(3) {
        let place = usize::from(u16::from_le_bytes([damage[0], damage[1]])) % bytes.len();
        bytes[place] ^= damage[2];
    }
}

/// A scanner of the first prefixes that runs out of room.
pub fn small_scanner() -> Scanner {
    let settings = Settings {
        prefixes: readers(0).prefixes.clone(),
        limits: SMALL,
        slice_seconds: 0,
        late_seconds: 0,
    };
    let mut scanner = Scanner::new(settings, Clock::new(utc, NOW), seed());
    scanner.keep_timeline();
    scanner
}

/// How many bytes of a summary are damaged, three bytes for each (where, and by what), then the
/// stream that is counted; or, from 128 on, bytes instead of a summary. Reading them never panics,
/// and what was read is written as it was.
pub fn summary(data: &[u8]) {
    let (damages, stream) = match Input::of(data) {
        None => return,
        Some(Input::Bytes(bytes)) => {
            read_summary(bytes);
            return;
        }
        Some(Input::Damaged { damages, stream }) => (damages, stream),
    };
    let mut scanner = small_scanner();
    scanner.feed(stream);
    scanner.finish();
    let mut bytes = scanner.drain().to_bytes();
    let whole = read_summary(&bytes).expect("what was just written");
    assert_eq!(bytes, whole.to_bytes(), "written otherwise than before");
    if damages.is_empty() {
        return;
    }
    damage(&mut bytes, damages);
    read_summary(&bytes);
}

fn read_summary(bytes: &[u8]) -> Option<Summary> {
    let mut summary = Summary::from_bytes(seed(), SMALL, bytes).ok()?;
    summary.settle();
    let written = summary.to_bytes();
    let again = Summary::from_bytes(seed(), SMALL, &written).expect("what was written");
    assert_eq!(written, again.to_bytes(), "not a fixed point");
    // What was believed can be looked at. (A damaged summary may list what it likes, but not panic.)
    let views = Views::new(&summary);
    let most = summary.rows().count();
    assert!(views.flows(0).len() <= most && views.sources(0).len() <= most);
    assert!(views.ports(0).len() <= most);
    Some(summary)
}

/// One for the whole process: a summary is read back with the seed that it was made with.
pub fn seed() -> Seed {
    static SEED: OnceLock<Seed> = OnceLock::new();
    *SEED.get_or_init(Seed::random)
}
