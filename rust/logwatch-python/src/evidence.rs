//! `logwatch._core.Evidence`: rules come as tuples, sources and networks as text, times in seconds.

use std::net::IpAddr;

use logwatch_core::address::Address;
use logwatch_core::class::Interface;
use logwatch_core::evidence::{
    Condition, Evidence as CoreEvidence, Fulfilled, Measure, Networks, Plan, Rule, Source, Verdict,
};
use logwatch_core::protocol::{self, Protocol};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::seed;
use crate::summary::Summary;

/// Conditions within conditions.
const DEPTH_MOST: usize = 32;

const KINDS: &str = "and, or, not, true, protocol, ports, source, destination, interface, policy, \
                     tier, family, syn, reply, forwarded";

fn wrong(sentence: String) -> PyErr {
    PyValueError::new_err(sentence)
}

/// Milliseconds of a time or a length in seconds.
#[allow(clippy::cast_sign_loss)]
fn milliseconds(name: &str, seconds: f64) -> PyResult<u64> {
    if seconds.is_finite() && seconds >= 0.0 {
        Ok((seconds * 1e3).round() as u64)
    } else {
        Err(wrong(format!("{name} is {seconds}, but has to be a number of seconds, 0 or more")))
    }
}

/// Milliseconds of a difference in seconds.
#[allow(clippy::cast_possible_truncation)]
fn difference(name: &str, seconds: f64) -> PyResult<i64> {
    if seconds.is_finite() {
        Ok((seconds * 1e3).round() as i64)
    } else {
        Err(wrong(format!("{name} is {seconds}, but has to be a number of seconds")))
    }
}

#[allow(clippy::cast_precision_loss)]
fn signed_seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1e3
}

#[allow(clippy::cast_precision_loss)]
fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1e3
}

fn address(text: &str) -> Option<Address> {
    Some(match text.parse().ok()? {
        IpAddr::V4(address) => Address::V4(address.into()),
        IpAddr::V6(address) => Address::V6(address.into()),
    })
}

/// A source as [`Source`] writes it: an address, of IPv6 with or without the /64 behind it.
fn source(text: &str) -> PyResult<Source> {
    let (plain, is_network) = match text.strip_suffix("/64") {
        Some(plain) => (plain, true),
        None => (text, false),
    };
    match address(plain) {
        Some(address) if address.is_v6() || !is_network => Ok(Source::of(address)),
        _ => {
            Err(wrong(format!("{text:?} is no source: an IPv4 address, or an IPv6 one or its /64")))
        }
    }
}

fn measure(name: &str) -> Option<Measure> {
    Some(match name {
        "packets" => Measure::Packets,
        "bytes" => Measure::Bytes,
        "ports" => Measure::Ports,
        "destinations" => Measure::Destinations,
        "nodes" => Measure::Nodes,
        _ => return None,
    })
}

fn protocol_number(name: &str) -> PyResult<Protocol> {
    let named = (0..=u8::MAX).find(|number| protocol::name(*number) == name);
    named.or_else(|| name.parse().ok()).ok_or_else(|| {
        wrong(format!("{name:?} is no protocol: a name such as tcp, or a number up to 255"))
    })
}

fn network(text: &str) -> PyResult<(Address, u8)> {
    let (plain, length) = match text.split_once('/') {
        Some((plain, length)) => (plain, length.parse().ok()),
        None => (text, Some(if text.contains(':') { 128 } else { 32 })),
    };
    let (bits, width, length) = match (address(plain), length) {
        (Some(Address::V4(bits)), Some(length)) => (u128::from(bits) << 96, 32, length),
        (Some(Address::V6(bits)), Some(length)) => (bits, 128, length),
        _ => (0, 0, u8::MAX),
    };
    let Some(address) = address(plain).filter(|_| length <= width) else {
        return Err(wrong(format!(
            "{text:?} is no network such as 203.0.113.0/24 or 2001:db8::/32"
        )));
    };
    if bits.checked_shl(length.into()).unwrap_or(0) != 0 {
        return Err(wrong(format!("network {text:?} has address bits behind its first {length}")));
    }
    Ok((address, length))
}

