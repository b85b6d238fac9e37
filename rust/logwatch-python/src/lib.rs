//! `logwatch._core`: the thin Python binding of logwatch-core.
//!
//! Its documentation for Python is in `logwatch/_core.pyi`.

mod local;

use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::SystemTime;

use logwatch_core::address::Address;
use logwatch_core::body::Packet;
use logwatch_core::distinct::Distinct;
use logwatch_core::hash::Seed;
use logwatch_core::line::{self, Kind};
use logwatch_core::link::Link;
use logwatch_core::prefix::Prefixes;
use logwatch_core::protocol::{self, Protocol};
use logwatch_core::scanner::{Scanner as CoreScanner, Settings};
use logwatch_core::summary::{Limits, Row, Summary as CoreSummary};
use logwatch_core::table::Count;
use logwatch_core::time::Clock;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

/// One seed a process: summaries and sketches of all scanners can be merged.
fn seed() -> Seed {
    static SEED: OnceLock<Seed> = OnceLock::new();
    *SEED.get_or_init(Seed::random)
}

fn now() -> i64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs().cast_signed())
}

fn prefixes_of(texts: &[String]) -> PyResult<Prefixes> {
    Prefixes::new(texts).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// Text of bytes that the kernel allows to be anything: escaped where they are not UTF-8.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.escape_ascii().to_string(),
    }
}

fn address_text(address: Option<Address>) -> String {
    address.map_or_else(String::new, |address| address.to_string())
}

fn protocol_text(protocol: Option<Protocol>) -> Cow<'static, str> {
    protocol.map_or("none".into(), protocol::name)
}

fn family(v6: bool) -> u8 {
    if v6 { 6 } else { 4 }
}

/// (packets, bytes, first, last) at the end of every row.
fn count_fields(count: &Count) -> (u64, u64, u32, u32) {
    (count.packets, count.bytes, count.first(), count.last())
}

#[pyclass(module = "logwatch._core")]
struct Scanner {
    inner: CoreScanner,
    /// A fixed "now", for archives read at another time.
    now: Option<i64>,
}

#[pymethods]
impl Scanner {
    #[new]
    #[pyo3(signature = (prefixes, *, capacity = 4_194_304, destinations = true, slice_seconds = 0, now = None))]
    fn new(
        prefixes: Vec<String>,
        capacity: usize,
        destinations: bool,
        slice_seconds: u32,
        now: Option<i64>,
    ) -> PyResult<Self> {
        let settings = Settings {
            prefixes: prefixes_of(&prefixes)?,
            limits: Limits { flows: capacity, destinations },
            slice_seconds,
        };
        let clock = Clock::new(local::to_seconds, now.unwrap_or_else(self::now));
        Ok(Self { inner: CoreScanner::new(settings, clock, seed()), now })
    }

    #[pyo3(signature = (data, start = 0))]
    fn feed(&mut self, py: Python<'_>, data: &Bound<'_, PyBytes>, start: usize) -> usize {
        let data = data.as_bytes();
        let start = start.min(data.len());
        let inner = &mut self.inner;
        start + py.detach(|| inner.feed(&data[start..]))
    }

    fn finish(&mut self) {
        self.inner.finish();
    }

    fn abandon(&mut self) -> u64 {
        self.inner.abandon()
    }

    #[getter]
    fn pending(&self) -> u64 {
        self.inner.pending()
    }

    fn drain(&mut self) -> Summary {
        if self.now.is_none() {
            self.inner.set_now(now());
        }
        Summary { inner: self.inner.drain() }
    }
}

#[pyclass(module = "logwatch._core")]
struct Summary {
    /// Settled: nothing waits for its table.
    inner: CoreSummary,
}

impl Summary {
    fn row<'py>(py: Python<'py>, row: &Row) -> PyResult<Bound<'py, PyTuple>> {
        let class = row.class;
        let (packets, bytes, first, last) = count_fields(&row.count);
        (
            address_text(row.source),
            row.port,
            protocol_text(class.protocol()),
            class.prefix(),
            family(class.v6()),
            class.shape().name(),
            packets,
            bytes,
            first,
            last,
        )
            .into_pyobject(py)
    }

    fn link<'py>(
        py: Python<'py>,
        link: &Link,
        packets: u64,
        bytes: u64,
    ) -> PyResult<Bound<'py, PyTuple>> {
        (
            link.prefix,
            text(&link.interface()),
            protocol_text(link.protocol),
            family(link.v6),
            packets,
            bytes,
        )
            .into_pyobject(py)
    }
}

