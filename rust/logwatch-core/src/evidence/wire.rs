//! The evidence of some sources as bytes, to be merged with that of other nodes.
//!
//! A mark with a version, the names of the gauges, then the sources. Numbers are of fixed width and
//! little-endian, or seven bits a byte, lowest first (*short* below). Gauges are known by what they
//! measure and a fingerprint of their condition: nodes with other rules share those that are alike.

use std::fmt;

use super::distinct::{Distinct, Entry};
use super::engine::{AT_MOST, Evidence};
use super::plan::{EXACT_MOST, Name, RULES_MOST};
use super::shapes::Shapes;
use super::sketch::{PARTS, RANK_MOST, REGISTERS, Registers, Sketch};
use super::table::{Moment, Table};
use super::trail::{DESTINATIONS_MOST, PORTS_MOST, Source, Trail};
use super::window::{BUCKETS, Window, bucket};
use crate::address::Address;

const MARK: &[u8; 8] = b"logwevi1";

/// Bytes that are no evidence, or not of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DamagedEvidence {
    /// Where reading stopped.
    pub place: usize,
}

impl fmt::Display for DamagedEvidence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no evidence of this version: byte {} does not fit", self.place)
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
    for (measure, within, fingerprint) in names {
        out.push(*measure);
        put_short(out, *within);
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
    out.push(trail.shapes.bits());
    let mut ports = trail.ports();
    ports.sort_unstable_by_key(|(port, at)| (*at, *port));
    out.push(ports.len() as u8);
    for (port, at) in ports {
        out.extend_from_slice(&port.to_le_bytes());
        put_short(out, trail.last - at);
    }
    let destinations = trail.destinations();
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

/// 0 nothing, 1 values, 2 a sketch.
fn put_distinct(out: &mut Vec<u8>, distinct: &Distinct, within: u64) {
    let newest = distinct.newest();
    if let Some(sketch) = distinct.sketch() {
        out.push(2);
        put_short(out, newest);
        let parts: Vec<_> = sketch.parts(sketch.newest()).collect();
        out.push(parts.len() as u8);
        for (number, registers) in parts {
            put_short(out, number);
            out.extend_from_slice(registers);
        }
        return;
    }
    let mut entries: Vec<_> = distinct.entries(newest, within).collect();
    if entries.is_empty() {
        out.push(0);
        return;
    }
    entries.sort_unstable_by_key(|entry| entry.value);
    out.push(1);
    put_short(out, newest);
    put_short(out, entries.len() as u64);
    for entry in entries {
        put_short(out, entry.value);
        put_short(out, newest - entry.at);
    }
}

/// What the bytes hold of a source.
struct Told {
    trail: Trail,
    windows: Vec<Vec<(u64, u64)>>,
    distincts: Vec<ToldDistinct>,
}

enum ToldDistinct {
    Values(Vec<Entry>),
    Sketch(Box<Sketch>, u64),
}

struct Reader<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl Reader<'_> {
    fn damaged<T>(&self) -> Result<T> {
        Err(DamagedEvidence { place: self.place })
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
        let count = self.small(2 * RULES_MOST)?;
        (0..count)
            .map(|_| {
                let (measure, within) = (self.byte()?, self.short(u64::MAX)?);
                let within = self.checked(within > 0, within)?;
                Ok((measure, within, u64::from_le_bytes(self.take()?)))
            })
            .collect()
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
        trail.shapes = match Shapes::from_bits(self.byte()?) {
            Some(shapes) => shapes,
            None => return self.damaged(),
        };
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

    fn window(&mut self, within: u64) -> Result<Vec<(u64, u64)>> {
        let count = self.small(BUCKETS as usize)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        let newest = self.short(bucket(AT_MOST, within))?;
        (0..count)
            .map(|_| {
                let age = u64::from(self.byte()?);
                let age = self.checked(age < BUCKETS && age <= newest, age)?;
                Ok((newest - age, self.short(u64::MAX)?))
            })
            .collect()
    }

    fn distinct(&mut self, within: u64) -> Result<ToldDistinct> {
        match self.small(2)? {
            0 => Ok(ToldDistinct::Values(Vec::new())),
            1 => {
                let newest = self.short(AT_MOST)?;
                let count = self.short(2 * EXACT_MOST)?;
                let entry = |_| {
                    let value = self.short(u64::MAX - 1)?;
                    Ok(Entry { value, at: newest - self.short(newest)? })
                };
                (0..count).map(entry).collect::<Result<_>>().map(ToldDistinct::Values)
            }
            _ => {
                let newest = self.short(AT_MOST)?;
                let mut sketch = Box::new(Sketch::new());
                for _ in 0..self.small(PARTS as usize)? {
                    let number = self.short(newest * PARTS / within)?;
                    let registers: Registers = self.take::<REGISTERS>()?;
                    if registers.iter().any(|rank| *rank > RANK_MOST) {
                        return self.damaged();
                    }
                    sketch.merge(number, &registers);
                }
                Ok(ToldDistinct::Sketch(sketch, newest))
            }
        }
    }
}

/// For each of their gauges, which of ours it is.
fn known(theirs: &[Name], ours: &[Name]) -> Vec<Option<usize>> {
    theirs.iter().map(|name| ours.iter().position(|our| our == name)).collect()
}

impl Table {
    fn merge(
        &mut self,
        told: &Told,
        windows: &[Option<usize>],
        distincts: &[Option<usize>],
        at: u64,
    ) {
        let source = told.trail.source();
        let hash = self.hash(source);
        let place = if let Some(place) = self.find(source, hash) {
            self.trail_mut(place).merge(&told.trail);
            place
        } else {
            let now = Moment::new(&self.plan, at.max(told.trail.last));
            let Some(place) = self.admit(source, hash, &now, true) else { return };
            *self.trail_mut(place) = told.trail.clone();
            place
        };
        for (buckets, gauge) in told.windows.iter().zip(windows) {
            let Some(gauge) = *gauge else { continue };
            for (bucket, amount) in buckets {
                self.window_mut(place, gauge).add(*bucket, *amount);
            }
        }
        for (values, gauge) in told.distincts.iter().zip(distincts) {
            let Some(gauge) = *gauge else { continue };
            let bounds = self.plan.distincts[gauge].bounds;
            let distinct = self.distinct_mut(place, gauge);
            match values {
                ToldDistinct::Values(entries) => {
                    for entry in entries {
                        distinct.see(entry.value, entry.at, &bounds);
                    }
                }
                ToldDistinct::Sketch(sketch, newest) => {
                    distinct.merge_sketch(sketch, *newest, &bounds);
                }
            }
        }
    }
}

impl Evidence {
    /// The evidence as bytes: of these sources, or of all; the most interesting first (nearest to a
    /// rule, then the latest), as many as there is room for in `size_most` bytes. The names of the
    /// gauges, up to 20 bytes each, are written in any case.
    #[must_use]
    pub fn to_bytes(&self, sources: Option<&[Source]>, size_most: usize) -> Excerpt {
        let table = &self.table;
        let mut head = MARK.to_vec();
        put_names(&mut head, &table.plan.window_names());
        put_names(&mut head, &table.plan.distinct_names());
        let wanted = sources.map(|sources| {
            sources.iter().filter_map(|source| table.place(*source)).collect::<Vec<_>>()
        });
        let mut places = table.by_interest(self.newest);
        if let Some(wanted) = wanted {
            places.retain(|(place, _)| wanted.contains(place));
        }
        let mut body = Vec::new();
        let mut written = 0;
        for (place, _) in &places {
            let whole = body.len();
            put_trail(&mut body, table.trail(*place));
            for gauge in 0..table.plan.windows.len() {
                put_window(&mut body, table.window(*place, gauge));
            }
            for (gauge, each) in table.plan.distincts.iter().enumerate() {
                put_distinct(&mut body, table.distinct(*place, gauge), each.bounds.within);
            }
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

    /// Adds the evidence of another node; afterwards [`Self::judge`] decides as if this one had seen
    /// what both saw. Returns how many sources there were. Packets that are merged twice count twice.
    ///
    /// # Errors
    ///
    /// When the bytes are anything else; nothing is merged then.
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> std::result::Result<usize, DamagedEvidence> {
        let mut reader = Reader { bytes, place: 0 };
        if reader.take()? != *MARK {
            return Err(DamagedEvidence { place: 0 });
        }
        let (windows, distincts) = (reader.names()?, reader.names()?);
        let count = u32::from_le_bytes(reader.take()?);
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(Told {
                trail: reader.trail()?,
                windows: windows.iter().map(|name| reader.window(name.1)).collect::<Result<_>>()?,
                distincts: distincts
                    .iter()
                    .map(|name| reader.distinct(name.1))
                    .collect::<Result<_>>()?,
            });
        }
        if reader.place != bytes.len() {
            return reader.damaged();
        }
        let windows = known(&windows, &self.table.plan.window_names());
        let distincts = known(&distincts, &self.table.plan.distinct_names());
        for told in &all {
            self.newest = self.newest.max(told.trail.last);
            self.table.merge(told, &windows, &distincts, self.newest);
        }
        Ok(all.len())
    }
}