/// A condition from its tuple: its kind, then what it asks for.
fn condition(tuple: &Bound<'_, PyAny>, depth: usize) -> PyResult<Condition> {
    if depth > DEPTH_MOST {
        return Err(wrong(format!("conditions are more than {DEPTH_MOST} deep")));
    }
    let shown = || tuple.repr().map_or_else(|_| "?".into(), |text| text.to_string());
    let kind: Option<(String, Vec<Bound<'_, PyAny>>)> =
        tuple.cast::<PyTuple>().ok().and_then(|tuple| {
            let mut parts = tuple.iter();
            Some((parts.next()?.extract().ok()?, parts.collect()))
        });
    let Some((kind, parts)) = kind else {
        return Err(wrong(format!("{} is no condition: a tuple such as (\"syn\",)", shown())));
    };
    let inner = |part: &Bound<'_, PyAny>| condition(part, depth + 1);
    match (kind.as_str(), &parts[..]) {
        ("and", parts) => {
            return parts.iter().map(inner).collect::<PyResult<_>>().map(Condition::And);
        }
        ("or", parts) => {
            return parts.iter().map(inner).collect::<PyResult<_>>().map(Condition::Or);
        }
        ("not", [part]) => return Ok(Condition::Not(Box::new(inner(part)?))),
        ("true", []) => return Ok(Condition::True),
        ("syn", []) => return Ok(Condition::Syn),
        ("reply", []) => return Ok(Condition::Reply),
        ("forwarded", []) => return Ok(Condition::Forwarded),
        ("family", [part]) => match part.extract() {
            Ok(4) => return Ok(Condition::V6(false)),
            Ok(6) => return Ok(Condition::V6(true)),
            _ => return Err(wrong(format!("{}: a family is 4 or 6", shown()))),
        },
        ("ports", [part]) => {
            let ranges: Vec<(u16, u16)> = part.extract().map_err(|_| {
                wrong(format!("{}: ports are a list such as [(22, 22), (30000, 32767)]", shown()))
            })?;
            if let Some((first, last)) = ranges.iter().find(|(first, last)| first > last) {
                return Err(wrong(format!(
                    "ports {first} to {last} are none: the lower one comes first"
                )));
            }
            return Ok(Condition::Ports(
                ranges.iter().map(|(first, last)| *first..=*last).collect(),
            ));
        }
        ("source" | "destination", [part]) => {
            let texts: Vec<String> = part.extract().map_err(|_| {
                wrong(format!("{}: networks are a list such as [\"203.0.113.0/24\"]", shown()))
            })?;
            let listed: Vec<_> = texts.iter().map(|text| network(text)).collect::<PyResult<_>>()?;
            let networks = Networks::new(&listed);
            let is_source = kind == "source";
            return Ok(if is_source {
                Condition::Source(networks)
            } else {
                Condition::Destination(networks)
            });
        }
        ("protocol" | "interface" | "policy" | "tier", [part]) => {
            if let Ok(name) = part.extract::<String>() {
                return named(&kind, &name);
            }
        }
        _ => {}
    }
    if KINDS.split(", ").any(|known| known == kind) {
        Err(wrong(format!("{} does not say what {kind} asks for", shown())))
    } else {
        Err(wrong(format!("{kind:?} is no kind of condition; there are {KINDS}")))
    }
}

fn named(kind: &str, name: &str) -> PyResult<Condition> {
    match kind {
        "protocol" => protocol_number(name).map(Condition::Protocol),
        "policy" => Ok(Condition::Policy(name.into())),
        "tier" => Ok(Condition::Tier(name.into())),
        _ if name.len() > 15 => {
            Err(wrong(format!("{name:?} is no interface: its name has more than 15 bytes")))
        }
        _ => Ok(Condition::Interface(Interface::new(name.as_bytes()))),
    }
}

/// (measure, threshold, within, condition) as Python gives it.
type RuleTuple<'py> = (String, u64, f64, Bound<'py, PyAny>);

fn rule(index: usize, (name, threshold, within, tuple): RuleTuple<'_>) -> PyResult<Rule> {
    let in_rule = |error: PyErr| {
        wrong(format!("rule {index}: {}", Python::attach(|py| error.value(py).to_string())))
    };
    let Some(measure) = measure(&name) else {
        return Err(wrong(format!(
            "rule {index}: {name:?} can't be counted; there are packets, bytes, ports, destinations, nodes"
        )));
    };
    Ok(Rule {
        measure,
        threshold,
        within: milliseconds("within", within).map_err(in_rule)?,
        condition: condition(&tuple, 1).map_err(in_rule)?,
    })
}

