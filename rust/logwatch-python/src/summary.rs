//! `logwatch._core.Summary` and `SourceSketch`: counts as tuples, addresses as text.

use std::borrow::Cow;
use std::sync::OnceLock;

use logwatch_core::address::Address;
use logwatch_core::count::Count;
use logwatch_core::distinct::Distinct;
use logwatch_core::line::Kind;
use logwatch_core::losses::Speaker;
use logwatch_core::protocol::{self, Protocol};
use logwatch_core::summary::{Limits, Link, Row, Summary as CoreSummary};
use logwatch_core::text::text;
use logwatch_core::views::Views;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use crate::seed;

/// How many keys are new, gone, more and less.
type Kinds = (u64, u64, u64, u64);
/// First second of a bucket, policy, packets.
type Cell = (u32, u16, u64);
type PortChange = (Option<u16>, Option<Cow<'static, str>>, u64, u64);

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
pub struct Summary {
    /// Settled: nothing waits for its table.
    pub inner: CoreSummary,
    /// Made when somebody asks, like the views.
    total: OnceLock<Count>,
    views: OnceLock<Views>,
}

impl Summary {
    pub fn new(mut inner: CoreSummary) -> Self {
        inner.settle();
        Self { inner, total: OnceLock::new(), views: OnceLock::new() }
    }

    fn total(&self) -> &Count {
        self.total.get_or_init(|| self.inner.total())
    }

    fn views(&self, py: Python<'_>) -> &Views {
        py.detach(|| self.views.get_or_init(|| Views::new(&self.inner)))
    }

    fn row<'py>(
        py: Python<'py>,
        row: &Row<'_>,
        interface: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let class = row.class;
        let (packets, bytes, first, last) = count_fields(&row.count);
        let place = (address_text(row.source), row.port, protocol_text(class.transport.protocol()));
        let rest = (packets, bytes, first, last);
        (
            place.0,
            place.1,
            place.2,
            class.policy,
            family(class.v6),
            class.transport.shape().name(),
            interface,
            class.forwarded,
            rest.0,
            rest.1,
            rest.2,
            rest.3,
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
            link.policy,
            text(&link.interface.name()),
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
    #[staticmethod]
    #[pyo3(signature = (data, *, memory = 268_435_456, destinations = true))]
    fn from_bytes(data: &[u8], memory: usize, destinations: bool) -> PyResult<Self> {
        CoreSummary::from_bytes(seed(), Limits { bytes: memory, destinations }, data)
            .map(Self::new)
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let bytes = py.detach(|| self.inner.to_bytes());
        PyBytes::new(py, &bytes)
    }

    #[getter]
    fn lines<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let lines = PyDict::new(py);
        for kind in Kind::ALL {
            lines.set_item(kind.name(), self.inner.lines[kind as usize])?;
        }
        Ok(lines)
    }

    #[getter]
    fn losses<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let losses = PyDict::new(py);
        for speaker in Speaker::ALL {
            let lost = self.inner.losses.by[speaker as usize];
            losses.set_item(speaker.name(), (lost.messages, lost.reports))?;
        }
        Ok(losses)
    }

    #[getter]
    fn overlong_lines(&self) -> u64 {
        self.inner.losses.overlong_lines
    }

    #[getter]
    fn packets(&self) -> u64 {
        self.total().packets
    }

    #[getter]
    fn bytes(&self) -> u64 {
        self.total().bytes
    }

    #[getter]
    fn first(&self) -> u32 {
        self.total().first()
    }

    #[getter]
    fn last(&self) -> u32 {
        self.total().last()
    }

    fn policies<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        self.inner
            .policies()
            .map(|policy| {
                let name = |name: &Option<Box<[u8]>>| name.as_deref().map(text);
                (
                    policy.prefix,
                    name(&policy.tier),
                    name(&policy.kind),
                    name(&policy.policy),
                    name(&policy.namespace),
                )
                    .into_pyobject(py)
            })
            .collect()
    }

    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let interfaces: Vec<_> = self
            .inner
            .classes()
            .map(|class| PyString::new(py, &text(&class.interface.name())))
            .collect();
        self.inner
            .rows()
            .map(|row| Self::row(py, &row, &interfaces[usize::from(row.class_number) - 1]))
            .collect()
    }

    #[pyo3(signature = (top = 0))]
    fn flows<'py>(&self, py: Python<'py>, top: usize) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let views = self.views(py);
        let flows = py.detach(|| views.flows(top));
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
        let views = self.views(py);
        let sources = py.detach(|| views.sources(top));
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
        let views = self.views(py);
        let ports = py.detach(|| views.ports(top));
        ports
            .iter()
            .map(|port| {
                (port.port, port.protocol.map(protocol::name), port.packets, port.sources)
                    .into_pyobject(py)
            })
            .collect()
    }

    fn matrix<'py>(
        &self,
        py: Python<'py>,
        sources: usize,
        ports: usize,
    ) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let views = self.views(py);
        let flows = py.detach(|| views.matrix(sources, ports));
        flows
            .iter()
            .map(|flow| {
                let protocol = flow.protocol.map(protocol::name);
                (address_text(flow.source), flow.port, protocol, flow.count.packets)
                    .into_pyobject(py)
            })
            .collect()
    }

    #[pyo3(signature = (before, top = 0))]
    fn source_changes(
        &self,
        py: Python<'_>,
        before: PyRef<'_, Self>,
        top: usize,
    ) -> (Kinds, Vec<(String, u64, u64)>) {
        let (views, before) = (self.views(py), before.views(py));
        let changes = py.detach(|| views.source_changes(before, top));
        let most = changes.most.into_iter();
        (
            changes.kinds.into(),
            most.map(|(source, now, before)| (address_text(source), now, before)).collect(),
        )
    }

    #[pyo3(signature = (before, top = 0))]
    fn port_changes(
        &self,
        py: Python<'_>,
        before: PyRef<'_, Self>,
        top: usize,
    ) -> (Kinds, Vec<PortChange>) {
        let (views, before) = (self.views(py), before.views(py));
        let changes = py.detach(|| views.port_changes(before, top));
        let most = changes.most.into_iter();
        (
            changes.kinds.into(),
            most.map(|((port, protocol), now, before)| {
                (port, protocol.map(protocol::name), now, before)
            })
            .collect(),
        )
    }

    fn timeline(&self) -> Option<(u32, Vec<Cell>)> {
        let timeline = self.inner.timeline.as_ref()?;
        Some((timeline.width(), timeline.cells().collect()))
    }

    fn links<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        self.inner
            .links()
            .iter()
            .map(|(link, packets, bytes)| Self::link(py, link, *packets, *bytes))
            .collect()
    }

    fn merge(&mut self, py: Python<'_>, other: PyRef<'_, Self>) {
        let theirs = &other.inner;
        let inner = &mut self.inner;
        py.detach(|| inner.merge(theirs));
        self.total = OnceLock::new();
        self.views = OnceLock::new();
    }
}

#[pyclass(module = "logwatch._core")]
pub struct SourceSketch {
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
