//! `logwatch._core`: the thin Python binding of logwatch-core.
//!
//! Its documentation for Python is in `logwatch/_core.pyi`.

mod evidence;
mod local;
mod reading;
mod series;
mod summary;

use std::sync::OnceLock;
use std::time::SystemTime;

use logwatch_core::hash::Seed;
use logwatch_core::prefix::Prefixes;
use logwatch_core::scanner::{Scanner as CoreScanner, Settings};
use logwatch_core::summary::Limits;
use logwatch_core::time::Clock;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::summary::Summary;

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

#[pyclass(module = "logwatch._core")]
struct Scanner {
    inner: CoreScanner,
    /// A fixed "now", for archives read at another time.
    now: Option<i64>,
}

#[pymethods]
impl Scanner {
    #[new]
    #[expect(clippy::too_many_arguments, reason = "Python passes them by name")]
    #[pyo3(signature = (prefixes, *, memory = 268_435_456, destinations = true, slice_seconds = 0, late_seconds = 0, now = None, samples = 0, timeline = false, since = None, until = None))]
    fn new(
        prefixes: Vec<String>,
        memory: usize,
        destinations: bool,
        slice_seconds: u32,
        late_seconds: u32,
        now: Option<i64>,
        samples: usize,
        timeline: bool,
        since: Option<u32>,
        until: Option<u32>,
    ) -> PyResult<Self> {
        let settings = Settings {
            prefixes: prefixes_of(&prefixes)?,
            limits: Limits { bytes: memory, destinations },
            slice_seconds,
            late_seconds,
        };
        let clock = Clock::new(local::to_seconds, now.unwrap_or_else(self::now));
        let mut inner = CoreScanner::new(settings, clock, seed());
        inner.keep_samples(samples);
        if timeline {
            inner.keep_timeline();
        }
        if since.is_some() || until.is_some() {
            inner.keep_between(since.unwrap_or(0), until.unwrap_or(u32::MAX));
        }
        Ok(Self { inner, now })
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

    #[getter]
    fn last_stamp(&mut self) -> Option<i64> {
        self.inner.last_stamp()
    }

    fn drain(&mut self) -> Summary {
        if self.now.is_none() {
            self.inner.set_now(now());
        }
        Summary::new(self.inner.drain())
    }
}

/// The native module.
#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<Scanner>()?;
    module.add_class::<Summary>()?;
    module.add_class::<summary::SourceSketch>()?;
    module.add_class::<series::Series>()?;
    module.add_function(wrap_pyfunction!(series::count_summary, module)?)?;
    module.add_class::<evidence::Evidence>()?;
    module.add_function(wrap_pyfunction!(reading::read_line, module)?)?;
    module.add_function(wrap_pyfunction!(reading::protocol_name, module)?)?;
    Ok(())
}
