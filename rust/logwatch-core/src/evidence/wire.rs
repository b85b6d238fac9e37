//! The evidence of some sources as bytes, to be merged with that of other nodes.
//!
//! A mark with a version, the names of the gauges, then the sources. Numbers are of fixed width and
//! little-endian, or seven bits a byte, lowest first (*short* below). Gauges are known by what they
//! measure and a fingerprint of their condition: nodes with other rules share those that are alike.

use std::collections::BTreeSet;
use std::fmt;

use super::distinct::{Bounds, Distinct};
use super::engine::{AT_MOST, Evidence};
use super::plan::{EXACT_MOST, Measure, Name, RULES_MOST, WITHIN_MOST};
use super::shapes::Shapes;
use super::sketch::{PARTS, RANK_MOST, REGISTERS, Registers, Sketch, part};
use super::tally::{QUARTERS, Tally, quarter};
use super::trail::{DESTINATIONS_MOST, PORTS_MOST, Source, Trail};
use super::window::{BUCKETS, Window, bucket};
use crate::address::Address;

const MARK: &[u8; 8] = b"logwevi3";

/// What ended so many milliseconds ago may still count where it is merged: by then the reports of
/// others are as old, or their clocks behind.
pub const OVER_AFTER: u64 = 300_000;

/// Bytes that can't be read as evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DamagedEvidence {
    /// They are no evidence, or damaged.
    Byte {
        /// Where reading stopped.
        place: usize,
    },
    /// An older or a newer logwatch wrote them.
    Version {
        /// The last byte of their mark.
        theirs: u8,
    },
}

impl fmt::Display for DamagedEvidence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Byte { place } => write!(formatter, "no evidence: byte {place} does not fit"),
            Self::Version { theirs } => write!(
                formatter,
                "evidence of version {}, not {}: use one version of logwatch for agents and escalators",
                char::from(*theirs).escape_default(),
                char::from(MARK[7])
            ),
        }
    }
}

impl std::error::Error for DamagedEvidence {}

type Result<T> = std::result::Result<T, DamagedEvidence>;

/// The evidence of the most interesting sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// To be merged.
    pub bytes: Vec<u8>,
    /// Sources that are in it.
    pub sources: usize,
    /// Sources for which there was no room.
    pub cut: usize,
}

