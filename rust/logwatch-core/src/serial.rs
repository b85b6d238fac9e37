//! A summary as bytes, to be merged in another process: the same counts give the same bytes.
//!
//! Little-endian numbers of fixed width behind a mark with a version. Lists are sorted and begin
//! with their length. Nothing of the process is in it, neither the seed nor the tables' sizes.

use std::fmt;

use crate::class::{Class, Interface, Transport};
use crate::count::Count;
use crate::flows::{Flows, Tag, Word};
use crate::hash::Seed;
use crate::policy::Policy;
use crate::prefix::PREFIXES_MOST;
use crate::summary::{Limits, Summary};
use crate::timeline::{LEVEL_MOST, Timeline};

const MARK: &[u8; 8] = b"logwsum4";
/// Longest name in a policy: what nftables prints of a prefix.
const NAME_MOST: usize = 127;

/// Bytes that are no summary, or not one of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DamagedSummary {
    /// Where reading stopped.
    pub place: usize,
}

impl fmt::Display for DamagedSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no summary of this version: byte {} does not fit", self.place)
    }
}

impl std::error::Error for DamagedSummary {}

/// A number that is written as it lies in memory of a little-endian machine.
trait Plain: Sized {
    fn put(&self, bytes: &mut Vec<u8>);
    fn take(source: &mut Source<'_>) -> Result<Self, DamagedSummary>;
}

macro_rules! plain {
    ($($number:ty),*) => {$(
        impl Plain for $number {
            fn put(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn take(source: &mut Source<'_>) -> Result<Self, DamagedSummary> {
                source.take().map(Self::from_le_bytes)
            }
        }
    )*};
}

plain!(u8, u16, u32, u64, u128);

struct Source<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl Source<'_> {
    fn damaged<T>(&self) -> Result<T, DamagedSummary> {
        Err(DamagedSummary { place: self.place })
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], DamagedSummary> {
        let Some(found) = self.bytes[self.place..].first_chunk() else { return self.damaged() };
        self.place += N;
        Ok(*found)
    }

    fn number<T: Plain>(&mut self) -> Result<T, DamagedSummary> {
        T::take(self)
    }

    /// The elements of a list. Its length is believed only as far as there are bytes.
    fn list<T>(
        &mut self,
        element: impl Fn(&mut Self) -> Result<T, DamagedSummary>,
    ) -> Result<Vec<T>, DamagedSummary> {
        let count = self.number::<u32>()?;
        let mut elements = Vec::new();
        for _ in 0..count {
            elements.push(element(self)?);
        }
        Ok(elements)
    }

    fn name(&mut self) -> Result<Option<Box<[u8]>>, DamagedSummary> {
        let length = usize::from(self.number::<u8>()?);
        if length == 0 {
            return Ok(None);
        }
        match self.bytes[self.place..].get(..length) {
            Some(name) if length <= NAME_MOST => {
                self.place += length;
                Ok(Some(name.into()))
            }
            _ => self.damaged(),
        }
    }

    fn policy(&mut self) -> Result<Policy, DamagedSummary> {
        let prefix = self.number::<u8>()?;
        if usize::from(prefix) >= PREFIXES_MOST {
            return self.damaged();
        }
        Ok(Policy {
            prefix,
            tier: self.name()?,
            kind: self.name()?,
            policy: self.name()?,
            namespace: self.name()?,
        })
    }

    fn class(&mut self, policies: usize) -> Result<Class, DamagedSummary> {
        let interface = Interface::from_bits(self.number()?);
        let policy = self.number::<u16>()?;
        let transport = Transport::from_bits(self.number()?);
        let flags = self.number::<u8>()?;
        match (interface, transport) {
            (Some(interface), Some(transport)) if usize::from(policy) < policies && flags < 4 => {
                let (forwarded, v6) = (flags & 1 == 1, flags & 2 == 2);
                Ok(Class { interface, policy, transport, forwarded, v6 })
            }
            _ => self.damaged(),
        }
    }

    fn timeline(&mut self, policies: usize) -> Result<Option<Timeline>, DamagedSummary> {
        let Some(level) = self.number::<u8>()?.checked_sub(1) else { return Ok(None) };
        if level > LEVEL_MOST {
            return self.damaged();
        }
        let mut timeline = Timeline::with_level(level);
        for (start, policy, packets) in
            self.list(|source| Ok((source.number()?, source.number::<u16>()?, source.number()?)))?
        {
            if usize::from(policy) >= policies {
                return self.damaged();
            }
            timeline.count(start, policy, packets);
        }
        timeline.settle();
        Ok(Some(timeline))
    }

    fn count(&mut self) -> Result<Count, DamagedSummary> {
        let (packets, bytes) = (self.number()?, self.number()?);
        Ok(Count::new(packets, bytes, self.number()?, self.number()?))
    }

    /// The number of a class of the right family.
    fn class_number(&mut self, classes: &[Class], v6: bool) -> Result<u16, DamagedSummary> {
        let number = self.number::<u16>()?;
        let class = usize::from(number).checked_sub(1).and_then(|index| classes.get(index));
        if class.is_some_and(|class| class.v6 == v6) { Ok(number) } else { self.damaged() }
    }

    fn flows<A: Plain + Word>(
        &mut self,
        flows: &mut Flows<A>,
        classes: &[Class],
        v6: bool,
    ) -> Result<(), DamagedSummary> {
        let counted = self.list(|source| {
            let address = source.number::<A>()?;
            let port = source.number()?;
            Ok((address, Tag::new(port, source.class_number(classes, v6)?), source.count()?))
        })?;
        for (address, tag, count) in counted {
            flows.add_count(address, tag, &count);
        }
        let refused =
            self.list(|source| Ok((source.class_number(classes, v6)?, source.count()?)))?;
        for (class, count) in refused {
            flows.add_refused(class, &count);
        }
        for (source, destination) in self.list(|source| Ok((source.number()?, source.number()?)))? {
            flows.add_pair(source, destination);
        }
        Ok(())
    }
}

fn put_list<T>(bytes: &mut Vec<u8>, elements: &[T], element: impl Fn(&mut Vec<u8>, &T)) {
    (elements.len() as u32).put(bytes);
    for each in elements {
        element(bytes, each);
    }
}

fn put_count(bytes: &mut Vec<u8>, count: &Count) {
    count.packets.put(bytes);
    count.bytes.put(bytes);
    count.first().put(bytes);
    count.last().put(bytes);
}

fn put_name(bytes: &mut Vec<u8>, name: Option<&[u8]>) {
    let name = name.unwrap_or_default();
    (name.len() as u8).put(bytes);
    bytes.extend_from_slice(name);
}

fn put_flows<A: Plain + Word>(bytes: &mut Vec<u8>, flows: &Flows<A>) {
    let mut counted: Vec<_> = flows.iter().collect();
    counted.sort_unstable_by_key(|(source, tag, _)| (*source, *tag));
    put_list(bytes, &counted, |bytes, (source, tag, count)| {
        source.put(bytes);
        tag.port().put(bytes);
        tag.class().put(bytes);
        put_count(bytes, count);
    });
    let mut refused: Vec<_> = flows.refused().collect();
    refused.sort_unstable_by_key(|(class, _)| *class);
    put_list(bytes, &refused, |bytes, (class, count)| {
        class.put(bytes);
        put_count(bytes, count);
    });
    let mut pairs: Vec<_> = flows.pairs().collect();
    pairs.sort_unstable();
    put_list(bytes, &pairs, |bytes, (source, destination)| {
        source.put(bytes);
        destination.put(bytes);
    });
}

impl Summary {
    /// The summary as bytes. [`Self::settle`] first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MARK.to_vec();
        for lines in self.lines {
            lines.put(&mut bytes);
        }
        for lost in self.losses.by {
            lost.messages.put(&mut bytes);
            lost.reports.put(&mut bytes);
        }
        self.losses.overlong_lines.put(&mut bytes);
        let policies: Vec<_> = self.policies().collect();
        put_list(&mut bytes, &policies, |bytes, policy| {
            policy.prefix.put(bytes);
            for name in [&policy.tier, &policy.kind, &policy.policy, &policy.namespace] {
                put_name(bytes, name.as_deref());
            }
        });
        let classes: Vec<_> = self.classes().collect();
        put_list(&mut bytes, &classes, |bytes, class| {
            class.interface.bits().put(bytes);
            class.policy.put(bytes);
            class.transport.bits().put(bytes);
            (u8::from(class.forwarded) | u8::from(class.v6) << 1).put(bytes);
        });
        let (v4, v6) = self.tables();
        put_flows(&mut bytes, v4);
        put_flows(&mut bytes, v6);
        self.timeline.as_ref().map_or(0, |timeline| timeline.level() + 1).put(&mut bytes);
        if let Some(timeline) = &self.timeline {
            let cells: Vec<_> = timeline.cells().collect();
            put_list(&mut bytes, &cells, |bytes, (start, policy, packets)| {
                start.put(bytes);
                policy.put(bytes);
                packets.put(bytes);
            });
        }
        bytes
    }

    /// The summary that [`Self::to_bytes`] has written, within other limits if they are others.
    ///
    /// # Errors
    ///
    /// When the bytes are anything else; nothing in them is believed.
    pub fn from_bytes(seed: Seed, limits: Limits, bytes: &[u8]) -> Result<Self, DamagedSummary> {
        let mut source = Source { bytes, place: 0 };
        if source.take()? != *MARK {
            return Err(DamagedSummary { place: 0 });
        }
        let mut summary = Self::new(seed, limits);
        for lines in &mut summary.lines {
            *lines = source.number()?;
        }
        for lost in &mut summary.losses.by {
            lost.messages = source.number()?;
            lost.reports = source.number()?;
        }
        summary.losses.overlong_lines = source.number()?;
        let policies = source.list(Source::policy)?;
        let classes = source.list(|source| source.class(policies.len()))?;
        if !summary.take_classes(&policies, &classes) {
            return source.damaged();
        }
        let (v4, v6) = summary.tables_mut();
        source.flows(v4, &classes, false)?;
        source.flows(v6, &classes, true)?;
        summary.timeline = source.timeline(policies.len())?.map(Box::new);
        if source.place != bytes.len() {
            return source.damaged();
        }
        Ok(summary)
    }
}
