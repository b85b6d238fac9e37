//! Bounded families of series, and a summary counted into them.

use logwatch_core::series::{self, Key, Saved, Sum};
use logwatch_core::tally::{Families, Verdict};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::summary::Summary;

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

#[pyfunction]
#[pyo3(signature = (summary, policies, now, *, denied, logged, ports, sources, flows))]
// One for each family, each by its name.
#[allow(clippy::too_many_arguments)]
pub fn count_summary(
    py: Python<'_>,
    summary: PyRef<'_, Summary>,
    policies: Vec<(String, bool)>,
    now: f64,
    mut denied: PyRefMut<'_, Series>,
    mut logged: PyRefMut<'_, Series>,
    mut ports: PyRefMut<'_, Series>,
    mut sources: PyRefMut<'_, Series>,
    mut flows: PyRefMut<'_, Series>,
) -> PyResult<()> {
    let known = summary.inner.policies().count();
    if known != policies.len() {
        let problem = format!("{} verdicts for {known} policies", policies.len());
        return Err(PyValueError::new_err(problem));
    }
    let verdicts = policies
        .into_iter()
        .map(|(policy, is_denied)| {
            checked(&policy)?;
            Ok(Verdict { policy, is_denied })
        })
        .collect::<PyResult<Vec<_>>>()?;
    let mut families = Families {
        denied: &mut denied.inner,
        logged: &mut logged.inner,
        ports: &mut ports.inner,
        sources: &mut sources.inner,
        flows: &mut flows.inner,
    };
    let summary = &summary.inner;
    py.detach(|| families.count(summary, &verdicts, now));
    Ok(())
}