fn fulfilled<'py>(py: Python<'py>, each: &Fulfilled) -> PyResult<Bound<'py, PyTuple>> {
    let found = &each.found;
    let destinations: Vec<_> = found.destinations.iter().map(ToString::to_string).collect();
    let evidence = (
        found.packets,
        PyTuple::new(py, &found.ports)?,
        PyTuple::new(py, destinations)?,
        seconds(found.first),
        seconds(found.last),
        PyTuple::new(py, found.shapes.names().collect::<Vec<_>>())?,
        PyTuple::new(py, &found.samples)?,
    );
    (each.source.to_string(), each.rule, each.reached, evidence).into_pyobject(py)
}

fn all_fulfilled<'py>(py: Python<'py>, all: &[Fulfilled]) -> PyResult<Vec<Bound<'py, PyTuple>>> {
    all.iter().map(|each| fulfilled(py, each)).collect()
}

#[pyclass(module = "logwatch._core")]
pub struct Evidence {
    inner: CoreEvidence,
}

#[pymethods]
impl Evidence {
    #[new]
    #[pyo3(signature = (rules, capacity, *, node = "", near_misses = 0))]
    fn new(
        rules: Vec<RuleTuple<'_>>,
        capacity: usize,
        node: &str,
        near_misses: usize,
    ) -> PyResult<Self> {
        if capacity == 0 {
            return Err(wrong("capacity is 0, but has to be 1 or more".into()));
        }
        let rules: Vec<_> = rules
            .into_iter()
            .enumerate()
            .map(|(index, tuple)| rule(index, tuple))
            .collect::<PyResult<_>>()?;
        let plan = Plan::new(&rules).map_err(|error| wrong(error.to_string()))?;
        let mut inner = CoreEvidence::new(plan, seed(), capacity, node);
        inner.keep_near_misses(near_misses);
        Ok(Self { inner })
    }

