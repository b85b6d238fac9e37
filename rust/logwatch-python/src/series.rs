//! Bounded families of series, and the rows of a summary counted into them.

use indexmap::IndexMap;
use logwatch_core::series::{self, Key, Saved, Sum};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

/// Labels, and (packets, bytes, used) or None where a series lost its place.
type Change<'py> = (Bound<'py, PyTuple>, Option<(u128, u128, f64)>);

#[pyclass(module = "logwatch._core")]
pub struct Series {
    inner: series::Series,
    /// The key at hand; kept for its memory.
    key: Key,
}

#[pymethods]
impl Series {
    #[new]
    #[pyo3(signature = (capacity, saved = Vec::new()))]
    fn new(capacity: usize, saved: Vec<(Bound<'_, PyTuple>, (u128, u128, f64))>) -> PyResult<Self> {
        let saved = saved
            .iter()
            .map(|(labels, (packets, bytes, used))| {
                let mut key = Key::new();
                for label in labels {
                    series::push_label(&mut key, label.cast::<PyString>()?.to_str()?);
                }
                let sum = Sum { packets: *packets, bytes: *bytes };
                Ok((key, Saved { sum, used: *used }))
            })
            .collect::<PyResult<Vec<_>>>()?;
        Ok(Self { inner: series::Series::new(capacity, saved), key: Key::new() })
    }

    fn add(
        &mut self,
        labels: &Bound<'_, PyTuple>,
        packets: u128,
        size: u128,
        now: f64,
    ) -> PyResult<()> {
        self.key.clear();
        for label in labels {
            series::push_label(&mut self.key, checked(label.cast::<PyString>()?.to_str()?)?);
        }
        if self.key == series::OTHER {
            return Err(PyValueError::new_err("a series has labels"));
        }
        self.inner.add(&self.key, Sum { packets, bytes: size }, now);
        Ok(())
    }

    fn add_other(&mut self, packets: u128, size: u128) {
        self.inner.add_other(Sum { packets, bytes: size });
    }

    #[getter]
    fn other(&self) -> (u128, u128) {
        let Sum { packets, bytes } = self.inner.other();
        (packets, bytes)
    }

    #[getter]
    fn changed(&self) -> bool {
        self.inner.changed()
    }

    fn changes<'py>(&self, py: Python<'py>) -> PyResult<Vec<Change<'py>>> {
        self.inner
            .changes()
            .map(|(key, saved)| {
                let labels = series::labels(key)
                    .map(|label| PyString::from_bytes(py, label))
                    .collect::<PyResult<Vec<_>>>()?;
                let saved = saved.map(|saved| (saved.sum.packets, saved.sum.bytes, saved.used));
                Ok((PyTuple::new(py, labels)?, saved))
            })
            .collect()
    }

    fn settle<'py>(&mut self, py: Python<'py>) -> PyResult<Vec<Change<'py>>> {
        let changes = self.changes(py)?;
        self.inner.settle();
        Ok(changes)
    }

    fn touch_all(&mut self) {
        self.inner.touch_all();
    }
}

/// A label that may be shown: a NUL ends the text of many a reader.
fn checked(label: &str) -> PyResult<&str> {
    if label.contains('\0') {
        return Err(PyValueError::new_err(format!("the label {label:?} holds a NUL")));
    }
    Ok(label)
}

/// A number of packets or bytes, of which next to all fit into a word.
fn number(value: Borrowed<'_, '_, PyAny>) -> PyResult<u128> {
    match value.extract::<u64>() {
        Ok(number) => Ok(number.into()),
        Err(_) => value.extract(),
    }
}

/// The sums of a batch by protocol and port, in order of their first rows.
#[derive(Default)]
struct PortSums {
    /// At most one for each number of 8 bits and `none`; a port names its own by index.
    protocols: Vec<String>,
    sums: IndexMap<(u32, Option<u16>), Sum>,
}

impl PortSums {
    fn add(&mut self, protocol: &str, port: Option<u16>, sum: Sum) {
        let known = self.protocols.iter().position(|known| known == protocol);
        let index = known.unwrap_or_else(|| {
            self.protocols.push(protocol.to_owned());
            self.protocols.len() - 1
        });
        self.sums.entry((index as u32, port)).or_default().add(sum);
    }