fn put_short(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_names(out: &mut Vec<u8>, names: &[Name]) {
    out.push(names.len() as u8);
    for Name { measure, windows, fingerprint } in names {
        out.push(*measure);
        out.push(windows.len() as u8);
        for within in windows {
            put_short(out, *within);
        }
        out.extend_from_slice(&fingerprint.to_le_bytes());
    }
}

fn put_address(out: &mut Vec<u8>, address: Address) {
    match address {
        Address::V4(bits) => out.extend_from_slice(&bits.to_le_bytes()),
        Address::V6(bits) => out.extend_from_slice(&bits.to_le_bytes()),
    }
}

fn put_trail(out: &mut Vec<u8>, trail: &Trail) {
    let source = trail.source();
    out.push(u8::from(source.is_v6()));
    out.extend_from_slice(&source.bits().to_le_bytes()[..if source.is_v6() { 8 } else { 4 }]);
    put_short(out, trail.last);
    put_short(out, trail.last - trail.first);
    put_short(out, trail.shapes.bits());
    let mut ports: Vec<_> = trail.ports().collect();
    ports.sort_unstable();
    out.push(ports.len() as u8);
    for (port, at) in ports {
        out.extend_from_slice(&port.to_le_bytes());
        put_short(out, trail.last - at);
    }
    let mut destinations: Vec<_> = trail.destinations().collect();
    destinations.sort_unstable();
    out.push(destinations.len() as u8);
    for (bits, at) in destinations {
        put_address(out, source.address_of(bits));
        put_short(out, trail.last - at);
    }
}

fn put_window(out: &mut Vec<u8>, window: &Window) {
    let newest = window.newest();
    let buckets: Vec<_> = window.buckets(newest).collect();
    out.push(buckets.len() as u8);
    if buckets.is_empty() {
        return;
    }
    put_short(out, newest);
    for (number, amount) in buckets {
        out.push((newest - number) as u8);
        put_short(out, amount);
    }
}

fn put_tally(out: &mut Vec<u8>, tally: &Tally) {
    let newest = tally.newest();
    let quarters: Vec<_> = tally.quarters(newest).collect();
    out.push(quarters.len() as u8);
    if quarters.is_empty() {
        return;
    }
    put_short(out, newest);
    for (number, packets) in quarters {
        out.push((newest - number) as u8);
        put_short(out, packets);
    }
}

/// 0 nothing, 1 values, 2 a sketch, the values that can be listed, and the set of the shorter windows.
fn put_distinct(out: &mut Vec<u8>, distinct: &Distinct, bounds: Bounds<'_>) {
    let (newest, longest) = (distinct.newest(), bounds.longest());
    let mut entries: Vec<_> = distinct.listed(newest, longest).collect();
    entries.sort_unstable();
    let sketched = distinct.sketched();
    let kind = if sketched.is_some() { 2 } else { u8::from(!entries.is_empty()) };
    out.push(kind);
    if kind == 0 {
        return;
    }
    put_short(out, newest);
    put_short(out, entries.len() as u64);
    for (value, at) in entries {
        put_short(out, value);
        put_short(out, newest - at);
    }
    let Some((sketch, shorter)) = sketched else { return };
    let parts: Vec<_> = sketch.parts(sketch.newest()).collect();
    out.push(parts.len() as u8);
    for (number, registers) in parts {
        put_short(out, number);
        out.extend_from_slice(registers);
    }
    if let Some(bounds) = bounds.shorter() {
        put_distinct(out, shorter, bounds);
    }
}

/// What the bytes hold.
pub(super) struct Written {
    pub names: Names,
    pub sources: Vec<Told>,
}

/// Of the gauges, in the order in which each source tells of them.
pub(super) struct Names {
    pub windows: Vec<Name>,
    pub tallies: Vec<Name>,
    pub distincts: Vec<Name>,
}

/// What the bytes hold of a source.
pub(super) struct Told {
    pub trail: Trail,
    pub windows: Vec<Vec<(u64, u64)>>,
    pub tallies: Vec<Vec<(u64, u64)>>,
    pub distincts: Vec<ToldDistinct>,
}

/// What the bytes hold of a set.
#[derive(Default)]
pub(super) struct ToldDistinct {
    pub values: Vec<(u64, u64)>,
    /// Sketches, with the window of each and when something was seen last.
    pub sketches: Vec<(u64, Box<Sketch>, u64)>,
}

/// Reads what [`Evidence::to_bytes`] has written.
pub(super) fn read(bytes: &[u8]) -> Result<Written> {
    let mut reader = Reader { bytes, place: 0 };
    let mark: [u8; 8] = reader.take()?;
    if mark[..7] != MARK[..7] {
        return Err(DamagedEvidence::Byte { place: 0 });
    }
    if mark != *MARK {
        return Err(DamagedEvidence::Version { theirs: mark[7] });
    }
    let names =
        Names { windows: reader.names()?, tallies: reader.names()?, distincts: reader.names()? };
    let count = u32::from_le_bytes(reader.take()?);
    let mut sources = Vec::new();
    for _ in 0..count {
        sources.push(reader.told(&names)?);
    }
    reader.checked(reader.place == bytes.len(), Written { names, sources })
}

struct Reader<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl Reader<'_> {
    fn damaged<T>(&self) -> Result<T> {
        Err(DamagedEvidence::Byte { place: self.place })
    }

    fn checked<T>(&self, is_right: bool, value: T) -> Result<T> {
        if is_right { Ok(value) } else { self.damaged() }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let Some(found) = self.bytes[self.place..].first_chunk() else { return self.damaged() };
        self.place += N;
        Ok(*found)
    }

    fn byte(&mut self) -> Result<u8> {
        self.take().map(|[byte]| byte)
    }

    /// A byte of at most `most`.
    fn small(&mut self, most: usize) -> Result<usize> {
        let number = usize::from(self.byte()?);
        self.checked(number <= most, number)
    }

    fn short(&mut self, most: u64) -> Result<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7F);
            if bits << shift >> shift != bits {
                return self.damaged();
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return self.checked(number <= most, number);
            }
        }
        self.damaged()
    }

    fn names(&mut self) -> Result<Vec<Name>> {
        let count = self.small(RULES_MOST)?;
        (0..count)
            .map(|_| {
                let measure = self.byte()?;
                let count = self.small(RULES_MOST)?;
                let windows: Vec<_> =
                    (0..count).map(|_| self.short(WITHIN_MOST)).collect::<Result<_>>()?;
                let is_sorted = windows.windows(2).all(|pair| pair[0] < pair[1]);
                let are_windows = is_sorted && windows.first().is_some_and(|least| *least > 0);
                let windows = self.checked(are_windows, windows)?;
                Ok(Name { measure, windows, fingerprint: u64::from_le_bytes(self.take()?) })
            })
            .collect()
    }

    fn told(&mut self, names: &Names) -> Result<Told> {
        let Names { windows, tallies, distincts } = names;
        Ok(Told {
            trail: self.trail()?,
            windows: windows.iter().map(|name| self.window(name)).collect::<Result<_>>()?,
            tallies: tallies.iter().map(|name| self.tally(name)).collect::<Result<_>>()?,
            distincts: distincts.iter().map(|name| self.distinct(name)).collect::<Result<_>>()?,
        })
    }

    fn trail(&mut self) -> Result<Trail> {
        let v6 = self.small(1)? == 1;
        let address = if v6 {
            Address::V6(u128::from(u64::from_le_bytes(self.take()?)) << 64)
        } else {
            Address::V4(u32::from_le_bytes(self.take()?))
        };
        let last = self.short(AT_MOST)?;
        let first = last - self.short(last)?;
        let mut trail = Trail::new(Source::of(address), first);
        trail.last = last;
        trail.shapes = Shapes::from_bits(self.short(Shapes::ALL)?);
        for _ in 0..self.small(PORTS_MOST)? {
            let port = u16::from_le_bytes(self.take()?);
            trail.see_port(port, last - self.short(last)?);
        }
        for _ in 0..self.small(DESTINATIONS_MOST)? {
            let bits = if v6 {
                u128::from_le_bytes(self.take()?)
            } else {
                u128::from(u32::from_le_bytes(self.take()?))
            };
            trail.see_destination(bits, last - self.short(last)?);
        }
        Ok(trail)
    }

    /// Amounts by number, of the buckets or quarters of a window.
    fn amounts(&mut self, parts: u64, newest_most: u64) -> Result<Vec<(u64, u64)>> {
        let count = self.small(parts as usize)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        let newest = self.short(newest_most)?;
        (0..count)
            .map(|_| {
                let age = u64::from(self.byte()?);
                let age = self.checked(age < parts && age <= newest, age)?;
                Ok((newest - age, self.short(u64::MAX)?))
            })
            .collect()
    }

    fn window(&mut self, name: &Name) -> Result<Vec<(u64, u64)>> {
        self.amounts(BUCKETS, bucket(AT_MOST, name.windows[0]))
    }

    fn tally(&mut self, name: &Name) -> Result<Vec<(u64, u64)>> {
        self.amounts(QUARTERS, quarter(AT_MOST, name.windows[0]))
    }

    /// A set for these windows.
    fn distinct(&mut self, name: &Name) -> Result<ToldDistinct> {
        let value_most =
            if name.measure == Measure::Ports as u8 { u16::MAX.into() } else { u64::MAX };
        let mut told = ToldDistinct::default();
        for within in name.windows.iter().rev() {
            let kind = self.small(2)?;
            if kind == 0 {
                break;
            }
            let newest = self.short(AT_MOST)?;
            for _ in 0..self.short(2 * EXACT_MOST)? {
                let value = self.short(value_most)?;
                told.values.push((value, newest - self.short(newest)?));
            }
            if kind == 1 {
                break;
            }
            let mut sketch = Box::new(Sketch::new());
            for _ in 0..self.small(PARTS as usize)? {
                let number = self.short(part(newest, *within))?;
                let registers: Registers = self.take::<REGISTERS>()?;
                if registers.iter().any(|rank| *rank > RANK_MOST) {
                    return self.damaged();
                }
                sketch.merge(number, &registers);
            }
            told.sketches.push((*within, sketch, newest));
        }
        Ok(told)
    }
}