    fn observe<'py>(
        &mut self,
        py: Python<'py>,
        summary: PyRef<'_, Summary>,
        verdicts: Vec<(String, bool)>,
        at: f64,
    ) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let at = milliseconds("at", at)?;
        let policies = summary.inner.policies().count();
        if verdicts.len() != policies {
            let told = verdicts.len();
            return Err(wrong(format!(
                "there are {told} verdicts, but {policies} policies in the summary"
            )));
        }
        let verdicts: Vec<_> =
            verdicts.into_iter().map(|(name, denied)| Verdict { name, denied }).collect();
        let (inner, summary) = (&mut self.inner, &summary.inner);
        all_fulfilled(py, &py.detach(|| inner.observe(summary, &verdicts, at)))
    }

    fn judge<'py>(&self, py: Python<'py>, at: f64) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let at = milliseconds("at", at)?;
        all_fulfilled(py, &py.detach(|| self.inner.judge(at)))
    }

    #[pyo3(signature = (source, /))]
    fn restart(&mut self, source: &str) -> PyResult<bool> {
        Ok(self.inner.restart(self::source(source)?))
    }

    fn quiet(&mut self, source: &str, until: f64) -> PyResult<bool> {
        Ok(self.inner.quiet(self::source(source)?, milliseconds("until", until)?))
    }

    fn is_quiet(&self, source: &str, at: f64) -> PyResult<bool> {
        Ok(self.inner.is_quiet(self::source(source)?, milliseconds("at", at)?))
    }

    fn rest(&mut self, source: &str, until: f64) -> PyResult<bool> {
        Ok(self.inner.rest(self::source(source)?, milliseconds("until", until)?))
    }

    #[pyo3(signature = (time, /))]
    fn forget_after(&mut self, time: f64) -> PyResult<()> {
        self.inner.forget_after(milliseconds("time", time)?);
        Ok(())
    }

    fn nearness(&self, source: &str, at: f64) -> PyResult<Vec<(u64, u64)>> {
        let near = self.inner.nearness(self::source(source)?, milliseconds("at", at)?);
        Ok(near.iter().map(|near| (near.reached, near.threshold)).collect())
    }

    fn ports(&self, source: &str, at: f64) -> PyResult<Vec<u16>> {
        Ok(self.inner.ports(self::source(source)?, milliseconds("at", at)?))
    }

    #[pyo3(signature = (source, /))]
    fn samples(&self, source: &str) -> PyResult<Vec<String>> {
        Ok(self.inner.samples(self::source(source)?))
    }

    fn top(
        &self,
        py: Python<'_>,
        count: usize,
        at: f64,
    ) -> PyResult<Vec<(String, usize, u64, u64)>> {
        let at = milliseconds("at", at)?;
        let top = py.detach(|| self.inner.top(count, at));
        let fields = |(source, near): &(Source, logwatch_core::evidence::Near)| {
            (source.to_string(), near.rule, near.reached, near.threshold)
        };
        Ok(top.iter().map(fields).collect())
    }

    fn near_misses(&self, py: Python<'_>) -> Vec<(String, usize, u64, u64, f64)> {
        let all = py.detach(|| self.inner.near_misses());
        all.iter()
            .map(|miss| {
                let near = miss.near;
                let at = seconds(miss.at);
                (miss.source.to_string(), near.rule, near.reached, near.threshold, at)
            })
            .collect()
    }

    fn forget_before(&mut self, source: &str, time: f64) -> PyResult<bool> {
        Ok(self.inner.forget_before(self::source(source)?, milliseconds("time", time)?))
    }

    fn forget_all(&mut self) {
        self.inner.forget_all();
    }

    fn note_near_misses(&mut self, py: Python<'_>, at: f64) -> PyResult<()> {
        let at = milliseconds("at", at)?;
        py.detach(|| self.inner.note_near_misses(at));
        Ok(())
    }

    #[pyo3(signature = (size, sources = None, *, salt = 0))]
    fn to_bytes<'py>(
        &self,
        py: Python<'py>,
        size: usize,
        sources: Option<Vec<String>>,
        salt: u64,
    ) -> PyResult<(Bound<'py, PyBytes>, usize, usize)> {
        let sources: Option<Vec<_>> = sources
            .map(|sources| sources.iter().map(|text| source(text)).collect::<PyResult<_>>())
            .transpose()?;
        let excerpt = py.detach(|| self.inner.to_bytes(sources.as_deref(), size, salt));
        Ok((PyBytes::new(py, &excerpt.bytes), excerpt.sources, excerpt.cut))
    }

    #[pyo3(signature = (size, first, count, *, salt = 0))]
    fn part_to_bytes<'py>(
        &self,
        py: Python<'py>,
        size: usize,
        first: usize,
        count: usize,
        salt: u64,
    ) -> (Bound<'py, PyBytes>, usize, usize, Option<usize>) {
        let (excerpt, next) = py.detach(|| self.inner.part_to_bytes(first, count, size, salt));
        (PyBytes::new(py, &excerpt.bytes), excerpt.sources, excerpt.cut, next)
    }

    #[pyo3(signature = (data, /))]
    fn merge_bytes(&mut self, py: Python<'_>, data: &[u8]) -> PyResult<usize> {
        let inner = &mut self.inner;
        py.detach(|| inner.merge_bytes(data)).map_err(|error| wrong(error.to_string()))
    }

    #[pyo3(signature = (data, node, *, ahead, now))]
    fn merge_report(
        &mut self,
        py: Python<'_>,
        data: &[u8],
        node: &str,
        ahead: f64,
        now: f64,
    ) -> PyResult<f64> {
        let (inner, now) = (&mut self.inner, milliseconds("now", now)?);
        let ahead = difference("ahead", ahead)?;
        let used = py.detach(|| inner.merge_report(data, node, ahead, now));
        used.map(signed_seconds).map_err(|error| wrong(error.to_string()))
    }

    fn __len__(&self) -> usize {
        self.inner.len()
    }

    #[getter]
    fn evictions(&self) -> u64 {
        self.inner.evictions()
    }

    #[getter]
    fn refused(&self) -> u64 {
        self.inner.refused()
    }

    #[getter]
    fn bytes_per_source(&self) -> (usize, usize) {
        let plan = self.inner.plan();
        (plan.bytes_per_source_least(), plan.bytes_per_source_most())
    }
}