#[pymethods]
impl Summary {
    #[getter]
    fn lines<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let lines = PyDict::new(py);
        for kind in Kind::ALL {
            lines.set_item(kind.name(), self.inner.lines[kind as usize])?;
        }
        Ok(lines)
    }

    #[getter]
    fn packets(&self) -> u64 {
        self.inner.packets
    }

    #[getter]
    fn bytes(&self) -> u64 {
        self.inner.bytes
    }

    #[getter]
    fn last(&self) -> u32 {
        self.inner.last
    }

    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        self.inner.rows().map(|row| Self::row(py, &row)).collect()
    }

    #[pyo3(signature = (top = 0))]
    fn flows<'py>(&self, py: Python<'py>, top: usize) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let flows = py.detach(|| self.inner.flows(top));
        flows
            .iter()
            .map(|flow| {
                let (packets, bytes, first, last) = count_fields(&flow.count);
                let protocol = flow.protocol.map(protocol::name);
                (address_text(flow.source), flow.port, protocol, packets, bytes, first, last)
                    .into_pyobject(py)
            })
            .collect()
    }

    #[pyo3(signature = (top = 0))]
    fn sources<'py>(&self, py: Python<'py>, top: usize) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let sources = py.detach(|| self.inner.sources(top));
        sources
            .iter()
            .map(|source| {
                let (packets, bytes, first, last) = count_fields(&source.count);
                (
                    address_text(source.source),
                    packets,
                    bytes,
                    source.ports,
                    source.destinations,
                    first,
                    last,
                )
                    .into_pyobject(py)
            })
            .collect()
    }

    #[pyo3(signature = (top = 0))]
    fn ports<'py>(&self, py: Python<'py>, top: usize) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let ports = py.detach(|| self.inner.ports(top));
        ports
            .iter()
            .map(|port| {
                (port.port, port.protocol.map(protocol::name), port.packets, port.sources)
                    .into_pyobject(py)
            })
            .collect()
    }

    fn links<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        self.inner
            .links()
            .map(|(link, packets, bytes)| Self::link(py, link, *packets, *bytes))
            .collect()
    }

    fn merge(&mut self, py: Python<'_>, other: PyRef<'_, Self>) {
        let other = other.inner.clone();
        let inner = &mut self.inner;
        py.detach(|| inner.merge(other));
    }
}

#[pyclass(module = "logwatch._core")]
struct SourceSketch {
    inner: Distinct,
}

#[pymethods]
impl SourceSketch {
    #[new]
    fn new() -> Self {
        Self { inner: Distinct::new(seed()) }
    }

    fn see(&mut self, summary: PyRef<'_, Summary>) {
        for row in summary.inner.rows() {
            match row.source {
                Some(Address::V4(bits)) => self.inner.see(u128::from(bits) | 0xFFFF << 32),
                Some(Address::V6(bits)) => self.inner.see(bits),
                None => {}
            }
        }
    }

    fn merge(&mut self, other: PyRef<'_, Self>) {
        self.inner.merge(&other.inner);
    }

    fn estimate(&self) -> u64 {
        self.inner.estimate()
    }
}

/// The fields of `Reading` from `interface` on.
fn packet_fields<'py>(py: Python<'py>, packet: &Packet<'_>) -> PyResult<Bound<'py, PyTuple>> {
    let flags = packet
        .flags
        .map(|flags| PyTuple::new(py, flags.names().collect::<Vec<_>>()))
        .transpose()?;
    (
        PyBytes::new(py, packet.interface),
        PyBytes::new(py, packet.out_interface),
        packet.source.to_string(),
        packet.destination.to_string(),
        packet.length,
        packet.protocol.map(protocol::name),
        packet.source_port,
        packet.port,
        flags,
        packet.icmp_type,
        packet.icmp_code,
    )
        .into_pyobject(py)
}

#[pyfunction]
fn read_line<'py>(
    py: Python<'py>,
    line: &[u8],
    prefixes: Vec<String>,
) -> PyResult<Bound<'py, PyTuple>> {
    let prefixes = prefixes_of(&prefixes)?;
    let reading = line::read_line(line, &prefixes);
    let packet = reading.packet.as_ref().map(|packet| packet_fields(py, packet)).transpose()?;
    let stamp = reading.stamp.map(|stamp| PyBytes::new(py, stamp));
    (reading.kind.name(), reading.count, reading.prefix, stamp, packet).into_pyobject(py)
}

#[pyfunction]
fn protocol_name(number: Protocol) -> Cow<'static, str> {
    protocol::name(number)
}

/// The native module.
#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<Scanner>()?;
    module.add_class::<Summary>()?;
    module.add_class::<SourceSketch>()?;
    module.add_function(wrap_pyfunction!(read_line, module)?)?;
    module.add_function(wrap_pyfunction!(protocol_name, module)?)?;
    Ok(())
}