impl Evidence {
    /// The evidence as bytes: of these sources, or of all; the most interesting first (nearest to a
    /// rule as of [`OVER_AFTER`] before the latest batch, or as of its last packet), as many as there
    /// is room for in `size_most` bytes. The names of the gauges, up to 20 bytes each, are written in
    /// any case. Sources of which nothing counts in any window are left out.
    ///
    /// Which of sources that are equally near come first depends on nothing but them and `salt`. Who
    /// knows it can choose addresses that are always preferred.
    #[must_use]
    pub fn to_bytes(&self, sources: Option<&[Source]>, size_most: usize, salt: u64) -> Excerpt {
        let table = &self.table;
        let at = self.newest.saturating_sub(OVER_AFTER);
        let places = match sources {
            Some(sources) => {
                let wanted = sources.iter().filter_map(|source| table.place(*source));
                table.to_be_told(wanted.collect::<BTreeSet<_>>().into_iter(), at, salt)
            }
            None => table.to_be_told(table.places(), at, salt),
        };
        self.excerpt(&places, size_most)
    }

    /// The same of `count` sources, by their places from `first` on: for who has not the time to write
    /// all at once. Also returns where the next part begins, unless this is the last one. Merged, the
    /// parts are what all of them saw, each as of when it was written: a source that gets another place
    /// meanwhile has forgotten what the earlier part tells of it.
    #[must_use]
    pub fn part_to_bytes(
        &self,
        first: usize,
        count: usize,
        size_most: usize,
        salt: u64,
    ) -> (Excerpt, Option<usize>) {
        let table = &self.table;
        let mut places = table.places().skip_while(|place| *place < first);
        let part: Vec<_> = places.by_ref().take(count).collect();
        let next = places.next();
        let at = self.newest.saturating_sub(OVER_AFTER);
        (self.excerpt(&table.to_be_told(part.into_iter(), at, salt), size_most), next)
    }