    fn count(&self, ports: &mut series::Series, now: f64) {
        let mut key = Key::new();
        for (&(protocol, port), &sum) in &self.sums {
            key.clear();
            series::push_label(&mut key, &self.protocols[protocol as usize]);
            push_port(&mut key, port);
            ports.add(&key, sum, now);
        }
    }
}

/// Appends a port as it is shown: empty where there is none.
fn push_port(key: &mut Key, port: Option<u16>) {
    let mut digits = itoa::Buffer::new();
    series::push_label(key, port.map_or("", |port| digits.format(port)));
}

/// A row with a source: where its keys lie, and its sum.
struct Row {
    /// Of both keys: that of a flow begins with that of its source.
    start: usize,
    source_end: usize,
    end: usize,
    sum: Sum,
}

/// The denied rows of a batch, all read before any is counted.
#[derive(Default)]
struct Batch {
    keys: Key,
    rows: Vec<Row>,
    by_port: PortSums,
    /// What found no room in the scanner's table.
    without_source: Sum,
    /// What of it has no port either.
    without_port: Sum,
}

impl Batch {
    fn read(&mut self, row: &Bound<'_, PyTuple>, is_denied: &[bool]) -> PyResult<()> {
        let policy: usize = row.get_borrowed_item(3)?.extract()?;
        let is_denied = is_denied.get(policy).ok_or_else(|| {
            PyValueError::new_err(format!("a row of policy {policy}, of {}", is_denied.len()))
        })?;
        let packets = number(row.get_borrowed_item(8)?)?;
        if packets == 0 || !is_denied {
            return Ok(());
        }
        let sum = Sum { packets, bytes: number(row.get_borrowed_item(9)?)? };
        let (source, protocol) = (row.get_borrowed_item(0)?, row.get_borrowed_item(2)?);
        let (source, protocol) = (source.cast::<PyString>()?, protocol.cast::<PyString>()?);
        let (source, protocol) = (checked(source.to_str()?)?, checked(protocol.to_str()?)?);
        let port: Option<u16> = row.get_borrowed_item(1)?.extract()?;
        if source.is_empty() {
            self.without_source.add(sum);
        } else {
            let start = self.keys.len();
            series::push_label(&mut self.keys, source);
            let source_end = self.keys.len();
            series::push_label(&mut self.keys, protocol);
            push_port(&mut self.keys, port);
            self.rows.push(Row { start, source_end, end: self.keys.len(), sum });
        }
        if source.is_empty() && port.is_none() {
            self.without_port.add(sum);
        } else {
            self.by_port.add(protocol, port, sum);
        }
        Ok(())
    }

    /// Counts all of it; nothing can fail from here on.
    fn count(
        &self,
        now: f64,
        ports: &mut series::Series,
        sources: &mut series::Series,
        flows: &mut series::Series,
    ) {
        for row in &self.rows {
            sources.add(&self.keys[row.start..row.source_end], row.sum, now);
        }
        for row in &self.rows {
            flows.add(&self.keys[row.start..row.end], row.sum, now);
        }
        self.by_port.count(ports, now);
        if self.without_source.packets > 0 {
            sources.add_other(self.without_source);
            flows.add_other(self.without_source);
        }
        if self.without_port.packets > 0 {
            ports.add_other(self.without_port);
        }
    }
}

#[pyfunction]
pub fn count_rows(
    py: Python<'_>,
    rows: &Bound<'_, PyAny>,
    is_denied: Vec<bool>,
    now: f64,
    mut ports: PyRefMut<'_, Series>,
    mut sources: PyRefMut<'_, Series>,
    mut flows: PyRefMut<'_, Series>,
) -> PyResult<()> {
    let mut batch = Batch::default();
    for row in rows.try_iter()? {
        batch.read(row?.cast()?, &is_denied)?;
    }
    let (ports, sources, flows) = (&mut ports.inner, &mut sources.inner, &mut flows.inner);
    py.detach(|| batch.count(now, ports, sources, flows));
    Ok(())
}