    /// As many of the sources at these places as there is room for.
    fn excerpt(&self, places: &[usize], size_most: usize) -> Excerpt {
        let table = &self.table;
        let mut head = MARK.to_vec();
        put_names(&mut head, &table.plan.window_names());
        put_names(&mut head, &table.plan.tally_names());
        put_names(&mut head, &table.plan.distinct_names());
        let mut body = Vec::new();
        let mut written = 0;
        for place in places {
            let whole = body.len();
            self.put_source(&mut body, *place);
            if head.len() + size_of::<u32>() + body.len() > size_most {
                body.truncate(whole);
                break;
            }
            written += 1;
        }
        head.extend_from_slice(&(written as u32).to_le_bytes());
        head.append(&mut body);
        Excerpt { bytes: head, sources: written, cut: places.len() - written }
    }

    fn put_source(&self, out: &mut Vec<u8>, place: usize) {
        let table = &self.table;
        put_trail(out, table.trail(place));
        for gauge in 0..table.plan.windows.len() {
            put_window(out, table.window(place, gauge));
        }
        for gauge in 0..table.plan.tallies.len() {
            put_tally(out, table.tally(place, gauge));
        }
        for (gauge, each) in table.plan.distincts.iter().enumerate() {
            put_distinct(out, table.distinct(place, gauge), each.bounds());
        }
    }
}
